"""What administrators manage: gateways at work, what waits there, queues, customers with their credit and prices."""

from typing import Any

import msgspec
import pytest

from chalicelib.domain.gateway_beat import Failure, GatewayBeat, Minute
from chalicelib.domain.job import Job, Source
from chalicelib.domain.rules import Rules
from chalicelib.services.charge import charge
from chalicelib.services.publish import publish
from chalicelib.services.route import route
from chalicelib.services.steer_gateway import steer
from chalicelib.store import gateway_beats, jobs, queues, rule_rows, rules, waiting_orders
from chalicelib.wire import AcceptedBundle, Dispatch, DispatchBundle, RoutedBundle, decode
from tests.chalicelib.api.world import ACCOUNT, GATEWAYS, NUMBERING, ROUTES, World
from tests.chalicelib.services.people_world import mails
from tests.smpp_bridge.gateways.world import content

ORDERS = "/v1/admin/gateways/real/waiting"


def edited(world: World) -> None:
    """The rules are rows, too, and one of them is edited and not published."""
    for gateway in GATEWAYS:
        rule_rows.gateways.put(gateway)
    rule_rows.routes.put(msgspec.structs.replace(ROUTES[0], price_micros=1))


def newest() -> Rules:
    return rules.get(rules.newest_number())


def states() -> dict[str, str]:
    return {gateway.id: gateway.state for gateway in newest().gateways}


