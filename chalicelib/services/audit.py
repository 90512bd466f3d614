"""Audit: each account's wallet, ledger, usage and messages are held against each other. It names what differs, and
changes nothing.

An account is audited in steps, each of which reads a bounded number of items and gives what the next one goes on from,
so that neither a day's memory nor a function's time is ever needed at once. First the whole ledger is added up and held
against the wallet; then the ledger and the messages of the days go by side by side, by their ids; at last come the
messages that were charged on the days long after they were made, as scheduled ones are: the days' usage has them.

The books move while they are read. Each has its own instant, and no transaction reads them all; so a difference counts
only when a second look, a while later, finds it again (domain.audit.confirmed).

What it cannot see: messages that the account's retention has deleted (days beyond it are left out); what was refused,
but for its being final; whether a refund was due, but for canceled messages, since the policy of then is kept nowhere;
a credit limit that was changed by hand, which is kept in the wallet alone.

It costs, with reads of 0.125 $ a million (eventually consistent half a unit for 4 KB, consistent a whole one): of the
ledger, all of it each time, about 0.02 $ a million entries; of the messages about 0.03 $ a million.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.audit import Difference, LedgerSum, confirmed, of_usage, of_wallet
from chalicelib.domain.books import NEAR_MS, Books, Span
from chalicelib.domain.charging import LedgerEntry
from chalicelib.domain.facts import Queued
from chalicelib.domain.usage import UsageLine, by_day
from chalicelib.store import accounts, ledger, message_days, messages, queues, usage, wallets
from chalicelib.store.messages import Facts
from chalicelib.wire import Audit

STEP_ENTRIES: Final = 5_000  # some seconds of a function's 20 at most
STEP_ITEMS: Final = 3_000  # messages and entries
_AT_ONCE: Final = 200  # late messages whose facts are read together
LOOK_AGAIN_SECONDS: Final = 600  # longer than a crashed function's record stays hidden, several times
DAY_MS: Final = 86_400_000
_LAST: Final = "\U0010ffff"  # after every name


class NoAccount(LookupError):
    """There is no account of that id (any more)."""


def days(since: date, until: date) -> Span:
    """The UTC days, both included."""
    return Span(_midnight_ms(since), _midnight_ms(until) + DAY_MS)


def first_day(span: Span) -> str:
    """YYYY-MM-DD."""
    return ids.day_at(span.since_ms)


def last_day(span: Span) -> str:
    """YYYY-MM-DD."""
    return ids.day_at(span.until_ms - 1)


def yesterday(now_ms: int) -> Span:
    """The last day that is closed: but for refunds, its usage moves no more."""
    day = datetime.fromtimestamp(now_ms / 1000, UTC).date() - timedelta(days=1)
    return days(day, day)


def begin(account: Account, span: Span, now_ms: int) -> Audit:
    """The audit of an account over whole days; days whose messages may have been deleted are left out."""
    kept_ms = now_ms - account.retention_days * DAY_MS + _lookback_ms(account)
    first_ms = kept_ms - kept_ms % DAY_MS + DAY_MS
    whole = Span(min(max(span.since_ms, first_ms), span.until_ms), span.until_ms)
    return Audit(id=ids.new_ulid(now_ms), account=account.id, books=Books(account.id, whole))


def start(now_ms: int) -> int:
    """Put the audit of yesterday on ⟨audits⟩ for every account; how many. Some ten thousand in a function's time."""
    span, sent = yesterday(now_ms), 0
    for some in accounts.pages():
        queues.send_many(queues.AUDITS, [begin(account, span, now_ms) for account in some])
        sent += len(some)
    return sent


def carry_on(audits: Sequence[Audit], now_ms: int) -> list[Audit]:
    """A step of each; what is not done, or is to be looked at again, goes back on its queue. Gives those at their end.

    Done twice, an audit goes on twice, and tells the same.
    """
    ended = []
    for audit in (step(audit, now_ms) for audit in audits):
        if audit.stage != "done":
            queues.send(queues.AUDITS, audit)
        elif audit.books.differences and audit.suspects is None:
            queues.send(queues.AUDITS, again(audit), delay_seconds=LOOK_AGAIN_SECONDS)
        else:
            ended.append(audit)
    return ended


def again(audit: Audit) -> Audit:
    """The same audit from its beginning, knowing what it found. For a while later."""
    books = Books(audit.account, audit.books.span)
    return Audit(id=audit.id, account=audit.account, books=books, suspects=tuple(audit.books.differences))


def differences(audit: Audit) -> tuple[Difference, ...]:
    """What an audit at its end has found: at both looks, or at the first where that found nothing."""
    return confirmed(audit.suspects or (), audit.books.differences)


def step(audit: Audit, now_ms: int) -> Audit:
    """The audit, a bounded step further; the one given stays as it is, to be done again. Raises NoAccount."""
    audit = msgspec.json.decode(msgspec.json.encode(audit), type=Audit)
    return _STAGES[audit.stage](audit, now_ms)


