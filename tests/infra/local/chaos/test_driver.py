"""The driver does what the plan says, each deed at its time and alone, and feeds no more than the platform takes."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, cast

import msgspec
import pytest

from infra.local.chaos import driver as module
from infra.local.chaos.driver import RESPONSE_DELAY_MS, Driver
from infra.local.chaos.load import Load
from infra.local.chaos.plan import Deed, Size, Step
from infra.local.children import Crew, RunFailed
from infra.local.place import place


class Centre:
    """The simulator's window: what it was told, and what it counts."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.messages: Callable[[], int] = lambda: 0
        centre = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                count = centre.messages()
                self._answer({"messages": count, "accepted": count, "receipts_acked": 0, "receipts_waiting": 0})

            def do_POST(self) -> None:
                centre.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._answer({})

            def _answer(self, told: dict[str, Any]) -> None:
                body = json.dumps(told).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


class Fed:
    """A load that sends ten messages a bundle."""

    def __init__(self, messages: int) -> None:
        self.left = messages
        self.sent: list[int] = []

    @property
    def over(self) -> bool:
        return not self.left

    def send_some(self) -> None:
        size = min(10, self.left)
        self.left -= size
        self.sent += range(size)


class Hands:
    """What the driver does to the crew, and with how much of the load sent."""

    def __init__(self, load: Fed) -> None:
        self.load = load
        self.done: list[tuple[str, int]] = []
        self.died = False

    def kill(self, name: str) -> None:
        self.done.append((f"kill {name}", len(self.load.sent)))

    def start(self, name: str, role: str) -> None:
        self.done.append((f"start {name} as {role}", len(self.load.sent)))

    def check(self) -> None:
        if self.died:
            raise RunFailed("pumps-0 died")


@pytest.fixture
def centre(monkeypatch: pytest.MonkeyPatch) -> Iterator[Centre]:
    monkeypatch.setattr(module, "_TURN_SECONDS", 0.002)
    made = Centre()
    monkeypatch.setenv("CHASQUI_SMSC_ADMIN_PORT", str(made.server.server_address[1]))
    yield made
    made.server.shutdown()
    made.server.server_close()


SIZE = Size(messages=400, kills=1, cuts=1, spells=0, calls=0.0, records=0.0)


class Fast(Size, frozen=True, kw_only=True):
    """A size whose load takes a fifth of a second."""

    @property
    def messages_per_second(self) -> float:
        return 2_000.0


def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: Fed, *steps: Step) -> tuple[Driver, Hands]:
    monkeypatch.setenv("CHASQUI_RUN_DIR", str(tmp_path))
    hands = Hands(load)
    size = Fast(**msgspec.structs.asdict(SIZE))
    made = Driver(place(), cast(Crew, hands), load=cast(Load, load), size=size, steps=steps, show=lambda _: None)
    return made, hands


def test_each_deed_is_done_at_its_share_of_the_load_and_noted(
    centre: Centre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Fed(400)
    centre.messages = lambda: len(load.sent)
    steps = Step(0.1, "CUT", 0.0), Step(0.3, "SLOW", 0.05), Step(0.5, "KILL", 0.05), Step(0.8, "THROTTLE", 0.02)
    made, hands = driver(tmp_path, monkeypatch, load, *steps)
    made.run()
    assert load.over
    assert [done.deed for done in made.done] == [Deed.CUT, Deed.SLOW, Deed.KILL, Deed.THROTTLE]
    assert [round(done.until - done.since, 2) for done in made.done] == [0.0, 0.05, 0.05, 0.02]
    assert all(one.until <= other.since + 0.01 for one, other in zip(made.done, made.done[1:], strict=False))
    (killed, at), (started, _) = hands.done
    assert (killed, started) == ("kill bridge", "start bridge-2 as bridge")
    assert at >= 200
    assert centre.told == [
        {"response_delay_ms": RESPONSE_DELAY_MS, "receipt_delay_seconds": 0.5},
        {"disconnect": True},
        {"response_delay_ms": 800.0},
        {"response_delay_ms": RESPONSE_DELAY_MS},
        {"throttle": True},
        {"throttle": False},
    ]
    noted = (tmp_path / "chaos.log").read_text().splitlines()
    assert [line.partition(" ")[2].partition(" for")[0] for line in noted] == [done.deed.value for done in made.done]


def test_a_second_bridge_is_killed_only_once_the_first_one_s_successor_submits(
    centre: Centre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Fed(400)
    asked = 0

    def submits() -> int:
        nonlocal asked
        asked += 1
        return asked // 100  # one more now and then

    centre.messages = submits
    made, hands = driver(tmp_path, monkeypatch, load, Step(0.1, "KILL", 0.0), Step(0.11, "KILL", 0.0))
    made.run()
    assert [done for done, _ in hands.done] == [
        *("kill bridge", "start bridge-2 as bridge", "kill bridge-2", "start bridge-3 as bridge")
    ]
    assert asked >= 100
    assert hands.done[2][1] < 400  # and the load waited for it


def test_the_load_waits_for_a_platform_that_is_behind(
    centre: Centre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AHEAD", 30)
    load = Fed(100)
    most = taken = 0

    def submits() -> int:
        nonlocal most, taken
        most = max(most, len(load.sent) - taken)
        taken = min(len(load.sent), taken + 1)
        return taken

    centre.messages = submits
    made, _ = driver(tmp_path, monkeypatch, load)
    made.run()
    assert load.over
    assert most <= 30 + 10


def test_a_process_that_dies_by_itself_ends_the_run(
    centre: Centre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, hands = driver(tmp_path, monkeypatch, Fed(10))
    hands.died = True
    with pytest.raises(RunFailed, match="pumps-0 died"):
        made.run()
