"""Canceling: it races the bridge for the dispatch, and what was charged comes back exactly once."""

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.status import Status
from chalicelib.services.settle import settle
from chalicelib.store import dispatches, queues
from chalicelib.wire import EndOutcome, OutcomeBundle
from tests.chalicelib.api.test_messages import carry
from tests.chalicelib.api.world import World


def settle_outcomes(world: World) -> list[OutcomeBundle]:
    """Settle what waits; what it was."""
    settled = []
    for record in queues.receive("outcomes", wait_seconds=0):
        bundle = wire.decode(record.body)
        assert isinstance(bundle, OutcomeBundle)
        settle([bundle], world.now_ms())
        queues.delete_many("outcomes", [record.handle])
        settled.append(bundle)
    return settled


def balance(world: World) -> str:
    return str(world.call("GET", "/v1/account").json_body["balance"])


def test_a_charged_message_is_canceled_and_paid_back(world: World) -> None:
    sent = world.send().json_body["id"]
    carry(world)
    assert balance(world) == "9.95"
    canceled = world.call("POST", f"/v1/messages/{sent}/cancel")
    assert (canceled.status_code, canceled.json_body["status"], canceled.json_body["final"]) == (200, "canceled", True)
    assert dispatches.claim(ids.bundle_of_single(sent), "bridge-1", world.now_ms()).by == dispatches.CANCEL
    settle_outcomes(world)
    assert balance(world) == "10"
    told = world.call("GET", f"/v1/messages/{sent}").json_body
    assert (told["status"], told["refunded"], told["error"]["code"]) == ("canceled", "0.05", "canceled")
    events = world.call("GET", f"/v1/messages/{sent}/events").json_body["data"]
    assert sorted(event["kind"] for event in events) == ["accepted", "final", "queued", "refunded"]


def test_a_message_that_a_bridge_has_is_not_canceled(world: World) -> None:
    sent = world.send().json_body["id"]
    carry(world)
    dispatches.claim(ids.bundle_of_single(sent), "bridge-1", world.now_ms())
    before = world.written()
    answer = world.call("POST", f"/v1/messages/{sent}/cancel")
    assert (answer.status_code, answer.json_body["code"]) == (409, "already_submitted")
    assert world.written() == before


def test_canceling_again_answers_the_same_and_pays_back_once(world: World) -> None:
    sent = world.send().json_body["id"]
    carry(world)
    first = world.call("POST", f"/v1/messages/{sent}/cancel").json_body
    again = world.call("POST", f"/v1/messages/{sent}/cancel").json_body
    assert {**first, "updated_at": ""} == {**again, "updated_at": ""}
    settle_outcomes(world)
    world.call("POST", f"/v1/messages/{sent}/cancel")
    settle_outcomes(world)
    assert balance(world) == "10"


def test_a_message_charged_only_after_its_cancel_is_paid_back(world: World) -> None:
    sent = world.send().json_body["id"]
    world.call("POST", f"/v1/messages/{sent}/cancel")
    carry(world)
    assert balance(world) == "9.95"
    # A bridge that comes by finds the dispatch canceled, and reports the end once more.
    assert dispatches.claim(ids.bundle_of_single(sent), "bridge-1", world.now_ms()).by == dispatches.CANCEL
    (told,) = settle_outcomes(world)
    queues.send("outcomes", told)
    settle_outcomes(world)
    assert balance(world) == "10"
    told_now = world.call("GET", f"/v1/messages/{sent}").json_body
    assert (told_now["status"], told_now["refunded"]) == ("canceled", "0.05")


def test_a_message_whose_cancel_is_settled_before_its_charge_is_never_charged(world: World) -> None:
    sent = world.send().json_body["id"]
    world.call("POST", f"/v1/messages/{sent}/cancel")
    settle_outcomes(world)
    carry(world)
    assert balance(world) == "10"
    told = world.call("GET", f"/v1/messages/{sent}").json_body
    assert (told["status"], told["refunded"]) == ("canceled", "0")
    assert world.call("GET", "/v1/reports/today").json_body["states"] == {"refused": 1}


def test_a_message_that_ended_otherwise_is_not_canceled(world: World) -> None:
    sent = world.send().json_body["id"]
    at_ms = world.now_ms()
    end = EndOutcome(account=world.account.id, message=sent, at_ms=at_ms, gateway="real", status=Status.REJECTED)
    settle([OutcomeBundle(id=ids.new_ulid(at_ms), outcomes=(end,))], at_ms)
    answer = world.call("POST", f"/v1/messages/{sent}/cancel")
    assert (answer.status_code, answer.json_body["code"]) == (409, "already_final")
