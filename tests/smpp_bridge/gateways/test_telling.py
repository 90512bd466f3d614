"""What a bridge tells of its gateways: sessions that came and went, and every ten seconds how each fares."""

import asyncio

import msgspec

from chalicelib.domain.bind_event import BindEvent
from infra.local.smsc import Config, Control, Smsc
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.session_log import MAX_UNTOLD, SessionLog
from tests.smpp_bridge.gateways.test_orders import SOON, shared
from tests.smpp_bridge.gateways.world import Memory, bridge, bundle, dispatch, gateway, run, until

REJECTED = "+34600000010"  # by its last digits, see the simulator's table


def told(platform: Memory) -> list[tuple[str, str, int | None]]:
    return [(event.kind, event.mode, event.status) for event in platform.binds]


def test_each_session_that_is_bound_refused_lost_and_left_has_its_line() -> None:
    async def main() -> None:
        async with Smsc(Config(receipts=False)) as smsc, Smsc(Config(password="other")) as strict:
            given = {"bind_mode": "transmitter_receiver"}
            platform = Memory(gateway(smsc.port), gateway(strict.port, "strict", **given), gateway(1, "nowhere"))
            async with bridge(platform) as supervisor:
                await until(lambda: {"strict", "nowhere"} <= supervisor.sessions.failures.keys())
                await until(lambda: supervisor.workers["gw"].bound)
                smsc.control(Control(disconnect=True))
                await until(lambda: supervisor.sessions.failures.get("gw"))
                await until(lambda: supervisor.workers["gw"].bound)
                name = supervisor.keeper.name
        of = {one: [event for event in platform.binds if event.name == one] for one in ("gw", "strict", "nowhere")}
        assert [event.kind for event in of["gw"]][:4] == ["bound", "lost", "bound", "unbound"]
        assert {(event.kind, event.mode) for event in of["strict"]} >= {
            ("refused", "transmitter"),
            ("refused", "receiver"),
        }
        assert all(event.status for event in of["strict"] if event.kind == "refused")
        assert {event.kind for event in of["nowhere"]} == {"unreachable"}
        ended = of["gw"][-1]
        assert (ended.bridge, ended.session, ended.address) == (name, "gw/0/trx", f"127.0.0.1:{smsc.port}")
        assert ended.bound_ms is not None
        assert ended.bound_ms <= ended.at_ms

    run(main())


def test_a_beat_says_what_is_held_since_when_and_what_was_answered() -> None:
    async def main() -> None:
        async with Smsc(Config(receipts=False)) as smsc:
            platform = Memory(gateway(smsc.port, window=7), gateway(1, "nowhere", messages_per_second=5.0))
            platform.put(bundle(dispatch(), dispatch(REJECTED)))
            waits = msgspec.structs.replace(shared(3), gateway="nowhere")
            platform.put(waits)
            async with bridge(platform, pace=SOON) as supervisor:
                await until(lambda: platform.deleted)
                await until(lambda: supervisor.workers["nowhere"].intake.held_messages)
                await until(lambda: platform.beats)  # a bridge tells them by itself
                supervisor.teller._beats.look(supervisor.workers)
                beats = {id_: supervisor.teller._beats.beat(one, "b") for id_, one in supervisor.workers.items()}
        (minute,) = {one.at_ms: one for one in beats["gw"].minutes}.values()
        assert (beats["gw"].sessions, beats["gw"].bound, beats["gw"].window) == (1, 1, 7)
        assert (minute.submits, minute.taken, sum(minute.errors.values())) == (2, 1, 1)
        waiting = beats["nowhere"]
        assert (waiting.bound, waiting.held, waiting.records, waiting.oldest_ms) == (0, 3, 1, waits.since_ms)

    run(main())


def test_what_aws_does_not_take_is_told_later_and_of_too_much_the_oldest_is_lost() -> None:
    async def main() -> None:
        async with Smsc(Config(receipts=False)) as smsc:
            platform = Memory(gateway(smsc.port))
            platform.unwell = {"tell_binds"}
            async with bridge(platform) as supervisor:
                await until(lambda: supervisor.workers["gw"].bound)
                await asyncio.sleep(0)
                platform.unwell.clear()
            assert [kind for kind, _, _ in told(platform)] == ["bound", "unbound"]

    run(main())
    log = SessionLog(Clock())
    events = [BindEvent(id=str(n), at_ms=n, side="gateway", name="x", kind="bound", mode="receiver") for n in range(10)]
    for event in events * (MAX_UNTOLD // 10):
        log.add(event)
    taken = log.take(4)
    log.add(events[0])
    log.add(events[1])
    log.put_back(taken)
    assert [event.id for event in log.take(3)] == ["2", "3", "4"]
