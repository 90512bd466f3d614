"""The message log: facts, each under its own name, put in batches and never changed, but for what is only scheduled."""

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.transactions import TransactWrite

from chalicelib.domain import ids
from chalicelib.domain.facts import AnyFact, Queued, Scheduled
from chalicelib.domain.texts import ERASED
from chalicelib.store import dynamo
from chalicelib.store.page import Cursor, Page

SECONDS_A_DAY: Final = 86_400
_DAY_MS: Final = 1000 * SECONDS_A_DAY
FACTS_A_MESSAGE: Final = 5  # typical; only how much a listing reads at a time
# What is charged later than that after it was made (scheduled, held, of a long job) is found by an index of its own: a
# reader of the log need look back no further.
LATE_MS: Final = 3_600_000
ACCEPTED: Final = "accepted"  # the keys of the facts that have a message's content
QUEUED: Final = "queued"
_encoder: Final = msgspec.json.Encoder()
_decoder: Final[msgspec.json.Decoder[AnyFact]] = msgspec.json.Decoder(AnyFact)


class ByRecipient(GlobalSecondaryIndex["MessageTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_recipient"
        projection = KeysOnlyProjection()

    recipient = UnicodeAttribute(hash_key=True)
    fact = UnicodeAttribute(range_key=True)


class ByDecision(GlobalSecondaryIndex["MessageTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_decision"
        projection = KeysOnlyProjection()

    late = UnicodeAttribute(hash_key=True)
    decided = UnicodeAttribute(range_key=True)


class MessageTable(dynamo.Table):
    class Meta:
        suffix = "messages"

    log = UnicodeAttribute(hash_key=True)
    fact = UnicodeAttribute(range_key=True)
    body = UnicodeAttribute()
    expires = NumberAttribute()
    recipient = UnicodeAttribute(null=True)
    late = UnicodeAttribute(null=True)  # of what was charged or refused LATE_MS after it was made: of which log, then
    decided = UnicodeAttribute(null=True)  # and when, with its id
    by_recipient = ByRecipient()
    by_decision = ByDecision()


Whose = tuple[str, str]  # account and message id


class Noted(NamedTuple):
    """A fact with whose it is, and for how many days after the message was made it is kept."""

    account: str
    message_id: str
    fact: AnyFact
    ttl_days: int
    refused: bool = False  # it ends a message that is not charged: that is when the message counts
    to: str = ""  # the number, of what has no content and is yet to be found by it


class Facts(NamedTuple):
    """A message and all that is known of it, in order of the facts' names."""

    message_id: str
    facts: tuple[AnyFact, ...]


def put_facts(noted: Iterable[Noted | tuple[str, str, AnyFact, int]]) -> None:
    """Write the facts, 25 a request, in no order. Writing one again changes nothing. Raises dynamo.Overloaded."""
    dynamo.put_all(_item(Noted(*one)) for one in noted)


def put_in(transaction: TransactWrite, noted: Noted) -> None:
    """Write the fact with what else the transaction writes, or not at all."""
    transaction.save(_item(noted))


def facts_of(account: str, message_id: str, *, consistent: bool = True) -> list[AnyFact]:
    """All facts of a message, in order of their names; empty where there is no such message of this account."""
    log = log_of(account, ids.day_of(message_id), ids.shard_of(message_id))
    mine = MessageTable.fact.startswith(f"{message_id}#")
    return [_decoder.decode(item.body) for item in MessageTable.query(log, mine, consistent_read=consistent)]


def named(sought: Iterable[tuple[str, str, str]]) -> dict[Whose, list[AnyFact]]:
    """The facts that exist among (account, message id, fact's key), 100 a request. Raises dynamo.Overloaded."""
    owners = {(_log_of_message(account, id_), f"{id_}#{key}"): (account, id_) for account, id_, key in sought}
    found: dict[Whose, list[AnyFact]] = {}
    for item in dynamo.get_pairs(MessageTable, owners, consistent=True):
        owner = owners[str(item.log), str(item.fact)]
        found.setdefault(owner, []).append(_decoder.decode(item.body))
    return found


def day(account: str, day: str, shards: int, cursor: Cursor | None = None, limit: int = 50) -> Page[Facts]:
    """Up to `limit` messages that were made on a UTC day (YYYY-MM-DD), newest first, with their facts.

    `cursor` is `{"before": <message id>}`. Reads about FACTS_A_MESSAGE items a message from each shard.
    """
    before = cursor["before"] if cursor else None
    newest_first = merge(
        *(_shard(log_of(account, day, shard), before, limit) for shard in range(shards)),
        key=itemgetter(0),
        reverse=True,
    )
    found = tuple(islice(newest_first, limit + 1))
    more = len(found) > limit
    return Page(found[:limit], {"before": found[limit - 1].message_id} if more else None)


def sent_to(account: str, recipient: str, limit: int) -> list[str]:
    """The ids of the latest messages to a number (E.164 with +), queued or scheduled, newest first; a second late."""
    found = MessageTable.by_recipient.query(f"{account}#{recipient}", scan_index_forward=False, limit=limit)
    return list(dict.fromkeys(str(item.fact).partition("#")[0] for item in found))


def to_number(account: str, recipient: str, since_ms: int, until_ms: int, *, before: str = "", limit: int) -> list[str]:
    """The ids of up to `limit` messages to a number (E.164 with +) that were made in [since_ms, until_ms), newest
    first, those before the one named ('': from the newest). What is not queued or refused yet is not among them.
    """
    first = f"{ids.MESSAGE_PREFIX}{ids.floor_at(since_ms)}"
    last = min(f"{ids.MESSAGE_PREFIX}{ids.floor_at(until_ms)}", before or "~")
    if last <= first:
        return []
    found = MessageTable.by_recipient.query(
        f"{account}#{recipient}",
        MessageTable.fact.between(first, last),
        scan_index_forward=False,
        page_size=2 * limit,  # a scheduled message that was sent has two facts in the index
    )
    distinct = (message_id for message_id, _ in groupby(str(item.fact).partition("#")[0] for item in found))
    return list(islice(distinct, limit))


def made(account: str, shards: int, since_ms: int, until_ms: int, after: str = "") -> Iterator[Facts]:
    """The messages that were made in [since_ms, until_ms), and after the one named, oldest first, with their facts.

    Read as they are asked for, a megabyte of a shard at a time; a fact of the last second may be missed.
    """
    first = max(f"{ids.MESSAGE_PREFIX}{ids.floor_at(since_ms)}", f"{after}$")  # $ comes after #: its facts are passed
    within = MessageTable.fact.between(first, f"{ids.MESSAGE_PREFIX}{ids.floor_at(until_ms)}")
    for day in _days(max(since_ms, ids.created_ms_of(after) if after else 0), until_ms):
        logs = (MessageTable.query(log_of(account, day, shard), within) for shard in range(shards))
        yield from merge(*(whole(items) for items in logs), key=itemgetter(0))


def decided_late(account: str, day: str, shards: int, after: str = "") -> Iterator[tuple[str, str]]:
    """Places and ids of what was charged or refused on a UTC day, LATE_MS or more after it was made, oldest first.

    Those behind a place ('': all); a moment late.
    """
    behind = MessageTable.decided > after if after else None
    found = (MessageTable.by_decision.query(log_of(account, day, shard), behind) for shard in range(shards))
    for place in merge(*((str(item.decided) for item in items) for items in found)):
        yield place, place.partition("#")[2]


def of_run(account: str, run: str, after: str = "") -> Iterator[Facts]:
    """The messages of a job's run, and after the one named, by number, with their facts; read as they are asked for."""
    begins = f"{ids.MESSAGE_PREFIX}{run}"
    within = MessageTable.fact.between(f"{after}$" if after else f"{begins}-", f"{begins}.")  # . comes after -
    day = ids.day_of(begins)
    logs = (MessageTable.query(log_of(account, day, shard), within) for shard in range(ids.shards_of_run(run)))
    yield from merge(*(whole(items) for items in logs), key=itemgetter(0))


def whole(items: Iterable[MessageTable]) -> Iterator[Facts]:
    """Messages of a log: facts of a message lie together."""
    for message_id, facts in groupby(items, key=lambda item: str(item.fact).partition("#")[0]):
        yield Facts(message_id, tuple(_decoder.decode(item.body) for item in facts))


def _days(since_ms: int, until_ms: int) -> Iterator[str]:
    """The UTC days that an instant of [since_ms, until_ms) lies in."""
    for at_ms in range(since_ms - since_ms % _DAY_MS, until_ms, _DAY_MS):
        yield ids.day_at(at_ms)


def _shard(log: str, before: str | None, limit: int) -> Iterator[Facts]:
    """A shard's messages, newest first, each whole: facts of a message lie together."""
    older = MessageTable.fact < before if before else None
    items = MessageTable.query(log, older, scan_index_forward=False, page_size=(limit + 1) * FACTS_A_MESSAGE)
    for message_id, facts in groupby(items, key=lambda item: str(item.fact).partition("#")[0]):
        yield Facts(message_id, tuple(reversed([_decoder.decode(item.body) for item in facts])))


def _log_of_message(account: str, message_id: str) -> str:
    return log_of(account, ids.day_of(message_id), ids.shard_of(message_id))


def log_of(account: str, day: str, shard: int) -> str:
    return f"{account}#{day}#{shard:02}"


def _item(noted: Noted) -> MessageTable:
    account, message_id, fact, ttl_days, refused, to = noted
    created_ms = ids.created_ms_of(message_id)
    recipient = fact.content.to if isinstance(fact, Queued | Scheduled) else to
    is_late = (refused or isinstance(fact, Queued)) and fact.at_ms - created_ms > LATE_MS
    return MessageTable(
        log_of(account, ids.day_at(created_ms), ids.shard_of(message_id)),
        f"{message_id}#{fact.key}",
        body=_encoder.encode(fact).decode(),
        expires=created_ms // 1000 + ttl_days * SECONDS_A_DAY,
        recipient=f"{account}#{recipient}" if recipient not in ("", ERASED) else None,
        late=log_of(account, ids.day_at(fact.at_ms), ids.shard_of(message_id)) if is_late else None,
        decided=f"{fact.at_ms:015}#{message_id}" if is_late else None,
    )
