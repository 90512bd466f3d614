"""What each class of refusal makes of a message, at a clock that the test turns by hand."""

from typing import Any, cast

import pytest

from chalicelib.domain.rules import ErrorRule, Gateway
from chalicelib.wire import AttemptOutcome, EndOutcome, SubmitOutcome
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.counts import Counts
from smpp_bridge.gateways.held import Held
from smpp_bridge.gateways.judge import Judge
from smpp_bridge.gateways.link import Flight, Link
from smpp_bridge.gateways.standing import Standing
from smpp_bridge.gateways.submitter import Submitter
from smpp_bridge.protocol.pdu import SubmitSm
from tests.smpp_bridge.gateways.world import bundle, dispatch, gateway, run

PAST_ANY_JITTER = 1.25
LONG = "x" * 400  # three parts


class FakeLink:
    """A session that takes everything and keeps it."""

    def __init__(self, name: str = "gw/0/trx", window: int = 10) -> None:
        self.name = name
        self.window = window
        self.paused_until = 0.0
        self.flights: list[Flight] = []
        self.sent: list[SubmitSm] = []

    def room_for(self, now: float) -> int:
        return self.window - len(self.flights) if now >= self.paused_until else 0

    def submit(self, pdu: SubmitSm, flight: Flight, now: float) -> None:
        self.flights.append(flight)
        self.sent.append(pdu)

    def flush(self) -> None: ...


class Collected:
    """Gatherer's interface: durable at once."""

    full = False

    def __init__(self) -> None:
        self.things: list[Any] = []

    def add(self, thing: Any, ticket: Any) -> None:
        self.things.append(thing)
        ticket.kept()


class Bench:
    """A submitter with everything around it in the test's hands."""

    def __init__(self, links: int = 1, **given: Any) -> None:
        self.now = 1000.0
        self.epoch_ms = 1_800_000_000_000
        clock = Clock(lambda: self.now, lambda: self.epoch_ms)
        self.standing = Standing(clock)
        self.gateway: Gateway = gateway(1, **given)
        self.links = [FakeLink(f"gw/{number}/trx") for number in range(links)]
        self.outcomes, self.dispatches, self.counts = Collected(), Collected(), Counts()
        judge = Judge(
            self.gateway,
            outcomes=cast(Any, self.outcomes),
            dispatches=cast(Any, self.dispatches),
            counts=self.counts,
            clock=clock,
        )
        self.submitter = Submitter(
            self.gateway,
            links=lambda: cast(list[Link], self.links),
            judge=judge,
            outcomes=cast(Any, self.outcomes),
            counts=self.counts,
            clock=clock,
            standing=self.standing,
            on_hunger=lambda: None,
        )
        self.through: list[Held] = []

    @property
    def link(self) -> FakeLink:
        return self.links[0]

    def put(
        self, text: str = "hola", *, failover: tuple[str, ...] = (), valid_seconds: int = 7200, **given: Any
    ) -> str:
        valid_until_ms = self.epoch_ms + valid_seconds * 1000
        message = dispatch(text=text, failover=failover, valid_until_ms=valid_until_ms, **given)
        made = bundle(message)
        held = Held(made, "handle", bulk=False, visible_until=float("inf"), through=self.through.append)
        self.submitter.take(held, message, ())
        self.submitter.pump()
        return made.id

    def answer(self, status: int = 0, smsc_message_id: str = "77", link: FakeLink | None = None) -> None:
        """Answer the oldest submit in flight."""
        link = link or self.link
        flight = link.flights.pop(0)
        self.submitter.answered(cast(Link, link), flight, status, smsc_message_id if not status else "")
        self.submitter.pump()

    def lose(self, link: FakeLink | None = None) -> Flight:
        flight = (link or self.link).flights.pop(0)
        self.submitter.unanswered(flight, "connection lost")
        self.submitter.pump()
        return flight

    def after(self, seconds: float) -> int:
        """Turn the clocks; how many submits are in flight then."""
        self.now += seconds
        self.epoch_ms += int(seconds * 1000)
        self.submitter.pump()
        return sum(len(link.flights) for link in self.links)

    @property
    def ends(self) -> list[EndOutcome]:
        return [outcome for outcome in self.outcomes.things if isinstance(outcome, EndOutcome)]

    @property
    def attempts(self) -> list[AttemptOutcome]:
        return [outcome for outcome in self.outcomes.things if isinstance(outcome, AttemptOutcome)]

    @property
    def submitted(self) -> list[SubmitOutcome]:
        return [outcome for outcome in self.outcomes.things if isinstance(outcome, SubmitOutcome)]


