"""The audit log is found by what it is about, in pages of any size."""

from typing import Any, ClassVar

import pytest

from chalicelib.domain import ids
from chalicelib.domain import trail as facts
from chalicelib.domain.trail import Actor, Doing
from chalicelib.store import trail
from tests.chalicelib.api.world import World


class TestSearching:
    @pytest.fixture
    def filled(self, world: World) -> World:
        """Some operations of three actors over some weeks, some unfinished, some of two changes."""
        today_ms = world.now_ms()
        for number in range(15):
            at_ms = today_ms - number * 160_000_000
            actor = Actor(who=f"user:usr_{number % 3}", role="super")
            account = f"acc_{number % 2}" if number % 4 else None
            doing = Doing(
                id=ids.new_ulid(at_ms), at_ms=at_ms, actor=actor, operation=f"op_{number % 5}", account=account
            )
            trail.put(facts.begun(doing))
            if number % 7:
                both = [facts.change("gateway", f"g{number % 2}", None, {}), facts.change("route", "r", None, {})]
                trail.put_all(facts.ended(doing, "done", both[: 1 + number % 3 % 2]))
        return world

    FILTERS: ClassVar[tuple[dict[str, str], ...]] = (
        {},
        {"who": "user:usr_1"},
        {"subject": "gateway/g1"},
        {"subject": "route"},
        {"outcome": "unfinished"},
        {"who": "user:usr_1", "account": "acc_1", "outcome": "done"},
    )

    def test_pages_of_any_size_tell_the_same_entries_newest_first(self, filled: World) -> None:
        for filters in self.FILTERS:
            whole = self.pages(filled, filters, 100)
            assert len(whole) > 1, filters
            assert [one["id"] for one in whole] == sorted((one["id"] for one in whole), reverse=True)
            assert self.pages(filled, filters, 1 if "who" in filters else 4) == whole, filters
            for one in whole:
                told = {**one, "kind": (one["subject"] or "").split("/")[0]}
                assert all(told["kind" if value == "route" else name] == value for name, value in filters.items())

    def test_days_are_utc_and_both_are_included(self, filled: World) -> None:
        whole = self.pages(filled, {}, 100)
        days = sorted({one["at"][:10] for one in whole})
        told = self.pages(filled, {"date_from": days[1], "date_to": days[2]}, 100)
        assert told == [one for one in whole if days[1] <= one["at"][:10] <= days[2]]

    def pages(self, world: World, filters: dict[str, str], limit: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        query = "".join(f"&{name}={value}" for name, value in filters.items())
        cursor = ""
        for _ in range(200):
            told = world.as_admin("GET", f"/v1/admin/audit?limit={limit}{query}{cursor}").json_body
            found += told["data"]
            if told["next_cursor"] is None:
                return found
            cursor = f"&cursor={told['next_cursor']}"
        raise AssertionError("it never ends")
