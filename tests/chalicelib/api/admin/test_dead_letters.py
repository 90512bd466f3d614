"""What could not be processed, in an administrator's hands."""

import json
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.domain.dead_letter import DeadLetter
from chalicelib.services.shelve import MAX_BODY_BYTES, Arrival, shelve
from chalicelib.store import queues
from tests.chalicelib.api.world import NUMBER, World
from tests.chalicelib.services import world as steps

PATH = "/v1/admin/dead-letters"


def kept(body: str, queue: str | None = "billing", record: str = "R") -> DeadLetter:
    letter = shelve(Arrival(record=record, body=body, queue=queue, reason="why", receives=5), World.now_ms())
    assert letter is not None
    return letter


def listed(world: World, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.as_admin("GET", f"{PATH}{query}").json_body["data"]
    return found


def test_a_letter_says_where_why_when_and_how_often_and_looked_at_what_is_in_it(world: World) -> None:
    world.send()
    (accepted,) = steps.waiting(queues.ACCEPTED)
    letter = kept(wire.encode(accepted), "accepted")
    (line,) = listed(world)
    assert (line["id"], line["queue"], line["state"], line["reason"], line["receives"]) == (
        letter.id, "accepted", "waiting", "why", 5,
    )  # fmt: skip
    assert line["first_seen_at"] == line["last_seen_at"]
    assert "body" not in line
    looked_at = world.as_admin("GET", f"{PATH}/{letter.id}").json_body
    assert looked_at["body"]["messages"][0]["content"]["to"] == NUMBER  # administrators see whom it is about
    assert looked_at["body"] == json.loads(wire.encode(accepted))


def test_what_is_no_json_is_shown_as_it_is(world: World) -> None:
    letter = kept("not JSON")
    assert world.as_admin("GET", f"{PATH}/{letter.id}").json_body["body"] == "not JSON"


def test_a_letter_is_sent_again_to_its_queue_once_with_who_did_it(world: World) -> None:
    letter = kept("body")
    for _ in range(2):  # the answer to the first was lost
        answer = world.as_admin("POST", f"{PATH}/{letter.id}/resend")
        assert (answer.status_code, answer.json_body["state"]) == (200, "resent")
    assert answer.json_body["settled_by"] == f"key:{world.admin.split('_')[2]}"
    assert [record.body for record in queues.receive("billing", wait_seconds=0)] == ["body"]
    assert listed(world) == []
    assert [line["id"] for line in listed(world, "?state=resent")] == [letter.id]


def test_a_letter_is_dropped_with_who_did_it_and_may_still_be_sent_again(world: World) -> None:
    letter = kept("body")
    dropped = world.as_admin("DELETE", f"{PATH}/{letter.id}").json_body
    assert (dropped["state"], dropped["settled_by"]) == ("dropped", f"key:{world.admin.split('_')[2]}")
    assert dropped["settled_at"]
    assert listed(world) == []
    assert listed(world, "?state=dropped") == [dropped]
    assert world.as_admin("DELETE", f"{PATH}/{letter.id}").json_body == dropped
    assert world.as_admin("POST", f"{PATH}/{letter.id}/resend").json_body["state"] == "resent"


@pytest.mark.parametrize(
    ("body", "queue"), [("x" * (MAX_BODY_BYTES + 1), "billing"), ("body", None), ("body", "gateway-gone")]
)
def test_what_cannot_be_sent_again_says_so_and_still_waits(world: World, body: str, queue: str | None) -> None:
    letter = kept(body, queue)
    answer = world.as_admin("POST", f"{PATH}/{letter.id}/resend")
    assert (answer.status_code, answer.json_body["code"]) == (409, "not_resendable")
    assert [line["id"] for line in listed(world)] == [letter.id]


def test_letters_are_listed_by_queue_and_page_by_page(world: World) -> None:
    made = [kept(str(number), "billing" if number % 2 else "outcomes", record=str(number)) for number in range(5)]
    assert {line["queue"] for line in listed(world, "?queue=billing")} == {"billing"}
    page = world.as_admin("GET", f"{PATH}?limit=3").json_body
    rest = world.as_admin("GET", f"{PATH}?limit=3&cursor={page['next_cursor']}").json_body
    assert {line["id"] for line in page["data"] + rest["data"]} == {letter.id for letter in made}
    other = world.as_admin("GET", f"{PATH}?limit=3&queue=billing&cursor={page['next_cursor']}")
    assert other.json_body["code"] == "invalid_cursor"


def test_letters_that_are_not_there_and_customers_are_turned_away(world: World) -> None:
    for method, path in (("GET", ""), ("POST", "/resend"), ("DELETE", "")):
        assert world.as_admin(method, f"{PATH}/ded_{'0' * 32}{path}").json_body["code"] == "not_found"
        assert world.call(method, f"{PATH}/ded_{'0' * 32}{path}").json_body["code"] == "wrong_role"