@pytest.mark.parametrize(
    ("status", "waits", "code"),
    [
        (0x14, (30, 120, 300), "gateway_busy"),
        (0x64, (30, 120, 300), "gateway_temporary_error"),
        (0x08, (5, 30), "gateway_system_error"),
    ],
    ids=["queue full", "temporary", "system error"],
)
@pytest.mark.parametrize("failover", [(), ("other",)], ids=["no other gateway", "another gateway"])
def test_trouble_that_may_pass_is_tried_again_and_then_goes_elsewhere(
    status: int, waits: tuple[int, ...], code: str, failover: tuple[str, ...]
) -> None:
    async def main() -> None:
        bench = Bench()
        name = bench.put(failover=failover)
        for wait in waits:
            bench.answer(status)
            assert bench.after(wait * 0.9) == 0
            assert bench.after(wait * (PAST_ANY_JITTER - 0.9)) == 1
        bench.answer(status)
        assert [attempt.next for attempt in bench.attempts[: len(waits)]] == [f"retry in {wait} s" for wait in waits]
        assert [attempt.attempt for attempt in bench.attempts] == list(range(1, len(bench.attempts) + 1))
        assert {(attempt.error.code, attempt.error.gateway_code) for attempt in bench.attempts} == {
            (code, f"0x{status:02X}")
        }
        if failover:
            ((queue, handed),) = bench.dispatches.things
            message = handed.messages[0].id
            assert (queue, handed.gateway, handed.id) == ("gateway-other", "other", f"{name}/{message}/1")
            assert bench.attempts[-1].next == "fail over to other"
            assert bench.ends == []
        else:
            (end,) = bench.ends
            assert (end.status, end.error and end.error.code) == ("failed", code)
        assert len(bench.through) == 1

    run(main())


@pytest.mark.parametrize(
    ("status", "ended", "failover_helps"),
    [
        *((status, "rejected", False) for status in (0x01, 0x0B, 0x33, 0x43, 0x61, 0x62, 0x65, 0x66, 0xC0, 0xC3, 0xC4)),
        *((status, "rejected", True) for status in (0x0A, 0x15, 0x48, 0x49)),
        *((status, "failed", True) for status in (0x45, 0x0411)),
    ],
)
def test_a_no_for_good_ends_the_message_or_leaves_the_gateway(status: int, ended: str, failover_helps: bool) -> None:
    async def main() -> None:
        alone, accompanied = Bench(), Bench()
        alone.put()
        alone.answer(status)
        (end,) = alone.ends
        assert (end.status, end.refundable) == (ended, True)
        accompanied.put(failover=("other", "third"), priority="bulk")
        accompanied.answer(status)
        assert bool(accompanied.ends) is not failover_helps
        if failover_helps:
            ((queue, handed),) = accompanied.dispatches.things
            assert queue == "gateway-other-bulk"
            assert handed.messages[0].failover == ("third",)

    run(main())


def test_the_gateways_own_table_wins() -> None:
    rules = (
        ErrorRule(command_status=0x0411, action="final", code="blocked", title="Blocked.", refund=False),
        ErrorRule(command_status=0x0B, action="pause", code="hold_on", title="Hold on."),
    )

    async def main() -> None:
        bench = Bench(error_table=rules)
        bench.put(failover=("other",))
        bench.answer(0x0411)
        (end,) = bench.ends
        assert (end.status, end.refundable, end.error and end.error.code) == ("rejected", False, "blocked")
        bench.put()
        bench.answer(0x0B)
        assert bench.ends == [end]
        assert bench.after(1.1) == 1

    run(main())


def test_a_throttled_session_pauses_ever_longer_and_the_rate_falls_for_a_while() -> None:
    async def main() -> None:
        bench = Bench()
        bench.put()
        for longest in (1, 2, 4, 8, 16, 30, 30):
            bench.answer(0x58)
            pause = bench.link.paused_until - bench.now
            assert longest / 2 <= pause <= longest
            assert bench.after(pause - 0.01) == 0
            assert bench.after(0.02) == 1
        assert bench.submitter.rate < bench.gateway.messages_per_second * 0.8
        assert bench.outcomes.things == []  # it is no attempt
        bench.after(600)
        assert bench.submitter.rate == bench.gateway.messages_per_second
        bench.answer()
        bench.put()
        bench.answer(0x58)
        assert bench.link.paused_until - bench.now <= 1  # all was well in between

    run(main())


