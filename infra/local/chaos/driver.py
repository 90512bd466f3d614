"""Feeds the load and carries out the plan, each at its time; and notes when it did what."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from infra.local.chaos.load import Load
from infra.local.chaos.plan import Deed, Size, Step
from infra.local.children import Crew
from infra.local.place import Place
from infra.local.start import BRIDGE

AHEAD: Final = 4_000  # messages that are sent and not submitted, at most: then the load waits for the platform
_BUNDLES_A_TURN: Final = 5
_TURN_SECONDS: Final = 0.1
_SHOWN_SECONDS: Final = 5.0
_RECOVERY_SECONDS: Final = 25.0  # a lease of a bridge that died stands for some 15 s
_SLOW_MS: Final = 800.0
RESPONSE_DELAY_MS: Final = 150.0  # always, so that there is something in flight when a deed is done

# What a deed with a duration tells the simulator when it begins, and when it ends.
_SPELLS: Final[dict[Deed, tuple[dict[str, Any], dict[str, Any]]]] = {
    Deed.SILENT: ({"silent": True}, {"silent": False}),
    Deed.SLOW: ({"response_delay_ms": _SLOW_MS}, {"response_delay_ms": RESPONSE_DELAY_MS}),
    Deed.THROTTLE: ({"throttle": True}, {"throttle": False}),
}


class Done(msgspec.Struct, frozen=True):
    """A deed, from when to when (epoch seconds)."""

    deed: Deed
    since: float
    until: float


class Driver:
    """One run's. `show` gets a line of progress now and then."""

    def __init__(
        self,
        where: Place,
        crew: Crew,
        *,
        load: Load,
        size: Size,
        steps: Sequence[Step],
        show: Callable[[str], None],
    ) -> None:
        self.done: list[Done] = []
        self._smsc = httpx.Client(base_url=where.smsc_admin_url, timeout=10)
        self._crew = crew
        self._load = load
        self._size = size
        self._steps = list(steps)
        self._show = show
        self._log: Path = where.run_dir / "chaos.log"
        self._endings: list[tuple[float, Callable[[], None]]] = []
        self._bridge = BRIDGE
        self._lives = 1
        self._submitted = 0
        self._fed_at = time.monotonic()
        self._due = 0.0  # messages that are to be sent by now
        self._recovering: tuple[int, float] | None = None  # submits when the bridge was killed, and until when at most
        self._shown_at = 0.0

    def run(self) -> None:
        """Until all is sent and the plan is carried out. Raises RunFailed where a process dies that should not."""
        self._log.write_text("")
        self._control({"response_delay_ms": RESPONSE_DELAY_MS, "receipt_delay_seconds": 0.5})
        while self._steps or self._endings or not self._load.over:
            self._crew.check()
            self._look()
            self._feed()
            self._carry_out()
            time.sleep(_TURN_SECONDS)

    def stats(self) -> dict[str, Any]:
        """What the simulator counts."""
        return dict(self._smsc.get("/stats").raise_for_status().json())

    def _look(self) -> None:
        stats, now = self.stats(), time.monotonic()
        self._submitted, submits = stats["messages"], stats["accepted"]
        if self._recovering and (submits > self._recovering[0] or now > self._recovering[1]):
            self._recovering = None
        if now - self._shown_at >= _SHOWN_SECONDS:
            self._shown_at = now
            told = ", ".join(f"{deed.value} {count}x" for deed in Deed if (count := self._count(deed)))
            self._show(
                f"accepted {len(self._load.sent)}, submits {stats['accepted']}, receipts {stats['receipts_acked']}; "
                f"{told or 'nothing yet'}"
            )

    def _count(self, deed: Deed) -> int:
        return sum(done.deed is deed for done in self.done)

    def _feed(self) -> None:
        now = time.monotonic()
        if not self._is_held_up():
            self._due += (now - self._fed_at) * self._size.messages_per_second
        self._fed_at = now
        for _ in range(_BUNDLES_A_TURN):
            sent = len(self._load.sent)
            if self._load.over or sent > self._due or sent - self._submitted > AHEAD:
                return
            self._load.send_some()

    def _carry_out(self) -> None:
        """One step a turn, and none while another lasts, or a killed bridge has not submitted anything again."""
        now = time.time()
        for ending in [ending for ending in self._endings if ending[0] <= now]:
            self._endings.remove(ending)
            ending[1]()
        if self._is_due() and not self._endings and not self._recovering:
            self._begin(self._steps.pop(0), now)

    def _is_due(self) -> bool:
        return bool(self._steps) and len(self._load.sent) >= self._steps[0].share * self._size.messages

    def _is_held_up(self) -> bool:
        """The load waits for the plan, so that its later steps meet some of it."""
        return self._recovering is not None and self._is_due()

    def _begin(self, step: Step, now: float) -> None:
        deed, until = Deed[step.deed], now + step.seconds
        if deed is Deed.KILL:
            self._crew.kill(self._bridge)
            self._recovering = (self.stats()["accepted"], time.monotonic() + step.seconds + _RECOVERY_SECONDS)
            self._endings.append((until, self._start_bridge))
        elif deed is Deed.CUT:
            self._control({"disconnect": True})
        else:
            begins, ends = _SPELLS[deed]
            self._control(begins)
            self._endings.append((until, lambda: self._control(ends)))
        self.done.append(Done(deed, now, until))
        with self._log.open("a") as log:
            log.write(f"{now:.3f} {deed.value} for {step.seconds} s\n")

    def _start_bridge(self) -> None:
        self._lives += 1
        self._bridge = f"{BRIDGE}-{self._lives}"
        self._crew.start(self._bridge, "bridge")

    def _control(self, settings: dict[str, Any]) -> None:
        self._smsc.post("/control", json=settings).raise_for_status()
