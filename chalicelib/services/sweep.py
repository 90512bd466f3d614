"""Sweep: where no bridge holds a gateway, what waits there is done with by the orders for it; orders that are done end.

A sweep does what bridges do, in the same names: each slice is claimed for its fate before anything comes of it, so that
a sweep that dies, two at a time, and a bridge that comes up meanwhile do together what one would have done.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from chalicelib.domain import ids
from chalicelib.domain.facts import FAILED_OVER, ErrorInfo
from chalicelib.domain.gateway_beat import GONE_MS
from chalicelib.domain.refusals import REASONS
from chalicelib.domain.waiting_order import ENDS, MOVED, Fate, Orders, fate_in
from chalicelib.store import dispatches, gateway_beats, leases, queues, rules, waiting_orders
from chalicelib.store.queues import Record, gateway_queue
from chalicelib.wire import (
    MAX_BUNDLE_MESSAGES,
    AttemptOutcome,
    BadBundle,
    Dispatch,
    DispatchBundle,
    EndOutcome,
    Outcome,
    OutcomeBundle,
    decode,
)

DONE_MS: Final = 120_000  # what a bridge that died had in its hands is back on the queue by then
_HOLDER_GONE_MS: Final = 60_000  # a bridge that has said nothing for so long holds nothing
_PRIORITIES: Final = ("normal", "bulk")

log: Final = logging.getLogger(__name__)


def sweep(now_ms: int, goes_on: Callable[[], bool]) -> int:
    """Do with what waits at gateways in nobody's hands as is ordered, while `goes_on`; how many messages that were."""
    orders = Orders(waiting_orders.all_open())
    if not orders.all:
        return 0
    held = _held(now_ms)
    done = 0
    for gateway in sorted({order.gateway for order in orders.all}):
        if gateway not in held:
            done += _Sweep(gateway, orders, now_ms).run(goes_on)
        _end(gateway, orders, now_ms)
    return done


def _held(now_ms: int) -> set[str]:
    """Gateways of which a bridge that is there holds a slot."""
    found = leases.look()
    there = {id_ for id_, bridge in found.bridges.items() if bridge.at_ms >= now_ms - _HOLDER_GONE_MS}
    return {gateway for (gateway, _), by in found.slots.items() if by in there}


def _end(gateway: str, orders: Orders, now_ms: int) -> None:
    """Close the orders whose gateway has nothing left that they could be for."""
    empty = None
    for order in orders.of(gateway):
        if now_ms - order.at_ms >= waiting_orders.OPEN_SECONDS * 1000:
            waiting_orders.close(order.id, "done", now_ms)
        elif now_ms - order.at_ms >= DONE_MS:
            empty = _is_empty(gateway, now_ms) if empty is None else empty
            if empty:
                waiting_orders.close(order.id, "done", now_ms)


def _is_empty(gateway: str, now_ms: int) -> bool:
    if any(beat.held for beat in gateway_beats.of(gateway) if beat.at_ms >= now_ms - GONE_MS):
        return False
    try:
        return not any(queues.standing(gateway_queue(gateway, priority)).records for priority in _PRIORITIES)
    except queues.NoQueue:
        return True


