"""A line a message while the run is up, read from the API as a customer would: when it is final, or when it lingers."""

import time
from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from infra.local.card import Keys
from infra.local.children import Crew
from infra.local.demo import authorization
from infra.local.place import Place

POLL_SECONDS: Final = 1.0
QUIET_CHECK_SECONDS: Final = 0.2
LINGERS_SECONDS: Final = 5.0
PAGE: Final = 100
MAX_PAGES: Final = 5  # a poll; of a burst beyond it only the newest are shown
MAX_SEEN: Final = 10_000
MAX_FOLLOWED: Final = 20  # unfinished messages asked for by id, a poll


class Watch:
    """What was printed of which message."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._open: dict[str, str] = {}  # unfinished ones: id → the status they were printed with, if any

    def skip_known(self) -> None:
        """What was sent before is not shown."""
        self._new()
        self._open.clear()

    def poll(self) -> list[str]:
        """The lines to print now."""
        changed = [*self._new(), *self._followed()]
        return [line for message in changed if (line := self._line(message))]

    def _new(self) -> list[dict[str, Any]]:
        """Messages that were not there at the poll before, oldest first."""
        found: list[dict[str, Any]] = []
        query = {"limit": str(PAGE)}
        for _ in range(MAX_PAGES if self._seen else 1):
            page = self._client.get("/v1/messages", params=query).raise_for_status().json()
            fresh = [message for message in page["data"] if message["id"] not in self._seen]
            found += fresh
            if not fresh or not page["next_cursor"]:
                break
            query["cursor"] = page["next_cursor"]
        self._remember(message["id"] for message in found)
        return found[::-1]

    def _remember(self, message_ids: Iterable[str]) -> None:
        self._seen.update(dict.fromkeys(message_ids))
        while len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)

    def _followed(self) -> list[dict[str, Any]]:
        known = list(self._open)[:MAX_FOLLOWED]
        return [self._client.get(f"/v1/messages/{one}").raise_for_status().json() for one in known]

    def _line(self, message: dict[str, Any]) -> str | None:
        created = datetime.fromisoformat(message["created_at"])
        if message["final"]:
            self._open.pop(message["id"], None)
            taken = (datetime.fromisoformat(message["updated_at"]) - created).total_seconds()
            return _told(message, f"after {taken:.1f} s, {message['price']} credits")
        shown = self._open.setdefault(message["id"], "")
        if shown or (datetime.now(UTC) - created).total_seconds() < LINGERS_SECONDS:
            return None
        self._open[message["id"]] = message["status"]
        return _told(message, "so far")


def follow(where: Place, keys: Keys, crew: Crew) -> None:
    """Print until the run is stopped. Raises RunFailed when a process dies."""
    headers = authorization(keys.api_key)
    with httpx.Client(base_url=where.base_url, headers=headers, timeout=30) as client:
        watch = Watch(client)
        if not where.quiet:
            watch.skip_known()
        while True:
            crew.check()
            if where.quiet:  # reading costs what somebody may be measuring
                time.sleep(QUIET_CHECK_SECONDS)
                continue
            time.sleep(POLL_SECONDS)
            try:
                for line in watch.poll():
                    print(line, flush=True)
            except httpx.HTTPError as error:
                print(f"(the API did not answer: {error})", flush=True)


def _told(message: dict[str, Any], rest: str) -> str:
    error = f" ({message['error']['code']})" if message["error"] else ""
    at = datetime.fromisoformat(message["created_at"]).astimezone().strftime("%H:%M:%S")
    return f"{at}  {message['id']}  {message['to']:<16} {message['parts']} part(s)  {message['status']}{error} {rest}"
