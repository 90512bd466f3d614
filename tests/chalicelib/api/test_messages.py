"""Sending, reading, following and listing messages."""

import base64

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.facts import Final
from chalicelib.domain.status import Status
from chalicelib.services.charge import charge
from chalicelib.services.route import route
from chalicelib.store import messages, queues, rules
from chalicelib.store.messages import Noted
from chalicelib.wire import AcceptedBundle, RoutedBundle
from tests.chalicelib.api.world import ACCOUNT, GATEWAYS, NUMBER, World


def carry(world: World) -> None:
    """Route and charge what waits."""
    for record in queues.receive("accepted", wait_seconds=0):
        bundle = wire.decode(record.body)
        assert isinstance(bundle, AcceptedBundle)
        route([bundle], world.now_ms())
        queues.delete_many("accepted", [record.handle])
    for record in queues.receive("billing", wait_seconds=0):
        routed = wire.decode(record.body)
        assert isinstance(routed, RoutedBundle)
        charge([routed], world.now_ms())
        queues.delete_many("billing", [record.handle])


def test_a_message_is_answered_with_its_id_and_waits_on_the_queue(world: World) -> None:
    answer = world.send({"from": "Tienda", "client_ref": "42", "priority": "high"})
    told = answer.json_body
    assert answer.status_code == 202
    assert ids.check_message_id(told["id"])
    assert {name: told[name] for name in ("status", "final", "to", "from", "encoding", "parts", "price")} == {
        "status": "accepted",
        "final": False,
        "to": NUMBER,
        "from": "Tienda",
        "encoding": "gsm7",
        "parts": 1,
        "price": "0.05",
    }
    assert (told["country"], told["operator"], told["client_ref"]) == ("ES", "Movistar ES", "42")
    assert told["created_at"].endswith("Z")
    (record,) = queues.receive("accepted", wait_seconds=0)
    bundle = wire.decode(record.body)
    assert isinstance(bundle, AcceptedBundle)
    assert bundle.id == ids.bundle_of_single(told["id"])
    assert bundle.messages[0].content.priority == "high"


def test_a_dry_run_counts_and_prices_and_writes_nothing(world: World) -> None:
    before = world.written()
    answer = world.send({"text": "ñ" * 161, "dry_run": True})
    assert answer.status_code == 200
    assert (answer.json_body["parts"], answer.json_body["price"]) == (2, "0.1")
    assert world.written() == before


def test_a_long_text_with_an_emoji_is_ucs2_and_pays_for_each_part(world: World) -> None:
    told = world.send({"text": "😀" * 36}).json_body
    assert (told["encoding"], told["parts"], told["price"]) == ("ucs2", 2, "0.1")


def test_binary_data_comes_and_goes_as_base64(world: World) -> None:
    data = base64.b64encode(bytes(range(200))).decode()
    sent = world.call("POST", "/v1/messages", {"to": NUMBER, "data": data}).json_body
    assert (sent["encoding"], sent["parts"], sent["data"], sent["text"]) == ("binary", 2, data, None)
    assert world.call("GET", f"/v1/messages/{sent['id']}").json_body["data"] == data


def test_a_message_and_its_timeline_tell_why_this_route_and_price(world: World) -> None:
    sent = world.send().json_body
    carry(world)
    told = world.call("GET", f"/v1/messages/{sent['id']}").json_body
    assert (told["status"], told["price"], told["operator"]) == ("queued", "0.05", "Movistar ES")
    events = world.call("GET", f"/v1/messages/{sent['id']}/events").json_body["data"]
    assert [event["kind"] for event in events] == ["accepted", "queued"]
    queued = events[1]
    assert (queued["gateway"], queued["route"], queued["rules"]) == ("real", "rte_es", 1)
    assert (queued["price_per_part"], queued["charge"]) == ("0.05", "0.05")
    assert "Movistar ES" in queued["why"]


def test_another_accounts_message_is_not_found(world: World) -> None:
    sent = world.send().json_body
    stranger = world.customer(msgspec.structs.replace(ACCOUNT, id="acc_two"), 0)
    for path in (f"/v1/messages/{sent['id']}", f"/v1/messages/{sent['id']}/events"):
        assert world.call("GET", path, key=stranger).json_body["code"] == "not_found"
    assert world.call("POST", f"/v1/messages/{sent['id']}/cancel", key=stranger).json_body["code"] == "not_found"


def test_a_test_key_reaches_simulators_only_and_pays_nothing(world: World) -> None:
    sent = world.send(key=world.test).json_body
    assert (sent["mode"], sent["price"]) == ("test", "0")
    carry(world)
    events = world.call("GET", f"/v1/messages/{sent['id']}/events").json_body["data"]
    assert events[1]["gateway"] == "sim"
    assert (world.waiting("gateway-real"), world.waiting("gateway-sim")) == (0, 1)


def test_a_test_key_without_a_simulator_is_refused(world: World) -> None:
    rules.publish(GATEWAYS[:1], [], [], by="test", note="", now_ms=world.now_ms())
    assert world.send(key=world.test).json_body["code"] == "no_simulator"


def test_a_message_is_durable_even_where_its_first_fact_cannot_be_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(messages, "put_facts", fail)
    assert world.send().status_code == 202
    assert world.waiting("accepted") == 1


class TestListing:
    def test_it_is_of_today_newest_first(self, world: World) -> None:
        sent = [world.send({"client_ref": str(number)}).json_body["id"] for number in range(3)]
        old = ids.new_message_id(world.now_ms() - 3 * 86_400_000)
        messages.put_facts([Noted(ACCOUNT.id, old, Final(at_ms=1, status=Status.FAILED), 90)])
        listed = world.call("GET", "/v1/messages").json_body
        assert [message["id"] for message in listed["data"]] == sorted(sent, reverse=True)
        assert listed["next_cursor"] is None

    def test_it_goes_on_from_its_cursor_until_all_were_seen_once(self, world: World) -> None:
        sent = {world.send().json_body["id"] for _ in range(5)}
        seen: list[str] = []
        path = "/v1/messages?limit=2"
        while path:
            page = world.call("GET", path).json_body
            seen += [message["id"] for message in page["data"]]
            path = f"/v1/messages?limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""
        assert len(seen) == 5
        assert set(seen) == sent

    def test_it_spans_days_and_picks_a_status(self, world: World) -> None:
        first = world.send().json_body["id"]
        carry(world)
        second = world.send().json_body["id"]
        days = f"date_from={ids.day_at(world.now_ms() - 5 * 86_400_000)}&date_to={ids.day_at(world.now_ms())}"
        queued = world.call("GET", f"/v1/messages?{days}&status=queued").json_body
        accepted = world.call("GET", f"/v1/messages?{days}&status=accepted").json_body
        assert [message["id"] for message in queued["data"]] == [first]
        assert [message["id"] for message in accepted["data"]] == [second]

    def test_many_empty_days_take_several_pages(self, world: World) -> None:
        day = ids.day_at(world.now_ms() - 40 * 86_400_000)
        listed = world.call("GET", f"/v1/messages?date_from={day}&date_to={ids.day_at(world.now_ms())}").json_body
        assert listed["data"] == []
        assert listed["next_cursor"]


def test_the_account_tells_balance_limit_and_settings(world: World) -> None:
    told = world.call("GET", "/v1/account").json_body
    assert (told["balance"], told["credit_limit"], told["available"]) == ("10", "0", "10")
    assert (told["max_parts"], told["default_sender"], told["mode"]) == (3, "Chasqui", "live")