class _Sweep:
    """One gateway's."""

    def __init__(self, gateway: str, orders: Orders, now_ms: int) -> None:
        self._gateway = gateway
        self._orders = orders
        self._now_ms = now_ms
        in_force = {one.id for one in rules.current(now_ms).gateways if one.state == "active"}
        self._in_force = in_force.__contains__
        self._begun_ms = max(self._begin(order.id) for order in orders.of(gateway))
        self._done: Counter[str] = Counter()

    def run(self, goes_on: Callable[[], bool]) -> int:
        for priority in _PRIORITIES:
            try:
                self._go_through(gateway_queue(self._gateway, priority), goes_on)
            except queues.NoQueue:
                continue
        for order, messages in self._done.items():
            waiting_orders.count(order, messages, self._now_ms)
        if self._done:
            log.info("swept", extra={"gateway": self._gateway, "orders": dict(self._done)})
        return sum(self._done.values())

    def _begin(self, order: str) -> int:
        """When a sweep first went through for the order: what was sent to the queue since then has been looked at."""
        waiting_orders.begin_sweep(order, self._now_ms)
        found = waiting_orders.get(order)
        return found.swept_ms if found is not None and found.swept_ms is not None else self._now_ms

    def _go_through(self, queue: str, goes_on: Callable[[], bool]) -> None:
        """Until the queue is empty, or all of a batch has been looked at before."""
        queues.standing(queue)
        around = False
        while goes_on() and not around:
            records = queues.receive(queue, wait_seconds=0)
            if not records:
                return
            around = all(record.sent_ms >= self._begun_ms for record in records)
            self._deal(queue, records)

    def _deal(self, queue: str, records: Sequence[Record]) -> None:
        """What is ordered comes of them, durably; then they are deleted. The others go behind the rest of the queue: to
        give one back would count as a receive of it, and make a dead letter of it in the end.
        """
        made = _Made(self._gateway, self._now_ms)
        again: list[DispatchBundle] = []
        through: list[str] = []
        for record in records:
            bundle = self._bundle_in(record)
            if bundle is None:
                continue  # it stays: after some more receives SQS puts it with the dead letters
            if not self._fulfil(bundle, made):
                again.append(bundle)
            through.append(record.handle)
        made.send()
        queues.send_many(queue, again)
        queues.delete_many(queue, through)

    def _bundle_in(self, record: Record) -> DispatchBundle | None:
        try:
            bundle = decode(record.body)
        except BadBundle:
            return None
        return bundle if isinstance(bundle, DispatchBundle) and bundle.gateway == self._gateway else None

    def _fulfil(self, bundle: DispatchBundle, made: "_Made") -> bool:
        """Whether nothing of the bundle is left; otherwise all of it goes again, and whoever comes by its slices finds
        what is claimed of them."""
        whole = True
        for name, messages in _slices(bundle):
            fate, at_ms = self._claimed(bundle, name, messages)
            if fate is None:
                whole = False
                continue
            for message in messages:
                made.add(bundle, message, fate, at_ms)
        return whole

    def _claimed(self, bundle: DispatchBundle, name: str, messages: Sequence[Dispatch]) -> tuple[Fate | None, int]:
        """What becomes of the slice, since when; None: it is a bridge's, or no order is for it."""
        if any(message.done or message.in_doubt for message in messages):
            return None, 0
        contents = [message.content for message in messages]
        order = self._orders.for_slice(self._gateway, bundle.account, contents, bundle.since_ms, self._in_force)
        if order is None:
            return None, 0
        claim = dispatches.claim(name, order.fate.claimant, self._now_ms)
        if claim.fresh:
            self._done[order.id] += len(messages)
        return fate_in(claim.by), claim.at_ms


class _Made:
    """What comes of messages: bundles for other gateways, and outcomes; the same of a message each time."""

    def __init__(self, gateway: str, now_ms: int) -> None:
        self._gateway = gateway
        self._now_ms = now_ms
        self._hops: defaultdict[str, list[DispatchBundle]] = defaultdict(list)  # by queue
        self._outcomes: list[Outcome] = []

    def add(self, bundle: DispatchBundle, message: Dispatch, fate: Fate, at_ms: int) -> None:
        """What comes of a message of the bundle whose fate was claimed then."""
        if fate.deed == "move":
            queue = gateway_queue(fate.to, message.content.priority)
            self._hops[queue].append(self._hop(bundle, message, fate.to, at_ms))
            self._outcomes.append(self._moved(bundle.account, message, fate.to, at_ms))
        else:
            self._outcomes.append(self._ended(bundle.account, message, fate, at_ms))

    def send(self) -> None:
        """All of it is durable when this returns."""
        for queue, bundles in self._hops.items():
            queues.send_many(queue, bundles)
        told = [
            OutcomeBundle(id=ids.new_ulid(self._now_ms), outcomes=tuple(self._outcomes[at : at + MAX_BUNDLE_MESSAGES]))
            for at in range(0, len(self._outcomes), MAX_BUNDLE_MESSAGES)
        ]
        queues.send_many(queues.OUTCOMES, told)

    def _hop(self, bundle: DispatchBundle, message: Dispatch, to: str, at_ms: int) -> DispatchBundle:
        rest = tuple(gateway for gateway in message.failover if gateway not in (to, self._gateway))
        return DispatchBundle(
            id=ids.next_hop(bundle.id, message.id),
            account=bundle.account,
            gateway=to,
            messages=(Dispatch(id=message.id, content=message.content, failover=rest),),
            since_ms=at_ms,
            wait_until_ms=bundle.wait_until_ms,
        )

    def _moved(self, account: str, message: Dispatch, to: str, at_ms: int) -> AttemptOutcome:
        return AttemptOutcome(
            account=account,
            message=message.id,
            at_ms=at_ms,
            attempt=message.attempt + 1,
            part=1,
            gateway=self._gateway,
            error=MOVED,
            next=FAILED_OVER + to,
        )

    def _ended(self, account: str, message: Dispatch, fate: Fate, at_ms: int) -> EndOutcome:
        status, code = ENDS[fate.deed]
        error = ErrorInfo(code=code, title=REASONS[code].title)
        return EndOutcome(
            account=account, message=message.id, at_ms=at_ms, gateway=self._gateway, status=status, error=error
        )


def _slices(bundle: DispatchBundle) -> Iterator[tuple[str, tuple[Dispatch, ...]]]:
    """What is claimed together, and by which name; see smpp_bridge.gateways.slices."""
    root, _, place = bundle.id.partition("#")
    size = ids.slice_messages(bundle.id)
    for at in range(0, len(bundle.messages), size):
        yield ids.slice_id(root, int(place or 0) + at), bundle.messages[at : at + size]
