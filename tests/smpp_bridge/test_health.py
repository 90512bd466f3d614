"""What /health and /metrics tell, and what they do with what they do not understand."""

import asyncio
import contextlib
import json
import re

import pytest

from infra.local.smsc import Config, Smsc
from smpp_bridge.gateways.supervisor import Supervisor
from smpp_bridge.health import HealthServer
from smpp_bridge.metrics import Metrics
from smpp_bridge.settings import BridgeSettings, from_environment
from tests.smpp_bridge.gateways.world import QUICK, Memory, bundle, dispatch, gateway, run, until


async def ask(port: int, request: str) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    return int(head.split(" ")[1]), body


def get(path: str) -> str:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"


def test_health_and_metrics_tell_of_every_session() -> None:
    async def main() -> None:
        async with Smsc(Config(receipt_delay_seconds=0.05)) as smsc:
            platform = Memory(gateway(smsc.port), gateway(1, id="dead"))
            platform.put(bundle(dispatch(), dispatch("+34600000010")))
            metrics = Metrics()
            supervisor = Supervisor(platform, pace=QUICK, poll_seconds=0.05, times=metrics.times)
            metrics.watch(supervisor)
            health = HealthServer(supervisor.state, metrics)
            await health.start("127.0.0.1", 0)
            assert (await ask(health.port, get("/health")))[0] == 503  # no rules yet
            running = asyncio.create_task(supervisor.run())
            await until(lambda: smsc.stats.receipts_acked == 1 and platform.deleted)

            status, body = await ask(health.port, get("/healthz"))
            told = json.loads(body)
            assert (status, told["status"], told["rules"]) == (200, "ok", 1)
            assert (told["lease"], told["bridges"], told["bridge"][:7]) == (True, 1, "bridge_")
            assert (told["gateways"]["gw"]["circuit"], told["gateways"]["gw"]["passing_on"]) == ("closed", None)
            (session,) = told["gateways"]["gw"]["sessions"]
            assert (session["bound"], session["links"]) == (True, {"gw/0/trx": "bound_trx"})
            assert session["seconds_since_receipt"] < 5
            assert told["gateways"]["dead"]["sessions"][0]["bound"] is False

            _, text = await ask(health.port, get("/metrics"))
            for sample in (
                'submits_total{gateway="gw"} 2.0',
                'responses_total{command_status="0x00",gateway="gw"} 1.0',
                'responses_total{command_status="0x0B",gateway="gw"} 1.0',
                'receipts_total{gateway="gw",state="DELIVRD"} 1.0',
                'ended_total{gateway="gw",status="rejected"} 1.0',
                'bound_sessions{gateway="gw"} 1.0',
                'held_sessions{gateway="gw"} 1.0',
                'circuit_open{gateway="gw"} 0.0',
                "lease 1.0",
                "bridges 1.0",
                "lease_renewals_failed_total 0.0",
                'bound_sessions{gateway="dead"} 0.0',
                'in_flight{gateway="gw"} 0.0',
                'queue_age_seconds{queue="gateway-gw"}',
                'seconds_since_receipt{gateway="gw",session="gw/0/trx"}',
                'window_waits_total{gateway="gw"} 0.0',
                'outcome_send_seconds_count{of="receipts"} 1.0',
            ):
                assert f"chasqui_bridge_{sample}" in text.replace('gateway="gw",command_status', ""), sample
            running.cancel()
            await supervisor.stop()
            status, body = await ask(health.port, get("/health"))
            assert (status, json.loads(body)["status"]) == (503, "draining")
            await health.stop()

    run(main())


@pytest.mark.parametrize(
    ("request_", "status"),
    [(get("/nothing"), 404), ("POST /health HTTP/1.1\r\n\r\n", 405), ("\r\n\r\n", 405), (get("/health?x=1"), 503)],
)
def test_what_is_not_there_is_said_so(request_: str, status: int) -> None:
    async def main() -> None:
        health = HealthServer(lambda: {"status": "starting"}, Metrics())
        await health.start("127.0.0.1", 0)
        assert (await ask(health.port, request_))[0] == status
        await health.stop()

    run(main())


def test_a_head_without_end_is_cut_off() -> None:
    async def main() -> None:
        health = HealthServer(lambda: {"status": "ok"}, Metrics())
        await health.start("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", health.port)
        writer.write(b"x" * 100_000)
        with contextlib.suppress(ConnectionError):  # reset: cut off all the same
            assert await asyncio.wait_for(reader.read(), 5) == b""
        await health.stop()

    run(main())


def test_every_metric_says_what_it_is() -> None:
    metrics = Metrics()
    metrics.watch(Supervisor(Memory()))
    names = re.findall(r"^# HELP (\S+) (.+)$", metrics.text().decode(), re.MULTILINE)
    assert len(names) > 35
    assert all(text.endswith(".") for _, text in names)


def test_settings_come_from_the_environment_and_bad_ones_are_refused() -> None:
    assert from_environment({}) == BridgeSettings()
    given = from_environment({"CHASQUI_BRIDGE_HOST": "0.0.0.0", "CHASQUI_BRIDGE_PORT": "2781"})  # noqa: S104 -- read only
    assert (given.host, given.port) == ("0.0.0.0", 2781)  # noqa: S104 -- the same
    with pytest.raises(ValueError, match="port"):
        from_environment({"CHASQUI_BRIDGE_PORT": "http"})
