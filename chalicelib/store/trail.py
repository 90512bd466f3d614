"""The audit log: facts put once and read back, newest first; there is no way here to change or delete one."""

import heapq
from collections.abc import Iterable
from itertools import islice
from typing import Any, Final, Literal

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.domain import ids
from chalicelib.domain.trail import TrailFact, doing_of
from chalicelib.store import dynamo

SHARDS: Final = 4  # of a month: together they take 4,000 facts a second
REFUSALS_KEPT_SECONDS: Final = 400 * 86_400  # changes are kept for good
_MAX_SUBJECT: Final = 500  # characters; a key of an index has at most 2,048 bytes
Index = Literal["account", "who", "subject"]
_decoder: Final = msgspec.json.Decoder(TrailFact)


class _ByAccount(GlobalSecondaryIndex["TrailTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_account"
        projection = AllProjection()

    account = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class _ByWho(GlobalSecondaryIndex["TrailTable"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_who"
        projection = AllProjection()

    who = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class _BySubject(GlobalSecondaryIndex["TrailTable"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "by_subject"
        projection = AllProjection()

    subject = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class TrailTable(dynamo.Table):
    class Meta:
        suffix = "audit"

    month_shard = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    account = UnicodeAttribute(null=True)
    who = UnicodeAttribute()
    subject = UnicodeAttribute(null=True)
    body = UnicodeAttribute()
    expires = NumberAttribute(null=True)
    by_account = _ByAccount()
    by_who = _ByWho()
    by_subject = _BySubject()


_INDEXES: Final[dict[Index, Any]] = {
    "account": TrailTable.by_account,
    "who": TrailTable.by_who,
    "subject": TrailTable.by_subject,
}


def put(fact: TrailFact) -> None:
    """Write the fact; one that is there already stays as it is."""
    try:
        _item(fact).save(condition=TrailTable.id.does_not_exist())
    except PutError as error:
        if not dynamo.condition_failed(error):
            raise


def put_all(facts: Iterable[TrailFact]) -> None:
    """Write the facts, each as `put` does."""
    for fact in facts:
        put(fact)


def of_month(month: str, since: str, before: str, limit: int) -> list[TrailFact]:
    """Up to `limit` facts of a UTC month (YYYY-MM) whose ids are from `since` on and under `before`, newest first."""
    shards = [
        _newest(TrailTable, f"{month}#{shard}", since, before, limit, consistent_read=True) for shard in range(SHARDS)
    ]
    merged = heapq.merge(*shards, key=lambda fact: fact.id, reverse=True)
    return list(islice(merged, limit))


def of(index: Index, key: str, since: str, before: str, limit: int) -> list[TrailFact]:
    """The same of all months, for one account, actor or subject; what was written a moment ago may be missing."""
    return _newest(_INDEXES[index], key, since, before, limit)


def _newest(table: Any, key: str, since: str, before: str, limit: int, **how: Any) -> list[TrailFact]:
    if since > before:
        return []
    within = TrailTable.id.between(since, before)  # which includes `before`: one more is read
    found = table.query(key, within, scan_index_forward=False, limit=limit + 1, page_size=limit + 1, **how)
    return [_decoder.decode(item.body) for item in found if item.id != before][:limit]


def _item(fact: TrailFact) -> TrailTable:
    return TrailTable(
        f"{ids.day_at(fact.at_ms)[:7]}#{_shard(fact.id)}",
        fact.id,
        account=fact.account,
        who=fact.who,
        subject=None if fact.subject is None else str(fact.subject)[:_MAX_SUBJECT],
        body=msgspec.json.encode(fact).decode(),
        expires=fact.at_ms // 1_000 + REFUSALS_KEPT_SECONDS if fact.passing else None,
    )


def _shard(fact_id: str) -> int:
    return ids.CROCKFORD.index(doing_of(fact_id)[-1]) % SHARDS
