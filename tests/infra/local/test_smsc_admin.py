"""The simulator's admin port and its command line."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from infra.local.smsc import Config, Smsc
from infra.local.smsc.__main__ import parse
from tests.infra.local.esme import Esme


async def http(port: int, method: str, target: str, body: bytes = b"") -> tuple[int, Any]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    head, _, answer = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(head.split()[1]), json.loads(answer)


def run(scenario: Callable[[Smsc, int], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with Smsc(Config(receipt_delay_seconds=0.01)) as smsc:
            assert smsc.admin_port is not None
            await scenario(smsc, smsc.admin_port)

    asyncio.run(whole())


def test_stats_and_messages_tell_what_came_and_reset_forgets_it() -> None:
    async def scenario(smsc: Smsc, port: int) -> None:
        esme = await Esme.bound(smsc.port)
        for text in (b"uno", b"dos"):
            esme.submit("5210", text, priority_flag=1)
        esme.submit("5211", b"tres")
        await esme.until(lambda: len(esme.receipts) == 3)
        status, stats = await http(port, "GET", "/stats")
        assert status == 200
        assert {name: stats[name] for name in ("submits", "accepted", "messages", "sessions", "destinations")} == {
            "submits": 3,
            "accepted": 3,
            "messages": 3,
            "sessions": 1,
            "destinations": 2,
        }
        assert (stats["repeated_destinations"], stats["duplicates"]) == (1, 0)
        _, messages = await http(port, "GET", "/messages?to=5210")
        assert [(m["text"], m["priority"], m["from"]) for m in messages] == [
            ("uno", 1, "Chasqui"),
            ("dos", 1, "Chasqui"),
        ]
        _, latest = await http(port, "GET", "/messages?limit=1")
        assert [m["text"] for m in latest] == ["tres"]
        _, after = await http(port, "POST", "/reset")
        assert (after["submits"], after["sessions"]) == (0, 1)
        assert await http(port, "GET", "/messages") == (200, [])
        esme.close()

    run(scenario)


def test_control_changes_what_it_names_and_says_how_things_stand() -> None:
    async def scenario(smsc: Smsc, port: int) -> None:
        assert await http(port, "POST", "/control", b'{"throttle": true, "response_delay_ms": 20}') == (
            200,
            {"silent": False, "throttle": True, "response_delay_ms": 20.0, "receipt_delay_seconds": 0.01},
        )
        esme = await Esme.bound(smsc.port)
        await http(port, "POST", "/control", b'{"disconnect": true}')
        await esme.until(lambda: esme.closed)
        assert smsc.centre.throttle

    run(scenario)


@pytest.mark.parametrize(
    ("method", "target", "body", "status"),
    [
        ("GET", "/", b"", 404),
        ("POST", "/stats", b"", 404),
        ("POST", "/control", b"{", 400),
        ("POST", "/control", b'{"loud": true}', 400),
        ("POST", "/control", b'{"silent": "yes"}', 400),
        ("POST", "/control", b"x" * 5_000, 400),
        ("GET", "/messages?limit=many", b"", 400),
    ],
)
def test_what_the_admin_port_does_not_understand_is_refused_with_a_reason(
    method: str, target: str, body: bytes, status: int
) -> None:
    async def scenario(smsc: Smsc, port: int) -> None:
        got, answer = await http(port, method, target, body)
        assert got == status
        assert answer["error"]

    run(scenario)


def test_the_command_line_gives_each_setting() -> None:
    assert parse([]) == Config()
    assert parse(["--outcomes"]) is None
    config = parse(["--port", "2775", "--receipts", "off", "--record", "off", "--enquire-link-seconds", "off"])
    assert config == Config(port=2775, receipts=False, record=False, enquire_link_seconds=None)
    with pytest.raises(SystemExit), contextlib.redirect_stderr(None):
        parse(["--receipts", "maybe"])


def test_the_simulator_runs_as_a_process_until_it_is_told_to_stop() -> None:
    async def whole() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "infra.local.smsc", stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
        esme = await Esme.bound(int(line.split(",")[0].rsplit(":", 1)[1]))
        process.send_signal(signal.SIGTERM)
        await esme.until(lambda: esme.closed)
        assert await asyncio.wait_for(process.wait(), 10) == 0

    asyncio.run(whole())
