"""When a run is over: every accepted message is final, or nothing has moved for so long that it never will be."""

import time
from collections.abc import Callable, Sequence
from typing import Final

import httpx

from chalicelib.store import aws, queues
from infra.local.chaos.driver import Driver
from infra.local.chaos.load import GATEWAYS, PRIORITIES, Customer, Sent
from infra.local.chaos.reckoning import Fate, fate_of, fates
from infra.local.children import Crew

PATIENCE_SECONDS: Final = 200.0  # without a change: longer than a gateway's record stays hidden, and a retry of 2 min
_LOOK_SECONDS: Final = 1.0
_SHOWN_SECONDS: Final = 10.0
_SETTLED_SECONDS: Final = 3.0  # after all is final: what is still on its way may be a second end, or a refund
_STEPS: Final = (queues.ACCEPTED, queues.BILLING, queues.OUTCOMES)
_GATEWAY_QUEUES: Final = tuple(
    dict.fromkeys(queues.gateway_queue(gateway, priority) for gateway in GATEWAYS for priority in PRIORITIES)
)


def shorten(*, functions: int, gateways: int) -> None:
    """Have the queues deliver again after so many seconds what was not deleted; 0 leaves them as they are."""
    for names, seconds in ((_STEPS, functions), (_GATEWAY_QUEUES, gateways)):
        for name in names if seconds else ():
            attributes = {"VisibilityTimeout": str(seconds)}
            aws.client("sqs").set_queue_attributes(QueueUrl=queues.url(name), Attributes=attributes)


class Stillness:
    """Waits for it."""

    def __init__(
        self,
        crew: Crew,
        driver: Driver,
        *,
        sent: Sequence[Sent],
        customers: Sequence[Customer],
        begun: float,
        show: Callable[[str], None],
    ) -> None:
        self._crew = crew
        self._driver = driver
        self._sent = sent
        self._customers = customers
        self._begun = begun
        self._show = show

    def wait(self) -> dict[str, Fate]:
        """What is known of each message when all is over. Raises RunFailed where a process dies."""
        self._wait_for_empty_queues()
        open_ = list(self._sent)
        moved, shown = time.monotonic(), 0.0
        known = self._read()
        while open_ := [one for one in open_ if not (one.id in known and known[one.id].is_final)]:
            self._crew.check()
            before = len(open_)
            time.sleep(_LOOK_SECONDS)
            known |= {one.id: fate_of(one) for one in open_}
            if sum(known[one.id].is_final for one in open_):
                moved = time.monotonic()
            if time.monotonic() - shown > _SHOWN_SECONDS:
                shown = time.monotonic()
                self._show(f"{before} not final, as {open_[0].id}: {known[open_[0].id].status}")
            if time.monotonic() - moved > PATIENCE_SECONDS:
                break
        time.sleep(_SETTLED_SECONDS)
        self._wait_for_empty_queues()
        return self._read()

    def _wait_for_empty_queues(self) -> None:
        """Nothing is left to receive, and nothing in anybody's hands; a parked receipt may stay parked."""
        moved, last, shown = time.monotonic(), -1, 0.0
        while depth := sum(queues.depth(name) for name in (*_STEPS, *_GATEWAY_QUEUES)) + self._receipts_waiting():
            self._crew.check()
            if depth != last:
                moved, last = time.monotonic(), depth
            if time.monotonic() - shown > _SHOWN_SECONDS:
                shown = time.monotonic()
                self._show(f"{depth} records and receipts are under way")
            if time.monotonic() - moved > PATIENCE_SECONDS:
                return
            time.sleep(_LOOK_SECONDS)

    def _receipts_waiting(self) -> int:
        try:
            return int(self._driver.stats()["receipts_waiting"])
        except httpx.HTTPError:
            return 1

    def _read(self) -> dict[str, Fate]:
        now_ms = time.time_ns() // 1_000_000
        return fates(self._customers, int(self._begun * 1000) - 1000, now_ms + 1000)
