"""Watch the queues: how much waits on each, since when, and when it may be through; what waits of whom, and of which
job."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from chalicelib.domain import gateway_beat
from chalicelib.domain.gateway_beat import GatewayBeat, GatewayLive
from chalicelib.domain.ids import day_at
from chalicelib.domain.job import JobStatus, Tally
from chalicelib.domain.queue_state import GatewayWaiting, QueueKind, QueueState, at_gateway, seconds_for
from chalicelib.domain.rules import Gateway
from chalicelib.domain.usage import begins_ms
from chalicelib.services.faults import not_found
from chalicelib.store import (
    dead_letters,
    gateway_beats,
    job_tallies,
    jobs,
    queue_ages,
    queues,
    rule_rows,
    rules,
    usage,
)
from chalicelib.store.page import Cursor, Page
from chalicelib.store.queues import gateway_queue

_AT_ONCE: Final = 16  # requests; a queue's figures are one
_LETTERS: Final = 1_000  # dead letters that are counted; of more the newest
_DAY_MS: Final = 86_400_000
_PRIORITIES: Final = ("normal", "bulk")
_UNDER_WAY: Final = frozenset[JobStatus]({"running", "paused", "stopped"})


class GatewayNow(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway as it is this moment. `published`: as bridges have it; None where it is in no rules in force."""

    gateway: str
    published: Gateway | None
    live: GatewayLive
    queues: tuple[QueueState, ...]
    waiting: GatewayWaiting


class AccountWaiting(msgspec.Struct, frozen=True, kw_only=True):
    """An account's messages that were charged of late and have not ended: they wait, or for their receipts."""

    account: str
    messages: int
    by_gateway: Mapping[str, int]
    empty_in_seconds: int | None  # until all that waits at these gateways is through, whosever it is
    oldest_ms: int  # when the quarter of an hour began that the longest of them was charged in


class JobWaiting(msgspec.Struct, frozen=True, kw_only=True):
    """A job's messages that were charged and have left no gateway."""

    account: str
    job: str
    name: str
    status: JobStatus
    messages: int
    empty_in_seconds: int | None  # at the rate at which they have left so far
    since_ms: int | None


def gateway_now(gateway: str, now_ms: int) -> GatewayNow:
    """How the gateway fares. Raises Fault `not_found`."""
    published = next((one for one in rules.current(now_ms).gateways if one.id == gateway), None)
    if published is None and rule_rows.gateways.get(gateway) is None:
        raise not_found("gateway")
    states = _states([("gateway", gateway, gateway_queue(gateway, priority)) for priority in _PRIORITIES], now_ms)
    return _gateway_now(gateway, published, gateway_beats.of(gateway), states, now_ms)


def all_queues(now_ms: int) -> list[QueueState]:
    """Every queue of the platform and of gateways, in that order."""
    published = {one.id: one for one in rules.current(now_ms).gateways}
    gateways = sorted({*published, *(one.id for one in rule_rows.gateways.everything())})
    asked: list[tuple[QueueKind, str, str]] = [("platform", name, name) for name in queues.OF_THE_PLATFORM]
    asked += [("gateway", one, gateway_queue(one, priority)) for one in gateways for priority in _PRIORITIES]
    found = _states(asked, now_ms)
    beats: defaultdict[str, list[GatewayBeat]] = defaultdict(list)
    for beat in gateway_beats.everyone():
        beats[beat.gateway].append(beat)
    told = [state for state in found if state.kind == "platform"]
    for one in gateways:
        of_gateway = [state for state in found if state.kind == "gateway" and state.name == one]
        told += _gateway_now(one, published.get(one), beats[one], of_gateway, now_ms).queues
    letters = _dead_letters()
    return [msgspec.structs.replace(state, dead_letters=letters[state.queue]) for state in told]


def queues_of_logins(logins: Sequence[str], now_ms: int) -> list[QueueState]:
    """What waits for customers' SMPP clients."""
    asked: list[tuple[QueueKind, str, str]] = [("customer", login, queues.esme_queue(login)) for login in logins]
    return _states(asked, now_ms)


def waiting_of_accounts(now_ms: int, days: int) -> list[AccountWaiting]:
    """Whose messages of the last days (UTC) have not ended, most first. Out of an index that is moments behind."""
    unended: defaultdict[str, Counter[str]] = defaultdict(Counter)
    by_slot: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for day in {day_at(now_ms - back * _DAY_MS) for back in range(days)}:
        for account, line in usage.of_day(day):
            left = line.messages - sum(line.ends.values())
            unended[account][line.gateway] += left
            by_slot[account][line.slot] += left
    through = {state.name: state.empty_in_seconds for state in all_queues(now_ms) if state.kind == "gateway"}
    found = [_of_account(account, gateways, by_slot[account], through) for account, gateways in unended.items()]
    return sorted((one for one in found if one.messages), key=lambda one: (-one.messages, one.account))


