"""The line a message that a run prints while it is up."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from infra.local.watch import LINGERS_SECONDS, Watch


class Api:
    """Answers listings and single messages out of a list, newest last."""

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Any]] = {}

    def put(self, number: int, status: str, age_seconds: float = 0.0) -> None:
        created = datetime.now(UTC) - timedelta(seconds=age_seconds)
        self.messages[f"msg_{number:03}"] = {
            "id": f"msg_{number:03}",
            "status": status,
            "final": status == "delivered",
            "to": "+34600000000",
            "parts": 1,
            "price": "0.045",
            "error": None,
            "created_at": created.isoformat(),
            "updated_at": (created + timedelta(seconds=1.5)).isoformat(),
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        if name in self.messages:
            return httpx.Response(200, json=self.messages[name])
        newest = list(reversed(self.messages.values()))
        start, limit = int(request.url.params.get("cursor", "0")), int(request.url.params["limit"])
        more = str(start + limit) if start + limit < len(newest) else None
        return httpx.Response(200, json={"data": newest[start : start + limit], "next_cursor": more})


def _watch(api: Api) -> Watch:
    return Watch(httpx.Client(base_url="http://api", transport=httpx.MockTransport(api)))


def test_a_message_is_shown_once_when_it_is_final() -> None:
    api = Api()
    watch = _watch(api)
    watch.skip_known()
    api.put(1, "accepted")
    assert watch.poll() == []
    api.put(1, "delivered")
    (line,) = watch.poll()
    assert "msg_001" in line
    assert "delivered after 1.5 s, 0.045 credits" in line
    assert watch.poll() == []


def test_a_message_that_lingers_is_shown_as_it_stands_and_again_at_its_end() -> None:
    api = Api()
    watch = _watch(api)
    api.put(1, "queued", age_seconds=LINGERS_SECONDS + 1)
    assert [line.split()[-3] for line in watch.poll()] == ["queued"]
    assert watch.poll() == []
    api.put(1, "delivered")
    assert len(watch.poll()) == 1


def test_what_was_there_before_is_not_shown() -> None:
    api = Api()
    api.put(1, "delivered")
    watch = _watch(api)
    watch.skip_known()
    assert watch.poll() == []


def test_a_burst_over_several_pages_is_shown_whole_and_in_order() -> None:
    api = Api()
    api.put(0, "delivered")
    watch = _watch(api)
    watch.skip_known()
    for number in range(1, 251):
        api.put(number, "delivered")
    shown = [line.split()[1] for line in watch.poll()]
    assert shown == [f"msg_{number:03}" for number in range(1, 251)]
