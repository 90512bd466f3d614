"""SMPP logins as an administrator keeps them, and the sessions that are bound with them."""

from typing import Any

import msgspec
import pytest

from chalicelib.api.admin.smpp_logins import LoginSettings
from chalicelib.domain.smpp_login import EsmeSession, SmppLogin, Traffic, is_password
from chalicelib.store import accounts, cached, dynamo, esme_sessions, made_queues, smpp_logins
from tests.chalicelib.api.world import ACCOUNT, World

LOGINS = "/v1/admin/smpp-logins"


def opened(world: World, system_id: str = "acme", **settings: Any) -> dict[str, Any]:
    body = {"name": "Acme's gateway", "system_id": system_id, **settings}
    answer = world.as_admin("POST", f"/v1/admin/accounts/{ACCOUNT.id}/smpp-logins", body)
    assert answer.status_code == 201, answer.body
    return dict(answer.json_body)


def bound(world: World, system_id: str = "acme", session: str = "ses_1", account: str = ACCOUNT.id) -> EsmeSession:
    made = EsmeSession(
        id=session,
        system_id=system_id,
        account=account,
        bind="transceiver",
        address="203.0.113.7",
        bridge="bridge_1",
        bound_ms=world.now_ms(),
        interface_version=0x33,
    )
    slot = esme_sessions.take(made, 5, world.now_ms())
    assert slot is not None
    esme_sessions.beat(made, slot, Traffic(submits=7, submits_per_second=0.7), world.now_ms())
    return made