def test_a_throttled_session_pauses_alone() -> None:
    async def main() -> None:
        bench = Bench(links=2)
        first, second = bench.links
        bench.put()
        throttled, other = (first, second) if first.flights else (second, first)
        bench.answer(0x58, link=throttled)
        assert (len(throttled.flights), len(other.flights)) == (0, 1)

    run(main())


def test_what_is_tried_again_ends_with_the_message_s_validity() -> None:
    async def main() -> None:
        bench = Bench()
        bench.put(valid_seconds=20)
        bench.answer(0x14)  # again in 30 s would be too late
        (end,) = bench.ends
        assert (end.status, end.refundable) == ("expired", True)
        bench.put(valid_seconds=20)
        bench.answer(0x58)
        bench.after(21)
        assert [end.status for end in bench.ends] == ["expired", "expired"]

    run(main())


@pytest.mark.parametrize(
    ("setting", "priority", "again"),
    [
        ("by_priority", "high", True),
        ("by_priority", "normal", False),
        ("by_priority", "bulk", False),
        ("hold", "high", False),
        ("resend", "bulk", True),
    ],
)
def test_what_has_no_answer_is_held_or_sent_again(setting: str, priority: str, again: bool) -> None:
    async def main() -> None:
        bench = Bench(unanswered=setting)
        bench.put(priority=priority)
        bench.lose()
        assert [attempt.error.code for attempt in bench.attempts] == ["no_answer"]
        if again:
            assert bench.attempts[0].next == "send again"
            assert len(bench.link.flights) == 1
            bench.answer()
            assert (bench.ends, len(bench.submitted)) == ([], 1)
        else:
            assert bench.attempts[0].next == "hold"
            (end,) = bench.ends
            assert (end.status, end.refundable) == ("unknown", False)
        assert len(bench.through) == 1

    run(main())


def test_sending_again_has_an_end() -> None:
    async def main() -> None:
        bench = Bench(unanswered="resend")
        bench.put()
        for _ in range(4):
            bench.lose()
        assert bench.link.flights == []
        assert [end.status for end in bench.ends] == ["unknown"]

    run(main())


def test_a_late_answer_to_what_is_held_is_told_so_that_its_receipt_is_found() -> None:
    async def main() -> None:
        bench = Bench()
        bench.put()
        flight = bench.lose()
        bench.submitter.answered_late(cast(Link, bench.link), flight, "99")
        bench.submitter.answered_late(cast(Link, bench.link), flight, "99")
        assert [outcome.smsc_message_id for outcome in bench.submitted] == ["99"]

    run(main())


def test_a_taken_message_without_an_id_is_never_sent_again() -> None:
    async def main() -> None:
        bench = Bench(unanswered="resend")
        bench.put()
        bench.answer(0, "")
        (end,) = bench.ends
        assert (end.status, end.error and end.error.code) == ("unknown", "no_message_id")
        assert bench.link.flights == []

    run(main())


def test_a_part_refused_for_good_ends_the_message_and_its_other_parts_are_not_sent() -> None:
    async def main() -> None:
        bench = Bench()
        bench.link.window = 2
        bench.put(LONG)
        assert len(bench.link.sent) == 2
        bench.answer(0x0B)
        assert bench.ends == []  # a part is still in flight
        bench.answer()
        assert [end.status for end in bench.ends] == ["rejected"]
        assert (len(bench.link.sent), len(bench.submitted), len(bench.through)) == (2, 1, 1)

    run(main())


def test_a_message_of_which_a_part_is_taken_does_not_change_gateways() -> None:
    async def main() -> None:
        bench = Bench()
        bench.put(LONG, failover=("other",))
        bench.answer()
        bench.answer(0x45)
        bench.answer()
        assert bench.dispatches.things == []
        assert [end.status for end in bench.ends] == ["failed"]

    run(main())


def test_of_a_message_with_a_part_unanswered_the_others_still_go() -> None:
    async def main() -> None:
        bench = Bench()
        bench.link.window = 1
        bench.put(LONG)
        bench.lose()
        bench.answer()
        bench.answer()
        assert [outcome.part for outcome in bench.submitted] == [2, 3]
        assert [end.status for end in bench.ends] == ["unknown"]

    run(main())


def test_the_rate_holds_at_a_clock_turned_by_hand() -> None:
    async def main() -> None:
        bench = Bench(messages_per_second=10.0)
        bench.link.window = 1000
        for _ in range(100):
            bench.put()
        assert len(bench.link.sent) == 1
        for _ in range(50):
            bench.after(0.1)
        assert len(bench.link.sent) == 51

    run(main())
