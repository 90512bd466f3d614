"""A bridge that is killed loses nothing, and submits nothing twice that is to be held; another one takes its place."""

import asyncio
import time
from collections import Counter
from typing import Any

import pytest

from chalicelib.domain.facts import Submitted
from chalicelib.domain.message import fold
from chalicelib.domain.status import FINAL
from chalicelib.settings import Settings
from chalicelib.wire import DispatchBundle, EndOutcome, Outcome, SubmitOutcome
from infra.local.smsc import Config, Control, Smsc
from smpp_bridge.gateways import claims
from smpp_bridge.main import run as run_bridge
from smpp_bridge.settings import BridgeSettings
from tests.smpp_bridge.crashes import facts_of, process, publish, put, settled, settled_until
from tests.smpp_bridge.gateways.world import Memory, bridge, bundle, dispatch, gateway, run, until

QUIET = Config(receipts=False)
VISIBILITY = 3  # seconds; 120 in earnest


def load(bundles: int, size: int, **given: Any) -> list[DispatchBundle]:
    """Bundles whose every message has a number of its own, all of which the simulator delivers."""
    return [
        bundle(*(dispatch(f"+346{made:03}{number:03}99", **given) for number in range(size))) for made in range(bundles)
    ]


def _through(told: list[Outcome]) -> set[str]:
    return {one.message for one in told if isinstance(one, SubmitOutcome | EndOutcome)}


def ids_of(bundles: list[DispatchBundle]) -> set[str]:
    return {message.id for each in bundles for message in each.messages}


@pytest.mark.parametrize(("setting", "doubled"), [("hold", False), ("resend", True)])
def test_a_killed_bridge_s_work_is_gone_on_with(aws_server: int, setting: str, doubled: bool) -> None:
    async def main() -> None:
        async with Smsc(Config(receipts=False, response_delay_ms=100)) as smsc:
            publish(
                gateway(smsc.port, messages_per_second=150.0, window=20, unanswered=setting),
                visibility_seconds=VISIBILITY,
            )
            sent = load(3, 40)
            put(sent)
            with process() as first:
                await until(lambda: smsc.stats.submits >= 45)
                first.kill()
            before = smsc.stats.submits
            told = await asyncio.to_thread(settled)
            with process():
                await settled_until(told, lambda: len(_through(told)) == 120)
            ends = [one for one in told if isinstance(one, EndOutcome)]
            assert {end.status for end in ends} <= {"unknown"}
            # In doubt are the window, and what was claimed and ready: a fifth of a second's worth, and slices begun.
            assert len(ends) <= 20 + 30 + 2 * 10
            assert _through(told) == ids_of(sent)
            if doubled:
                assert (ends, smsc.stats.submits - 120) == ([], smsc.stats.duplicates)
                assert smsc.stats.duplicates <= 70
            else:
                assert smsc.stats.duplicates == 0
                assert smsc.stats.submits < 120 or before < 120
            for message in ids_of(sent):
                folded = fold(message, facts_of(message))
                assert folded is not None
                assert folded.parts_submitted or folded.status in FINAL

    run(main())


def test_when_one_of_two_bridges_is_killed_the_other_soon_has_all_sessions(aws_server: int) -> None:
    lease_seconds = 2.0

    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            publish(gateway(smsc.port, sessions=2), visibility_seconds=VISIBILITY)
            with process(lease_seconds=lease_seconds) as first:
                await until(lambda: smsc.stats.sessions == 2)
                with process(lease_seconds=lease_seconds):
                    await until(lambda: smsc.stats.binds == 3 and smsc.stats.sessions == 2)
                    first.kill()
                    killed = time.monotonic()
                    await until(lambda: smsc.stats.sessions == 1)
                    await until(lambda: smsc.stats.sessions == 2)
                    # Seen a beat late, watched for a lease, noticed a beat later: 12 s of a lease of 8 s.
                    assert time.monotonic() - killed < 1.5 * lease_seconds + 1.0
                    put(load(1, 20))
                    await until(lambda: smsc.stats.accepted == 20)

    run(main())


def test_a_record_that_two_bridges_have_at_once_is_submitted_once(
    aws: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "_AT_WORK_SECONDS", 0.2)
    settings = BridgeSettings(port=0, poll_seconds=0.1, receive_seconds=1, lease_seconds=1.0, settled_seconds=0.3)

    async def main() -> None:
        async with Smsc(Config(receipts=False, response_delay_ms=20)) as smsc:
            publish(gateway(smsc.port, sessions=2, window=2, unanswered="resend"))
            stops = [asyncio.Event(), asyncio.Event()]
            bridges = [asyncio.create_task(run_bridge(settings, stop)) for stop in stops]
            await until(lambda: smsc.stats.sessions == 2)
            twice = load(3, 30)
            for _ in range(2):  # as a charge that was replayed does, and SQS at times
                put(twice)
            told: list[Outcome] = []
            await settled_until(told, lambda: smsc.stats.accepted >= 90)
            await asyncio.sleep(0.5)
            for stop in stops:
                stop.set()
            await asyncio.gather(*bridges)
            told += settled()
            assert (smsc.stats.accepted, smsc.stats.duplicates) == (90, 0)
            times = Counter(one.message for one in told if isinstance(one, SubmitOutcome))
            assert set(times) == ids_of(twice)
            assert set(times.values()) == {1}
            assert [one for one in told if isinstance(one, EndOutcome)] == []
            facts = facts_of(twice[0].messages[0].id)
            assert [type(fact) for fact in facts] == [Submitted]

    run(main())


def test_connections_that_are_cut_under_load_cost_only_what_was_in_flight() -> None:
    async def main() -> None:
        async with Smsc(Config(receipts=False, response_delay_ms=30)) as smsc:
            platform = Memory(gateway(smsc.port, window=10, messages_per_second=300.0))
            sent = load(4, 50)
            for each in sent:
                platform.put(each)
            async with bridge(platform) as supervisor:
                for count in (30, 80, 130):
                    await until(lambda count=count: smsc.stats.accepted >= count)  # type: ignore[misc]
                    smsc.control(Control(disconnect=True))
                await until(lambda: len(platform.deleted) == 4)
                assert supervisor.workers["gw"].standing.breaker.trips == 0  # that a line is cut is no fault of answers
            unknown = {end.message for end in platform.of(EndOutcome) if end.status == "unknown"}
            submitted = {one.message for one in platform.of(SubmitOutcome)}
            assert unknown | submitted == ids_of(sent)
            assert 0 < len(unknown) <= 30
            assert smsc.stats.duplicates == 0

    run(main())


def test_an_smsc_that_falls_silent_is_left_and_what_it_had_is_held() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            given: dict[str, Any] = {"response_timeout_seconds": 0.6, "enquire_link_seconds": 0.5, "window": 5}
            platform = Memory(gateway(smsc.port, **given))
            async with bridge(platform):
                await until(lambda: smsc.stats.sessions == 1)
                smsc.control(Control(silent=True))
                platform.put(load(1, 30)[0])
                await until(lambda: len(platform.of(EndOutcome)) == 5)
                smsc.control(Control(silent=False))
                await until(lambda: platform.deleted)
            assert {end.status for end in platform.of(EndOutcome)} == {"unknown"}
            assert len(platform.of(SubmitOutcome)) + len(platform.of(EndOutcome)) >= 30
            assert smsc.stats.duplicates == 0

    run(main())