def waiting_of_jobs(cursor: Cursor | None, limit: int, now_ms: int) -> Page[JobWaiting]:
    """Jobs with messages that wait at gateways, of up to `limit` jobs that are looked at; a page may be short."""
    page = jobs.of_all(cursor, limit)
    return Page(tuple(_of_jobs(page.items, now_ms)), page.cursor)


def _of_account(
    account: str, gateways: Counter[str], slots: Counter[str], through: Mapping[str, int | None]
) -> AccountWaiting:
    left = {gateway: count for gateway, count in gateways.items() if count > 0}
    seconds = [through.get(gateway) for gateway in left]
    known = [one for one in seconds if one is not None]
    oldest = min((slot for slot, count in slots.items() if count > 0), default=None)
    return AccountWaiting(
        account=account,
        messages=sum(left.values()),
        by_gateway=left,
        empty_in_seconds=max(known, default=0) if len(known) == len(seconds) else None,
        oldest_ms=begins_ms(oldest) if oldest else 0,
    )


def _of_jobs(rows: Iterable[jobs.JobRow], now_ms: int) -> Iterator[JobWaiting]:
    for row in rows:
        job = row.job
        if job.status not in _UNDER_WAY or not job.present_runs:
            continue
        tally = job_tallies.of_runs(job.present_runs)
        if tally.charged > tally.left:
            yield JobWaiting(
                account=job.account,
                job=job.id,
                name=job.name,
                status=job.status,
                messages=tally.charged - tally.left,
                empty_in_seconds=seconds_for(tally.charged - tally.left, _left_a_second(row, tally, now_ms)),
                since_ms=job.started_ms,
            )


def _left_a_second(row: jobs.JobRow, tally: Tally, now_ms: int) -> float:
    """Messages of a running job that have left their gateways a second, since it began or went on; 0: none does."""
    if row.pace is None or row.job.status != "running" or now_ms <= row.pace.at_ms:
        return 0.0
    return max(0, tally.left - row.pace.first) * 1000 / (now_ms - row.pace.at_ms)


def _gateway_now(
    gateway: str, published: Gateway | None, beats: Iterable[GatewayBeat], states: Sequence[QueueState], now_ms: int
) -> GatewayNow:
    live = gateway_beat.live(beats, now_ms)
    goes_out = published is not None and published.state != "paused" and live.bound > 0
    waiting = at_gateway(states, live, goes_out=goes_out)
    return GatewayNow(
        gateway=gateway,
        published=published,
        live=live,
        queues=tuple(
            msgspec.structs.replace(
                state,
                # of both together: bridges share one rate among them
                messages=waiting.messages,
                empty_in_seconds=waiting.empty_in_seconds,
                oldest_ms=waiting.oldest_ms if state.records and state.oldest_ms is None else state.oldest_ms,
            )
            for state in states
        ),
        waiting=waiting,
    )


def _states(asked: Sequence[tuple[QueueKind, str, str]], now_ms: int) -> list[QueueState]:
    """Those that are there. A function's queue is through as fast as it was of late."""
    if not asked:
        return []
    paces = queue_ages.of([queue for _, _, queue in asked], now_ms)
    with ThreadPoolExecutor(min(_AT_ONCE, len(asked))) as threads:
        standings = list(threads.map(_standing, [queue for _, _, queue in asked]))
    return [
        _state(one, standing, paces[one[2]], now_ms)
        for one, standing in zip(asked, standings, strict=True)
        if standing is not None
    ]


def _standing(queue: str) -> queues.Standing | None:
    try:
        return queues.standing(queue)
    except queues.NoQueue:
        return None


def _state(
    asked: tuple[QueueKind, str, str], standing: queues.Standing, pace: queue_ages.Pace, now_ms: int
) -> QueueState:
    kind, name, queue = asked
    oldest = pace.oldest_seconds if standing.records else None
    rate = pace.records_per_second
    return QueueState(
        queue=queue,
        kind=kind,
        name=name,
        waiting=standing.waiting,
        in_flight=standing.in_flight,
        delayed=standing.delayed,
        oldest_ms=None if oldest is None else now_ms - round(oldest * 1000),
        empty_in_seconds=0 if not standing.records else None if rate is None else seconds_for(standing.records, rate),
    )


def _dead_letters() -> Counter[str]:
    """How many of each queue nobody has decided about."""
    found: Counter[str] = Counter()
    page = dead_letters.listing("waiting", limit=_LETTERS)
    for letter in page.items:
        found[letter.queue or ""] += 1
    return found
