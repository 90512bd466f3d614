"""An AWS that answers errors, slowly, or not at all: the bridge waits, recovers, and nothing is lost or doubled."""

import asyncio
from collections import Counter

import pytest

from chalicelib.wire import EndOutcome, ReceiptOutcome, SubmitOutcome
from infra.local.smsc import Config, Smsc
from smpp_bridge.main import run as run_bridge
from smpp_bridge.settings import BridgeSettings
from tests.conftest import cold_start
from tests.smpp_bridge.crashes import Line, proxy, publish, put, settled
from tests.smpp_bridge.gateways.world import gateway, run, until
from tests.smpp_bridge.test_crashes import ids_of, load

SETTINGS = BridgeSettings(port=0, poll_seconds=0.1, receive_seconds=1, lease_seconds=1.0, settled_seconds=0.5)
OUTAGE_SECONDS = 3.75  # of leases of 1 s: as 30 s of leases of 8 s


@pytest.mark.parametrize("line", [Line.DEAD, Line.REFUSING])
def test_without_aws_nothing_is_submitted_or_acknowledged_and_then_it_goes_on(
    aws_server: int, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        settings = Config(receipt_delay_seconds=0.3, receipt_retry_seconds=0.5, response_delay_ms=10)
        async with Smsc(settings) as smsc, proxy(aws_server) as to_aws:
            publish(gateway(smsc.port, messages_per_second=40.0, window=20))
            sent = load(2, 40, priority="high")
            put(sent)
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{to_aws.port}")
            cold_start()
            stop = asyncio.Event()
            bridge = asyncio.create_task(run_bridge(SETTINGS, stop))
            await until(lambda: smsc.stats.accepted >= 20)
            to_aws.set(line)
            await asyncio.sleep(SETTINGS.lease_seconds)  # it may rely on its lease for three quarters of that
            submits, acked = smsc.stats.submits, smsc.stats.receipts_acked
            assert submits < 80
            await asyncio.sleep(OUTAGE_SECONDS - SETTINGS.lease_seconds)
            assert (smsc.stats.submits, smsc.stats.receipts_acked) == (submits, acked)
            assert smsc.stats.sessions == 1
            to_aws.set(Line.WELL)
            await until(lambda: smsc.stats.accepted == smsc.stats.receipts_acked == 80, 20)
            stop.set()
            await bridge
            told = await asyncio.to_thread(settled)
            times = Counter(one.message for one in told if isinstance(one, SubmitOutcome))
            assert set(times) == ids_of(sent)
            assert smsc.stats.duplicates == 0
            assert [one for one in told if isinstance(one, EndOutcome)] == []
            assert len({one.ids for one in told if isinstance(one, ReceiptOutcome)}) == 80

    run(main())


def test_a_slow_aws_makes_it_slow_and_nothing_else(aws_server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with Smsc(Config(receipt_delay_seconds=0.1)) as smsc, proxy(aws_server) as to_aws:
            publish(gateway(smsc.port, messages_per_second=40.0, window=20))
            sent = load(1, 40)
            put(sent)
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{to_aws.port}")
            cold_start()
            to_aws.set(Line.SLOW)
            stop = asyncio.Event()
            settings = BridgeSettings(port=0, poll_seconds=0.1, receive_seconds=1)
            bridge = asyncio.create_task(run_bridge(settings, stop))
            await until(lambda: smsc.stats.accepted == smsc.stats.receipts_acked == 40, 20)
            to_aws.set(Line.WELL)
            stop.set()
            await bridge
            told = await asyncio.to_thread(settled)
            assert {one.message for one in told if isinstance(one, SubmitOutcome)} == ids_of(sent)
            assert smsc.stats.duplicates == 0

    run(main())