def _add_up(audit: Audit, now_ms: int) -> Audit:
    """The whole ledger, and the wallet before and after it."""
    if audit.ledger is None:
        wallet = wallets.get(audit.account, consistent=True)
        audit = msgspec.structs.replace(audit, ledger=LedgerSum(), wallet=wallet, wallet_ms=now_ms)
    entries, added_up = ledger.named(audit.account, f"{audit.cursor} ", _LAST), audit.ledger or LedgerSum()
    taken = 0
    for entry in islice(entries, STEP_ENTRIES):
        added_up.add(entry, audit.wallet_ms)
        audit.cursor, taken = entry.id, taken + 1
    if taken == STEP_ENTRIES:
        return audit
    after = wallets.get(audit.account, consistent=True)
    audit.books.add(of_wallet(audit.account, audit.wallet, after, added_up))
    return msgspec.structs.replace(audit, stage="messages", cursor="")


def _match(audit: Audit, now_ms: int) -> Audit:
    """The days' ledger beside their messages."""
    account, books, taken = _account(audit), audit.books, 0
    for ulid, together in groupby(_side_by_side(account, books.span, audit.cursor), key=itemgetter(0)):
        if taken >= STEP_ITEMS:
            return audit
        for _, item in together:
            if isinstance(item, LedgerEntry):
                books.entry(item)
            else:
                books.message(item.message_id, item.facts, now_ms)
            taken += 1
        books.advance(ulid)
        audit.cursor = ulid
    books.close()
    return msgspec.structs.replace(audit, stage="late", cursor="")


def _count_late(audit: Audit, now_ms: int) -> Audit:
    """What was made too long before the days to be read with them, and at the end the usage that all messages make."""
    account, books = _account(audit), audit.books
    made_before_ms = books.span.since_ms - _lookback_ms(account)
    places = list(islice(_late(account, books.span, audit.cursor), STEP_ENTRIES))
    earlier = [one for one in places if ids.created_ms_of(one[1]) < made_before_ms]
    for at in range(0, len(earlier), _AT_ONCE):
        some = earlier[at : at + _AT_ONCE]
        found = message_days.facts_of(account.id, [message_id for _, message_id in some])
        for place, message_id in some:
            facts = found.get(message_id, ())
            charged = (message_days.place_of(message_id, fact.at_ms) for fact in facts if isinstance(fact, Queued))
            if place in charged:  # its refusal stands in the index, too, where it was canceled just before
                books.message(message_id, facts, now_ms)
    if len(places) == STEP_ENTRIES:
        return msgspec.structs.replace(audit, cursor=places[-1][0])
    books.add(of_usage(audit.account, books.usage, _usage(audit.account, books.span)))
    return msgspec.structs.replace(audit, stage="done")


def _late(account: Account, span: Span, after: str) -> Iterator[tuple[str, str]]:
    """Places and ids of what was decided in the span an hour or more after it was made, behind a place, in order."""
    since_ms = int(after.partition("#")[0]) if after else span.since_ms
    for at_ms in range(since_ms - since_ms % DAY_MS, span.until_ms, DAY_MS):
        yield from messages.decided_late(account.id, ids.day_at(at_ms), account.shards, after)


_STAGES: Final[Mapping[str, Callable[[Audit, int], Audit]]] = {
    "ledger": _add_up,
    "messages": _match,
    "late": _count_late,
}


def _account(audit: Audit) -> Account:
    account = accounts.get(audit.account)
    if account is None:
        raise NoAccount(audit.account)
    return account


def _side_by_side(account: Account, span: Span, cursor: str) -> Iterator[tuple[str, LedgerEntry | Facts]]:
    """Entries of the span, and messages from as long before it as one may wait to be charged, each with its ULID."""
    # From the span's first ULID; or after the cursor's, its charge and refund included.
    first = max(ids.floor_at(span.since_ms), f"{cursor}~" if cursor else "")
    entries = ledger.named(account.id, first, ids.floor_at(span.until_ms))
    made = messages.made(
        account.id,
        account.shards,
        span.since_ms - _lookback_ms(account),
        span.until_ms + NEAR_MS,
        f"{ids.MESSAGE_PREFIX}{cursor}" if cursor else "",
    )
    return merge(
        ((_named_after(entry.id), entry) for entry in entries),
        ((ids.bundle_of_single(one.message_id), one) for one in made),
        key=itemgetter(0),
    )


def _named_after(entry_id: str) -> str:
    """The message or the bundle that an entry is for, without what the entry is beside a charge."""
    return entry_id.partition("/")[0].removesuffix(ids.RELEASED)


def _usage(account: str, span: Span) -> Iterable[UsageLine]:
    """The usage lines of the span's days, as they are kept."""
    return by_day(usage.between(account, span.since_ms, span.until_ms))


def _lookback_ms(account: Account) -> int:
    """How long a message may have waited when it was charged: later it would have expired unpaid.

    A job's messages wait for their turn before their validity begins, but their run is begun anew each day.
    """
    return account.max_validity_seconds * 1000 + DAY_MS


def _midnight_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