class TestLogins:
    def test_one_is_opened_with_a_password_that_is_told_once(self, world: World) -> None:
        told = opened(world, window=20, ip_rules=["203.0.113.0/24"])
        password = told.pop("password")
        held = smpp_logins.get("acme")
        assert held is not None
        assert is_password(password, held.password_hash)
        assert (held.account, held.window, held.mode, held.state) == (ACCOUNT.id, 20, "live", "active")
        read = world.as_admin("GET", f"{LOGINS}/acme")
        assert read.json_body == told
        for path in (LOGINS, f"/v1/admin/accounts/{ACCOUNT.id}/smpp-logins"):
            listed = world.as_admin("GET", path)
            assert listed.json_body["data"] == [told]
            assert password.encode() not in listed.body
            assert b"argon2" not in listed.body

    def test_its_queue_is_there_and_its_account_listens_before_it_can_bind(self, world: World) -> None:
        told = opened(world)
        made_queues.create_esme_queue("acme")  # making it again is fine
        account, login = accounts.get(ACCOUNT.id), smpp_logins.get("acme")
        assert account is not None
        assert login is not None
        assert account.listens
        assert login.opens_ms == login.created_ms + 5_000  # for so long others may remember the account as it was
        assert told["version"] == 1
        opened(world, "acme2")
        second = smpp_logins.get("acme2")
        assert second is not None
        assert second.opens_ms == second.created_ms

    def test_a_change_of_the_account_leaves_it_listening(self, world: World) -> None:
        opened(world)
        world.as_admin("PUT", f"/v1/admin/accounts/{ACCOUNT.id}", {"name": "One", "version": 2})
        account = accounts.get(ACCOUNT.id)
        assert account is not None
        assert account.listens

    def test_a_system_id_is_one_logins_for_ever(self, world: World) -> None:
        opened(world)
        world.customer(msgspec.structs.replace(ACCOUNT, id="acc_two"), 0)
        for account in (ACCOUNT.id, "acc_two"):
            again = world.as_admin(
                "POST", f"/v1/admin/accounts/{account}/smpp-logins", {"name": "x", "system_id": "acme"}
            )
            assert (again.status_code, again.json_body["code"]) == (409, "already_exists")
        assert world.as_admin("DELETE", f"{LOGINS}/acme").json_body == {"id": "acme"}
        other = world.as_admin("POST", "/v1/admin/accounts/acc_two/smpp-logins", {"name": "x", "system_id": "acme"})
        assert other.json_body["code"] == "already_exists"
        assert opened(world, name="anew")["version"] == 3

    def test_a_closed_one_is_told_of_but_can_do_nothing(self, world: World) -> None:
        opened(world)
        session = bound(world)
        world.as_admin("DELETE", f"{LOGINS}/acme")
        assert esme_sessions.beat(session, 0, Traffic(), world.now_ms())
        assert world.as_admin("GET", f"{LOGINS}/acme").json_body["state"] == "closed"
        change = {"name": "x", "version": 2}
        assert world.as_admin("PUT", f"{LOGINS}/acme", change).status_code == 404
        assert world.as_admin("POST", f"{LOGINS}/acme/rotate-password", {}).status_code == 404
        assert world.as_admin("DELETE", f"{LOGINS}/acme").status_code == 404

    def test_none_is_opened_for_no_account(self, world: World) -> None:
        path = "/v1/admin/accounts/acc_no/smpp-logins"
        assert world.as_admin("POST", path, {"name": "x", "system_id": "acme"}).status_code == 404
        assert world.as_admin("GET", path).status_code == 404
        assert smpp_logins.get("acme") is None

    def test_a_change_keeps_password_account_and_age(self, world: World) -> None:
        told = opened(world)
        before = smpp_logins.get("acme")
        changed = world.as_admin("PUT", f"{LOGINS}/acme", {"name": "new", "per_second": 5, "version": 1}).json_body
        assert (changed["name"], changed["per_second"], changed["version"]) == ("new", 5, 2)
        after = smpp_logins.get("acme")
        assert before is not None
        assert after == msgspec.structs.replace(before, name="new", per_second=5.0)
        assert is_password(told["password"], after.password_hash)
        late = world.as_admin("PUT", f"{LOGINS}/acme", {"name": "late", "version": 1})
        assert (late.status_code, late.json_body["code"]) == (409, "version_conflict")

    def test_a_suspended_one_is_unbound(self, world: World) -> None:
        opened(world)
        session = bound(world)
        world.as_admin("PUT", f"{LOGINS}/acme", {"name": "n", "version": 1})
        assert not esme_sessions.beat(session, 0, Traffic(), world.now_ms())
        world.as_admin("PUT", f"{LOGINS}/acme", {"name": "n", "state": "suspended", "version": 2})
        assert esme_sessions.beat(session, 0, Traffic(), world.now_ms())

    def test_a_new_password_takes_the_place_of_the_old(self, world: World) -> None:
        first = opened(world)["password"]
        session = bound(world)
        second = world.as_admin("POST", f"{LOGINS}/acme/rotate-password", {}).json_body
        held = smpp_logins.get("acme")
        assert held is not None
        assert is_password(second["password"], held.password_hash)
        assert not is_password(first, held.password_hash)
        assert second["version"] == 2
        assert not esme_sessions.beat(session, 0, Traffic(), world.now_ms())
        world.as_admin("POST", f"{LOGINS}/acme/rotate-password", {"unbind_sessions": True})
        assert esme_sessions.beat(session, 0, Traffic(), world.now_ms())

    @pytest.mark.parametrize(
        ("settings", "pointer"),
        [
            ({"system_id": "a b"}, "/system_id"),
            ({"system_id": "a" * 16}, "/system_id"),
            ({"window": 0}, "/window"),
            ({"max_sessions": 101}, "/max_sessions"),
            ({"per_second": 0}, "/per_second"),
            ({"ip_rules": ["203.0.113.0/24", "10.1.2.3/8"]}, "/ip_rules/1"),
            ({"ip_rules": ["everywhere"]}, "/ip_rules/0"),
            ({"password": "chosen"}, "/password"),
            ({"mode": "simulated"}, "/mode"),
        ],
    )
    def test_settings_that_make_no_sense_are_refused(
        self, world: World, settings: dict[str, Any], pointer: str
    ) -> None:
        body = {"name": "x", "system_id": "acme", **settings}
        answer = world.as_admin("POST", f"/v1/admin/accounts/{ACCOUNT.id}/smpp-logins", body)
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json_body["errors"]] == [pointer]
        assert smpp_logins.get("acme") is None

    def test_an_opening_that_died_half_way_is_done_again(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        def dies(_: SmppLogin) -> bool:
            raise dynamo.Overloaded("busy")

        body = {"name": "x", "system_id": "acme"}
        with monkeypatch.context() as patched:
            patched.setattr(smpp_logins, "create", dies)
            answer = world.as_admin("POST", f"/v1/admin/accounts/{ACCOUNT.id}/smpp-logins", body)
            assert (answer.status_code, answer.json_body["code"]) == (503, "unavailable")
        assert smpp_logins.get("acme") is None
        cached.forget_all()
        assert opened(world)["password"]

    def test_what_is_set_is_what_a_login_has(self) -> None:
        kept_by_the_service = {"system_id", "account", "password_hash", "created_ms", "opens_ms", "state"}
        assert set(SmppLogin.__struct_fields__) == set(LoginSettings.__struct_fields__) | kept_by_the_service


class TestSessions:
    def test_an_administrator_sees_who_is_bound_from_where_with_what_rates(self, world: World) -> None:
        opened(world)
        opened(world, "acme2")
        bound(world)
        bound(world, "acme2", "ses_2")
        (of_login,) = world.as_admin("GET", f"{LOGINS}/acme/sessions").json_body["data"]
        everybodys = world.as_admin("GET", "/v1/admin/smpp-sessions").json_body["data"]
        assert {session["id"] for session in everybodys} == {"ses_1", "ses_2"}
        assert of_login in everybodys
        told = {name: of_login[name] for name in ("account", "address", "bind", "bridge", "interface_version", "tls")}
        assert told == {
            "account": ACCOUNT.id,
            "address": "203.0.113.7",
            "bind": "transceiver",
            "bridge": "bridge_1",
            "interface_version": "3.3",
            "tls": False,
        }
        assert of_login["traffic"]["submits"] == 7
        assert of_login["traffic"]["submits_per_second"] == 0.7

    def test_a_session_is_unbound_at_its_next_beat_and_no_other(self, world: World) -> None:
        opened(world)
        one, two = bound(world), bound(world, session="ses_2")
        path = f"{LOGINS}/acme/sessions/ses_1/unbind"
        for _ in range(2):
            answer = world.as_admin("POST", path)
            assert (answer.status_code, answer.json_body["unbinding"]) == (200, True)
        assert esme_sessions.beat(one, 0, Traffic(), world.now_ms())
        assert not esme_sessions.beat(two, 1, Traffic(), world.now_ms())
        esme_sessions.release(one, 0)
        gone = world.as_admin("POST", path)
        assert (gone.status_code, gone.json_body["code"]) == (404, "not_found")

    def test_a_customer_sees_its_own_and_not_which_bridge_has_them(self, world: World) -> None:
        opened(world)
        bound(world)
        other = world.customer(msgspec.structs.replace(ACCOUNT, id="acc_two"), 0)
        (own,) = world.call("GET", "/v1/account/smpp-sessions").json_body["data"]
        assert (own["id"], own["system_id"]) == ("ses_1", "acme")
        assert "bridge" not in own
        assert world.call("GET", "/v1/account/smpp-sessions", key=other).json_body["data"] == []

    def test_sessions_of_no_login_are_none(self, world: World) -> None:
        assert world.as_admin("GET", f"{LOGINS}/nobody/sessions").status_code == 404
        assert world.as_admin("POST", f"{LOGINS}/nobody/sessions/ses_1/unbind").status_code == 404
