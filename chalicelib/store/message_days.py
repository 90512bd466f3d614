"""The message log read backwards, as reports list it: newest first, only as far as it is asked for, and to be gone on
with.

What is charged or refused soon after it was made stands where it was made; what is late, where that was decided
(decision 0020). So each message has one place, which its facts alone say.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from typing import Final, NamedTuple

from pynamodb.expressions.condition import Condition

from chalicelib.domain import ids
from chalicelib.domain.facts import AnyFact
from chalicelib.domain.local_days import utc_days
from chalicelib.domain.usage import begins_ms
from chalicelib.store.messages import FACTS_A_MESSAGE, LATE_MS, Facts, MessageTable, log_of, whole

_NEAR: Final = 64  # numbers of a run that lie so close are read together


class Seen(NamedTuple):
    """A message at its place; or, without an id, only how far the reading has got."""

    place: str
    message_id: str = ""
    facts: tuple[AnyFact, ...] = ()


def place_of(message_id: str, counted_ms: int) -> str:
    """Where a message stands that counts at that instant: there only is it to be told."""
    created_ms = ids.created_ms_of(message_id)
    return _place(counted_ms if counted_ms - created_ms > LATE_MS else created_ms, message_id)


class Reach(NamedTuple):
    """What is to be read: the messages that may count in [since_ms, until_ms), those before a place ('': all).

    `size`: about how many are wanted; so many are read at a time.
    """

    since_ms: int
    until_ms: int
    before: str
    size: int

    @property
    def until(self) -> str:
        end = _place(self.until_ms, "")
        return min(self.before, end) if self.before else end


def backwards(account: str, shards: int, reach: Reach) -> Iterator[Seen]:
    """The messages within reach, newest first. Some stand here that do not count here: see `place_of`.

    Once for each UTC day it says how far it has got.
    """
    until, size = reach.until, reach.size
    newest_first = merge(
        _made(account, shards, reach.since_ms - LATE_MS, until, size),
        _late(account, shards, reach.since_ms, until, size),
        key=itemgetter(0),
        reverse=True,
    )
    while some := list(islice(newest_first, size)):
        wanted = [one.message_id for one in some if one.message_id and not one.facts]
        found = facts_of(account, wanted)
        for one in some:
            facts = one.facts or found.get(one.message_id, ())
            if facts or not one.message_id:
                yield Seen(one.place, one.message_id, facts)


def of_run(account: str, run: str, before: str, size: int) -> Iterator[Seen]:
    """The messages of a job's run, those before the one named ('': all), the last ones first; their ids as places."""
    begins = f"{ids.MESSAGE_PREFIX}{run}"
    within = MessageTable.fact.between(f"{begins}-", before if before.startswith(f"{begins}-") else f"{begins}.")
    logs = [log_of(account, ids.day_of(begins), shard) for shard in range(ids.shards_of_run(run))]
    for one in merge(*(_back(log, within, size) for log in logs), key=itemgetter(0), reverse=True):
        yield Seen(one.message_id, one.message_id, one.facts)


def facts_of(account: str, wanted: Iterable[str]) -> dict[str, tuple[AnyFact, ...]]:
    """The facts of each message: a request each, but for those of a run whose numbers lie close together."""
    by_log: dict[str, list[str]] = defaultdict(list)
    for message_id in wanted:
        by_log[log_of(account, ids.day_of(message_id), ids.shard_of(message_id))].append(message_id)
    found: dict[str, tuple[AnyFact, ...]] = {}
    for log, some in by_log.items():
        for stretch in _stretches(sorted(some)):
            within = MessageTable.fact.between(f"{stretch[0]}#", f"{stretch[-1]}$")  # $ comes after #
            items = MessageTable.query(log, within, page_size=1000)
            found |= {one.message_id: one.facts for one in whole(items) if one.message_id in stretch}
    return found


def _made(account: str, shards: int, since_ms: int, until: str, size: int) -> Iterator[Seen]:
    """What stands where it was made, and some that is late, and is not to be told here."""
    until_ms, message_id = _parsed(until)
    before = f"{ids.MESSAGE_PREFIX}{ids.floor_at(until_ms)}"
    if message_id and ids.created_ms_of(message_id) == until_ms:
        before = message_id
    first = f"{ids.MESSAGE_PREFIX}{ids.floor_at(since_ms)}"
    if before <= first:
        return
    within = MessageTable.fact.between(first, before)
    for day in utc_days(since_ms, until_ms + bool(message_id)):
        logs = (_back(log_of(account, day, shard), within, size) for shard in range(shards))
        for one in merge(*logs, key=itemgetter(0), reverse=True):
            yield Seen(_place(ids.created_ms_of(one.message_id), one.message_id), one.message_id, one.facts)
        yield Seen(_place(max(since_ms, _midnight_ms(day)), ""))


def _late(account: str, shards: int, since_ms: int, until: str, size: int) -> Iterator[Seen]:
    """What stands where it was decided, without its facts."""
    until_ms, message_id = _parsed(until)
    if until <= _place(since_ms, ""):
        return
    within = MessageTable.decided.between(_place(since_ms, ""), until)
    for day in utc_days(since_ms, until_ms + bool(message_id)):
        found = (
            MessageTable.by_decision.query(
                log_of(account, day, shard), within, scan_index_forward=False, page_size=size
            )
            for shard in range(shards)
        )
        places = merge(*(map(_decided, items) for items in found), reverse=True)
        for place, _ in groupby(places):
            if place != until:
                yield Seen(place, _parsed(place)[1])
        yield Seen(_place(max(since_ms, _midnight_ms(day)), ""))


def _decided(item: MessageTable) -> str:
    return str(item.decided)


def _back(log: str, within: Condition, size: int) -> Iterator[Facts]:
    """A shard's messages, newest first, each whole."""
    items = MessageTable.query(log, within, scan_index_forward=False, page_size=(size + 1) * FACTS_A_MESSAGE)
    return (Facts(one.message_id, one.facts[::-1]) for one in whole(items))


def _stretches(some: Sequence[str]) -> Iterator[list[str]]:
    """Sorted ids in groups that are read together."""
    stretch: list[str] = []
    for message_id in some:
        if stretch and not _near(stretch[-1], message_id):
            yield stretch
            stretch = []
        stretch.append(message_id)
    if stretch:
        yield stretch


def _near(one: str, other: str) -> bool:
    run = ids.run_of(one)
    return run is not None and run == ids.run_of(other) and ids.number_of(other) - ids.number_of(one) <= _NEAR


def _place(at_ms: int, message_id: str) -> str:
    return f"{max(0, at_ms):015}#{message_id}"


def _parsed(place: str) -> tuple[int, str]:
    at_ms, _, message_id = place.partition("#")
    return int(at_ms), message_id


def _midnight_ms(day: str) -> int:
    return begins_ms(f"{day}T00:00")