class TestSteering:
    def test_a_pause_publishes_that_change_alone_and_once(self, world: World) -> None:
        edited(world)
        paused = world.as_admin("POST", "/v1/admin/gateways/real/pause").json_body
        assert paused == {"gateway": "real", "state": "paused", "rules": 2}
        assert world.as_admin("POST", "/v1/admin/gateways/real/pause").json_body == paused
        assert states() == {"real": "paused", "sim": "active"}
        assert newest().routes == tuple(ROUTES)
        row = rule_rows.gateways.get("real")
        assert row is not None
        assert (row.value.state, row.version) == ("paused", 2)
        assert world.as_admin("POST", "/v1/admin/gateways/real/drain").json_body["rules"] == 3
        assert world.as_admin("POST", "/v1/admin/gateways/real/resume").json_body["rules"] == 4
        assert states() == {"real": "active", "sim": "active"}
        assert world.as_admin("POST", "/v1/admin/gateways/none/pause").status_code == 404

    def test_one_that_is_not_published_is_edited_and_one_that_is_deleted_is_still_paused(self, world: World) -> None:
        rule_rows.gateways.put(msgspec.structs.replace(GATEWAYS[0], id="new"))
        assert world.as_admin("POST", "/v1/admin/gateways/new/pause").json_body["rules"] is None
        assert world.as_admin("POST", "/v1/admin/gateways/real/pause").json_body["rules"] == 2  # it has no row

    def test_what_died_between_the_row_and_the_snapshot_is_made_up_for(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        edited(world)
        with monkeypatch.context() as dies:
            dies.setattr(rules, "put_over", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                steer("real", "paused", "ana", world.now_ms())
        assert states()["real"] == "active"
        assert steer("real", "paused", "ana", world.now_ms()).rules == 2

    def test_two_at_the_same_moment_and_who_publishes_meanwhile_lose_nothing_of_each_others(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        edited(world)
        real = rules.get
        others = iter(["sim"])

        def overtaken(number: int) -> Any:
            found = real(number)
            for other in others:
                steer(other, "draining", "bo", world.now_ms())
            return found

        monkeypatch.setattr(rules, "get", overtaken)
        steer("real", "paused", "ana", world.now_ms())
        assert states() == {"real": "paused", "sim": "draining"}
        everything = rule_rows.gateways.everything
        meanwhile = iter(["real"])

        def read_and_overtaken() -> Any:
            found = everything()
            for other in meanwhile:
                steer(other, "active", "ana", world.now_ms())
            return found

        monkeypatch.setattr(rule_rows.gateways, "everything", read_and_overtaken)
        publish("bo", "all", world.now_ms())
        assert states() == {"real": "active", "sim": "draining"}

    def test_how_a_gateway_fares_is_what_its_bridges_tell_and_what_waits_there(self, world: World) -> None:
        now_ms = world.now_ms()
        minute = Minute(at_ms=now_ms - 30_000, submits=60, taken=50, errors={"0x58": 9}, unanswered=1)
        failure = Failure(at_ms=now_ms - 5_000, session="real/0/trx", reason="bind refused", status=0x0E)
        beat = GatewayBeat(
            gateway="real",
            bridge="bridge_1",
            at_ms=now_ms,
            state="active",
            sessions=2,
            bound=1,
            window=10,
            rate=5.0,
            held=100,
            records=2,
            oldest_ms=now_ms - 60_000,
            minutes=(minute,),
        )
        gone = msgspec.structs.replace(beat, bridge="bridge_0", at_ms=now_ms - 60_000, held=5_000)
        other = msgspec.structs.replace(beat, bridge="bridge_2", failure=failure)
        gateway_beats.put([beat, gone, other])
        dispatch = Dispatch(id="msg_1", content=content())
        queues.send("gateway-real", DispatchBundle(id="x", account="acc_one", gateway="real", messages=(dispatch,)))
        told = world.as_admin("GET", "/v1/admin/gateways/real/state").json_body
        assert (told["bridges"], told["sessions"], told["bound_sessions"], told["held"]) == (2, 4, 2, 200)
        assert told["minutes"][0]["errors"] == {"0x58": 18}
        assert told["submitted_per_second"] == pytest.approx(4.0, rel=0.1)
        assert told["waiting_messages"] == 250  # one record is on the queue; those in hand have 50 messages each
        assert told["empty_in_seconds"] == pytest.approx(62, abs=3)
        assert told["last_failure"]["command_status"] == "0x0E"
        assert told["queues"][0]["depth"] == 1


class TestOrders:
    def test_an_order_is_given_read_listed_and_withdrawn(self, world: World) -> None:
        moved = world.as_admin("POST", f"{ORDERS}/move", {"to": "sim", "why": "it is down", "account": "acc_one"})
        assert moved.status_code == 202
        assert (moved.json_body["state"], moved.json_body["messages"]) == ("open", 0)
        (followed,) = waiting_orders.all_open()
        assert (followed.gateway, followed.to, followed.to_simulator, followed.account) == (
            *("real", "sim"),
            True,
            "acc_one",
        )
        waiting_orders.count(followed.id, 7, world.now_ms())
        at = f"{ORDERS}/{followed.id}"
        assert world.as_admin("GET", at).json_body["messages"] == 7
        assert world.as_admin("GET", at.replace("real", "sim")).status_code == 404
        assert [one["id"] for one in world.as_admin("GET", ORDERS).json_body["data"]] == [followed.id]
        for _ in range(2):
            assert world.as_admin("DELETE", at).json_body["state"] == "withdrawn"
        assert waiting_orders.all_open() == []

    def test_what_cannot_be_ordered_is_refused(self, world: World) -> None:
        job = "job_01K742SG00HPYMRQPM4DC40R90"
        for deed, body, pointer in (
            ("move", {"to": "real"}, "/to"),
            ("move", {"to": "none"}, "/to"),
            ("purge", {"account": "acc_none"}, "/account"),
            ("purge", {"job": job}, "/account"),
            ("purge", {"account": "acc_one", "job": job}, "/job"),
        ):
            answer = world.as_admin("POST", f"{ORDERS}/{deed}", {"why": "x", **body})
            assert (answer.status_code, answer.json_body["errors"][0]["pointer"]) == (422, pointer), body
        assert waiting_orders.all_open() == []


def test_every_queue_is_listed_with_what_is_on_it_and_whose_messages_have_not_ended(world: World) -> None:
    assert world.send().status_code == 202
    told = {one["queue"]: one for one in world.as_admin("GET", "/v1/admin/queues").json_body["data"]}
    assert {"accepted", "outcomes", "dead", "gateway-real", "gateway-real-bulk", "gateway-sim"} <= told.keys()
    assert (told["accepted"]["depth"], told["billing"]["depth"], told["billing"]["empty_in_seconds"]) == (1, 0, 0)
    for step, queue, kind in ((route, "accepted", AcceptedBundle), (charge, "billing", RoutedBundle)):
        bundles: Any = [decode(record.body) for record in queues.receive(queue, wait_seconds=0)]
        assert all(isinstance(one, kind) for one in bundles)
        step(bundles, world.now_ms())
    (mine,) = world.as_admin("GET", "/v1/admin/queues/accounts").json_body["data"]
    assert (mine["account"], mine["messages"], mine["by_gateway"]) == ("acc_one", 1, {"real": 1})
    assert world.as_admin("GET", "/v1/admin/queues/jobs").json_body["data"] == []
    assert world.as_admin("GET", "/v1/admin/queues/smpp-logins").json_body["data"] == []


class TestCustomers:
    def test_a_customer_is_opened_with_credit_and_an_owner_or_not_at_all(self, world: World) -> None:
        owner = {"email": "Ana@Example.com", "name": "Ana", "language": "es"}
        body = {"name": "Acme", "first_credit": "25.5", "owner": owner, "time_zone": "Europe/Madrid"}
        opened = world.as_admin("POST", "/v1/admin/accounts", body).json_body
        assert (opened["balance"], opened["time_zone"]) == ("25.5", "Europe/Madrid")
        told = [one["kind"] for one in mails()]
        assert told == ["user_created", "credit_granted"]  # so that there is somebody to be told of the credit
        ledger = world.as_admin("GET", f"/v1/admin/accounts/{opened['id']}/ledger").json_body["data"]
        assert [(line["kind"], line["amount"]) for line in ledger] == [("grant", "25.5")]
        user = world.as_admin("GET", f"/v1/admin/users/{opened['owner']}").json_body
        assert (user["account"], user["role"], user["email"]) == (opened["id"], "owner", "Ana@example.com")
        accounts = len(world.as_admin("GET", "/v1/admin/accounts").json_body["data"])
        again = world.as_admin("POST", "/v1/admin/accounts", body)
        assert (again.status_code, again.json_body["code"]) == (409, "already_exists")
        wrong = world.as_admin("POST", "/v1/admin/accounts", {**body, "owner": None, "time_zone": "Mars/Olympus"})
        assert wrong.json_body["errors"][0]["pointer"] == "/time_zone"
        nobody = world.as_admin("POST", "/v1/admin/accounts", {**body, "owner": {**owner, "email": "ana@"}})
        assert nobody.json_body["errors"][0]["pointer"] == "/owner/email"
        assert len(world.as_admin("GET", "/v1/admin/accounts").json_body["data"]) == accounts

    def test_no_more_is_taken_back_than_there_is_unless_it_is_forced(self, world: World) -> None:
        credits_of = f"/v1/admin/accounts/{ACCOUNT.id}/credits"
        world.as_admin("PUT", f"/v1/admin/accounts/{ACCOUNT.id}/credit-limit", {"credit_limit": "1"})
        back = {"amount": "-11.000001", "why": "wrong"}
        refused = world.as_admin("POST", credits_of, back)
        assert (refused.status_code, refused.json_body["code"]) == (402, "no_credit")
        once = {"Idempotency-Key": "k1"}
        assert world.as_admin("POST", credits_of, {**back, "amount": "-11"}, headers=once).status_code == 201
        assert world.as_admin("POST", credits_of, {**back, "amount": "-11"}, headers=once).status_code == 201
        assert world.as_admin("GET", f"/v1/admin/accounts/{ACCOUNT.id}").json_body["available"] == "0"
        assert world.as_admin("POST", credits_of, {**back, "force": True}).status_code == 201
        assert world.as_admin("GET", f"/v1/admin/accounts/{ACCOUNT.id}").json_body["balance"] == "-12.000001"

    def test_routes_and_prices_stand_in_one_view_and_own_routes_are_made_there(self, world: World) -> None:
        view = f"/v1/admin/accounts/{ACCOUNT.id}/routes"
        (told,) = world.as_admin("GET", view).json_body["prices"]
        assert (told["operator"], told["price"], told["gateway"], told["route"], told["refusal"]) == (
            *("Movistar ES", "0.05", "real", "rte_es"),
            None,
        )
        route = {"targets": [{"gateway": "real"}], "price": "0.03", "operator": "Movistar ES", "account": "acc_other"}
        made = world.as_admin("POST", view, route)
        assert (made.status_code, made.json_body["account"]) == (201, ACCOUNT.id)
        changed = world.as_admin("PUT", f"{view}/{made.json_body['id']}", {**route, "price": "0.02", "version": 1})
        assert changed.json_body["price"] == "0.02"
        assert [one["id"] for one in world.as_admin("GET", view).json_body["routes"]] == [made.json_body["id"]]
        rule_rows.routes.put(ROUTES[0])
        path = f"{view}/{ROUTES[0].id}"  # everybody's, and not its own
        assert world.as_admin("PUT", path, {**route, "version": 1}).status_code == 404
        rules.publish(GATEWAYS, rule_rows.routes.everything(), NUMBERING, by="t", note="", now_ms=world.now_ms())
        assert world.as_admin("GET", view).json_body["prices"][0]["price"] == "0.02"


@pytest.mark.parametrize(("state", "becomes"), [("suspended", "paused"), ("closed", "stopped")])
def test_jobs_follow_the_state_of_their_account(world: World, state: str, becomes: str) -> None:
    job = Job(
        id="job_1",
        account=ACCOUNT.id,
        created_ms=world.now_ms(),
        status="running",
        text="hola",
        source=Source(kind="recipients"),
    )
    assert jobs.put(job, expected=0)
    settings = {"name": "One", "state": state, "version": 1}
    assert world.as_admin("PUT", f"/v1/admin/accounts/{ACCOUNT.id}", settings).status_code == 200
    row = jobs.get(ACCOUNT.id, "job_1")
    assert row is not None
    assert row.job.status == becomes
