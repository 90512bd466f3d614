"""How much waits at a gateway, and for how long it takes: by what bridges tell, and not at all where none does."""

import msgspec
import pytest

from chalicelib.domain.gateway_beat import GatewayBeat, Minute, live
from chalicelib.domain.queue_state import QueueState, at_gateway

NOW_MS = 1_760_000_000_000
BEAT = GatewayBeat(gateway="gw", bridge="b1", at_ms=NOW_MS, state="active", sessions=1, bound=1, rate=10.0)


def queue(waiting: int, in_flight: int = 0, delayed: int = 0, oldest_ms: int | None = None) -> QueueState:
    return QueueState(
        queue="gateway-gw",
        kind="gateway",
        name="gw",
        waiting=waiting,
        in_flight=in_flight,
        delayed=delayed,
        oldest_ms=oldest_ms,
    )


@pytest.mark.parametrize(
    ("case", "beats", "queues", "messages", "seconds"),
    [
        ("nothing waits", [BEAT], [queue(0)], 0, 0),
        ("all of it is in hand", [{"held": 50, "records": 2}], [queue(0, in_flight=2)], 50, 5),
        ("as much a record on the queue", [{"held": 50, "records": 2}], [queue(3), queue(1)], 150, 15),
        ("what is put off waits, too", [{"held": 50, "records": 2}], [queue(0, delayed=2)], 100, 10),
        ("two bridges share it", [{"held": 50, "records": 2}, {"bridge": "b2", "held": 50, "records": 2}], [], 100, 5),
        ("nobody has seen any", [], [queue(3)], None, None),
        ("a bridge that is gone tells nothing", [{"at_ms": NOW_MS - 36_000, "held": 9}], [queue(3)], None, None),
    ],
)
def test_what_waits_is_what_is_in_hand_and_on_the_queue(
    case: str, beats: list[object], queues: list[QueueState], messages: int | None, seconds: int | None
) -> None:
    told = [msgspec.structs.replace(BEAT, **one) if isinstance(one, dict) else BEAT for one in beats]
    found = at_gateway(queues, live(told, NOW_MS), goes_out=True)
    assert (found.messages, found.empty_in_seconds) == (messages, seconds), case
    assert at_gateway(queues, live(told, NOW_MS), goes_out=False).empty_in_seconds is None


def test_what_goes_out_is_what_went_out_of_late_and_the_oldest_is_of_queue_and_hand() -> None:
    minutes = (Minute(at_ms=NOW_MS - 10_000, submits=20), Minute(at_ms=NOW_MS - 70_000, submits=120))
    busy = msgspec.structs.replace(BEAT, held=40, records=1, minutes=minutes, oldest_ms=NOW_MS - 5_000)
    found = at_gateway([queue(0, oldest_ms=NOW_MS - 60_000)], live([busy], NOW_MS), goes_out=True)
    assert found.empty_in_seconds == 20  # at 140 in 70 s
    assert found.oldest_ms == NOW_MS - 60_000


def test_minutes_of_bridges_are_added_up_and_five_of_them_told() -> None:
    minutes = tuple(Minute(at_ms=NOW_MS - n * 60_000, submits=1, errors={"0x58": 1}) for n in range(5))
    ahead = (Minute(at_ms=NOW_MS + 60_000, submits=7),)  # its clock is
    both = live(
        [msgspec.structs.replace(BEAT, minutes=minutes)] * 2 + [msgspec.structs.replace(BEAT, minutes=ahead)], 0
    )
    assert [minute.submits for minute in both.minutes] == [7, 2, 2, 2, 2]
    assert both.minutes[1].errors == {"0x58": 2}
