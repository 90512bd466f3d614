"""Ends: under which status each message's end is counted in its account's usage, so that it is counted once."""

import random
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.transactions import TransactWrite

from chalicelib.domain import latency
from chalicelib.domain.status import RANK, Status
from chalicelib.domain.usage import Key, UsageLine, merged
from chalicelib.store import dynamo, usage

# A record may come again for two weeks, and receipts come late by the seven days that their pointers are kept.
KEPT_SECONDS: Final = 30 * 86_400
_ALL_OLD: Final = "ALL_OLD"  # a refused put hands back what stands in its place: no read needed


class EndTable(dynamo.Table):
    class Meta:
        suffix = "ends"

    message = UnicodeAttribute(hash_key=True)
    status = UnicodeAttribute()
    expires = NumberAttribute()


class End(msgspec.Struct, frozen=True, kw_only=True):
    """How a charged message ended, as somebody has just learned; and the usage line that it is of."""

    message: str
    status: Status
    line: Key
    latency_ms: int | None = None  # from its charge on, where it was delivered


class _Try(msgspec.Struct, frozen=True):
    """An end to be counted; over one that was counted before, which then counts no more."""

    end: End
    over: Status | None = None

    @property
    def line(self) -> UsageLine:
        slot, country, operator, gateway = self.end.line
        ends = {self.end.status: 1} | ({self.over: -1} if self.over else {})
        took_ms = self.end.latency_ms
        latencies = latency.EMPTY if took_ms is None else latency.add(latency.EMPTY, took_ms)
        return UsageLine(slot=slot, country=country, operator=operator, gateway=gateway, ends=ends, latencies=latencies)


def count(account: str, ends: Sequence[End], now_ms: int, shards: int = 1) -> dict[str, Status]:
    """Count each end, once, unless one that ranks as high is counted; the status that each message counts under now.

    Of one message at most one end. Those who count at the same time meet in usage: `shards` says over how many items
    they are spread. What was learned of it at the same moment, elsewhere, finds its item there: of two
    ends the higher stays, whoever comes first. Raises dynamo.Overloaded.
    """
    standing: dict[str, Status] = {}
    left = [_Try(end) for end in ends]
    while left:
        group, left = _first_that_fit(left)
        reasons = dynamo.transact(partial(_build, account=account, group=group, now_ms=now_ms, shards=shards))
        if not reasons:
            standing |= {one.end.message: one.end.status for one in group}
            continue
        for one, reason in zip(group, reasons[: len(group)], strict=True):  # puts come first in the reasons
            if reason is None:
                left.append(one)
                continue
            counted = _counted(one.end.message, reason.raw_item)
            if counted is not None and RANK[counted] >= RANK[one.end.status]:
                standing[one.end.message] = counted
            else:
                left.append(_Try(one.end, counted))
    return standing


def _build(transaction: TransactWrite, *, account: str, group: Sequence[_Try], now_ms: int, shards: int) -> None:
    share = random.randrange(shards)  # noqa: S311 - no secret; another one when it is tried again
    for one in group:
        item = EndTable(one.end.message, status=one.end.status.value, expires=now_ms // 1000 + KEPT_SECONDS)
        as_known = EndTable.message.does_not_exist() if one.over is None else EndTable.status == one.over.value
        transaction.save(item, condition=as_known, return_values=_ALL_OLD)
    usage.add_ends_to(transaction, account, merged(one.line for one in group), share)


def _first_that_fit(tries: Sequence[_Try]) -> tuple[list[_Try], list[_Try]]:
    """As many of them as a transaction holds with their lines; and the rest."""
    lines: set[Key] = set()
    for place, one in enumerate(tries):
        lines.add(one.end.line)
        if place + 1 + len(lines) > dynamo.TRANSACTION_ITEMS:
            return list(tries[:place]), list(tries[place:])
    return list(tries), []


def _counted(message: str, raw: dict[str, dict[str, Any]] | None) -> Status | None:
    """What the message counts under: as the transaction handed it back, or read where the backend did not."""
    if raw:
        return Status(EndTable.from_raw_data(raw).status)
    try:
        return Status(EndTable.get(message, consistent_read=True).status)
    except EndTable.DoesNotExist:
        return None
