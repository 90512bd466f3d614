"""The log read backwards: each message at one place, newest first, to be gone on with anywhere."""

import pytest

from chalicelib.domain import ids
from chalicelib.domain.content import Content
from chalicelib.domain.facts import Final, Queued
from chalicelib.domain.status import Status
from chalicelib.store import message_days, messages
from chalicelib.store.message_days import Reach
from chalicelib.store.messages import LATE_MS, Noted
from tests.chalicelib.services import world

pytestmark = pytest.mark.usefixtures("aws")
MIDNIGHT_MS = 1_763_856_000_000  # 2025-11-23T00:00:00Z
DAY_MS = 86_400_000
SHARDS = 2


def put(message_id: str, charged_ms: int) -> str:
    """A message that was charged then."""
    content: Content = world.draft().content
    queued = Queued(
        at_ms=charged_ms, content=content, gateway="g", route="r", operator="o", price_micros=1, charge_micros=1,
        rules=1, bundle="b", why="w",
    )  # fmt: skip
    end = Final(at_ms=charged_ms + 5, status=Status.DELIVERED)
    messages.put_facts(Noted("a", message_id, fact, 3650) for fact in (queued, end))
    return message_id


def alone(made_ms: int, charged_ms: int | None = None) -> str:
    return put(ids.new_message_id(made_ms, SHARDS), made_ms if charged_ms is None else charged_ms)


def read(since_ms: int, until_ms: int, before: str = "", size: int = 3) -> list[str]:
    """The messages that count within, as a listing tells them."""
    return [
        one.message_id
        for one in message_days.backwards("a", SHARDS, Reach(since_ms, until_ms, before, size))
        if one.message_id and one.place == message_days.place_of(one.message_id, counted(one.facts))
        if since_ms <= counted(one.facts) < until_ms
    ]


def counted(facts: object) -> int:
    return next(fact.at_ms for fact in facts if isinstance(fact, Queued))  # type: ignore[attr-defined]


def test_what_is_charged_soon_stands_where_it_was_made_and_what_is_late_where_it_was_charged() -> None:
    before = alone(MIDNIGHT_MS - 1)
    soon = alone(MIDNIGHT_MS - 60_000, MIDNIGHT_MS)
    just_soon = alone(MIDNIGHT_MS - LATE_MS, MIDNIGHT_MS)
    late = alone(MIDNIGHT_MS - 5 * DAY_MS, MIDNIGHT_MS + 7)
    noon = alone(MIDNIGHT_MS + DAY_MS // 2)
    after = alone(MIDNIGHT_MS + DAY_MS)
    assert read(MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS) == [noon, late, soon, just_soon]
    assert read(MIDNIGHT_MS - DAY_MS, MIDNIGHT_MS) == [before]
    assert read(MIDNIGHT_MS + DAY_MS, MIDNIGHT_MS + 2 * DAY_MS) == [after]
    assert read(MIDNIGHT_MS, MIDNIGHT_MS) == []


def test_a_long_job_is_told_in_the_order_of_its_charges_however_it_is_cut_into_pages() -> None:
    run = ids.new_run_id(MIDNIGHT_MS - LATE_MS - 1, SHARDS)
    of_job = [put(ids.run_message_id(run, number), MIDNIGHT_MS + number // 4) for number in range(12)]
    others = [alone(MIDNIGHT_MS + 1), alone(MIDNIGHT_MS + 50)]
    whole = read(MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS)
    assert set(whole) == {*of_job, *others}
    assert [one for one in whole if one in of_job] == of_job[::-1]
    paged: list[str] = []
    before = ""
    for _ in range(40):
        steps = message_days.backwards("a", SHARDS, Reach(MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS, before, 2))
        step = next(steps, None)
        if step is None:
            break
        before = step.place
        if step.message_id and step.place == message_days.place_of(step.message_id, counted(step.facts)):
            paged.append(step.message_id)
    assert paged == whole


def test_messages_of_a_run_that_lie_together_are_read_together() -> None:
    run = ids.new_run_id(MIDNIGHT_MS, SHARDS)
    some = [put(ids.run_message_id(run, number), MIDNIGHT_MS) for number in (*range(20), 500)]
    other = alone(MIDNIGHT_MS)
    calls = world.Calls("dynamodb")
    found = message_days.facts_of("a", [*some, other])
    assert found.keys() == {*some, other}
    assert all(len(facts) == 2 for facts in found.values())
    assert calls.of("Query") == SHARDS + 2  # the twenty by shard, the one far off, the other


def test_a_run_is_read_from_its_end_and_gone_on_with_before_any_of_its_messages() -> None:
    run = ids.new_run_id(MIDNIGHT_MS, SHARDS)
    some = [put(ids.run_message_id(run, number), MIDNIGHT_MS) for number in range(7)]
    assert [one.place for one in message_days.of_run("a", run, "", 2)] == some[::-1]
    assert [one.place for one in message_days.of_run("a", run, some[3], 2)] == some[2::-1]


def test_a_refusal_that_came_late_is_found_by_its_day_and_its_number() -> None:
    message = ids.new_message_id(MIDNIGHT_MS - DAY_MS, SHARDS)
    refused = Final(at_ms=MIDNIGHT_MS + 1, status=Status.REJECTED)
    messages.put_facts([Noted("a", message, refused, 3650, refused=True, to="+34600111222")])
    (seen,) = (
        one
        for one in message_days.backwards("a", SHARDS, Reach(MIDNIGHT_MS, MIDNIGHT_MS + DAY_MS, "", 5))
        if one.message_id
    )
    assert (seen.message_id, seen.facts) == (message, (refused,))
    assert messages.sent_to("a", "+34600111222", 5) == [message]
