"""The audit log over HTTPS: every change and refusal is in it, whatever dies; found by what it is about; no secrets."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from botocore.exceptions import EndpointConnectionError

from chalicelib.domain import ids
from chalicelib.domain import trail as facts
from chalicelib.domain.trail import Actor, Doing, TrailFact
from chalicelib.services import keep_forwards, limit_rate, record_change
from chalicelib.services.record_change import REPEATED_MS
from chalicelib.settings import settings
from chalicelib.store import accounts, aws, rule_rows, trail
from infra import admin_key
from infra.grants import GRANTS
from tests.chalicelib.api.callers import impersonator, logged_in, person, user_id
from tests.chalicelib.api.world import ACCOUNT, NUMBER, World

ROUTE = {"targets": [{"gateway": "real"}], "price": "0.05"}
GATEWAY = {"id": "gw", "name": "G", "host": "smsc.example", "port": 2775, "system_id": "x", "password": "hush-me"}


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    record_change.forget_all()
    limit_rate.forget_all()
    yield
    record_change.forget_all()


def log(world: World, **filters: Any) -> list[dict[str, Any]]:
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    answer = world.as_admin("GET", f"/v1/admin/audit?{query}")
    assert answer.status_code == 200, answer.json_body
    return list(answer.json_body["data"])


def raw() -> list[dict[str, Any]]:
    """All that is in the table."""
    return list(aws.client("dynamodb").scan(TableName=f"{settings().prefix}-audit")["Items"])


def down(*_: object) -> None:
    raise EndpointConnectionError(endpoint_url="x")


class TestChanges:
    def test_a_change_says_who_what_before_after_and_from_where(self, world: World) -> None:
        billing = person(world, "billing")
        key = logged_in(world, billing)
        made = world.as_admin("POST", "/v1/admin/routes", ROUTE).json_body
        body = {**ROUTE, "price": "0.06", "version": made["version"]}
        answer = world.call("PUT", f"/v1/admin/routes/{made['id']}", body, key=key)
        assert answer.status_code == 200
        changed, created = log(world, subject=f"route/{made['id']}")
        assert changed == {
            "id": changed["id"],
            "at": changed["at"],
            "who": f"user:{billing.id}",
            "role": "billing",
            "impersonated_by": None,
            "operation": "change_a_route",
            "outcome": "done",
            "code": None,
            "account": None,
            "subject": f"route/{made['id']}",
            "before": {"price_micros": 50_000},
            "after": {"price_micros": 60_000},
            "more_changes": 0,
            "address": "127.0.0.1",
            "request_id": answer.headers["X-Request-Id"],
        }
        assert (created["operation"], created["before"], created["after"]["id"]) == ("create_a_route", None, made["id"])

    def test_what_is_made_for_an_account_is_found_by_it_also_where_the_path_does_not_say_whose_it_is(
        self, world: World
    ) -> None:
        made = world.as_admin("POST", f"/v1/admin/accounts/{ACCOUNT.id}/keys", {"name": "k"}).json_body
        world.as_admin("POST", f"/v1/admin/keys/{made['id']}/revoke")
        told = log(world, account=ACCOUNT.id, subject=f"key/{made['id']}")
        assert [one["operation"] for one in told] == ["revoke_key", "issue_key"]
        assert told[0]["before"] == {"revoked_ms": None}

    def test_what_fails_is_noted_with_its_code(self, world: World) -> None:
        assert world.as_admin("POST", "/v1/admin/gateways", GATEWAY).status_code == 201
        assert world.as_admin("POST", "/v1/admin/gateways", GATEWAY).status_code == 409
        failed, done = log(world, operation="create_a_gateway")
        assert (failed["outcome"], failed["code"], done["outcome"]) == ("failed", "already_exists", "done")
        assert world.as_admin("POST", "/v1/admin/gateways", {"id": "x"}).status_code == 422  # it was no request yet
        assert len(log(world, operation="create_a_gateway")) == 2

    def test_a_repeated_request_says_that_nothing_moved_again(self, world: World) -> None:
        for _ in range(2):
            body = {"amount": "5", "why": "invoice 7"}
            headers = {"Idempotency-Key": "seven"}
            answer = world.as_admin("POST", f"/v1/admin/accounts/{ACCOUNT.id}/credits", body, headers=headers)
            assert answer.status_code == 201
        again, first = log(world, account=ACCOUNT.id, operation="grant_credits")
        assert first["subject"] == again["subject"]
        assert (first["after"]["repeated"], again["after"]["repeated"]) == (False, True)

    def test_what_cannot_be_noted_is_not_done(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(trail, "put", down)
        answer = world.as_admin("POST", "/v1/admin/gateways", GATEWAY)
        assert (answer.status_code, answer.json_body["code"]) == (503, "unavailable")
        assert rule_rows.gateways.get("gw") is None

    @pytest.mark.parametrize("error", [EndpointConnectionError(endpoint_url="x"), KeyboardInterrupt()])
    def test_what_was_done_stays_done_where_its_end_cannot_be_noted_and_is_told_as_unfinished(
        self, world: World, monkeypatch: pytest.MonkeyPatch, error: BaseException
    ) -> None:
        def dies(*_: object) -> None:
            raise error

        monkeypatch.setattr(trail, "put_all", dies)
        if isinstance(error, KeyboardInterrupt):  # as where the process is killed
            with pytest.raises(KeyboardInterrupt):
                world.as_admin("POST", "/v1/admin/gateways", GATEWAY)
        else:
            assert world.as_admin("POST", "/v1/admin/gateways", GATEWAY).status_code == 201
        assert rule_rows.gateways.get("gw") is not None
        assert [one["outcome"] for one in log(world, operation="create_a_gateway")] == ["unfinished"]
        assert log(world, outcome="unfinished", who=f"key:{world.admin.split('_')[2]}")
        assert log(world, outcome="done") == []

    def test_a_fault_of_ours_is_noted_as_failed_with_what_was_changed_before_it(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("chalicelib.services.keep_gateway.made_queues.create_gateway_queues", down)
        assert world.as_admin("POST", "/v1/admin/gateways", GATEWAY).status_code == 503
        (told,) = log(world, operation="create_a_gateway")
        assert (told["outcome"], told["subject"], told["after"]["id"]) == ("failed", "gateway/gw", "gw")

    def test_no_secret_text_name_or_whole_number_is_in_the_log(self, world: World) -> None:
        contact = {"number": NUMBER, "name": "Ana Lopez", "attributes": {"plan": "gold-plan"}}
        login = {"name": "x", "system_id": "acme"}
        words = [{"language": "es", "leave": ["FUERA"], "come_back": ["VUELVO"], "left_text": "adios amiga"}]
        secrets = [
            world.as_admin("POST", f"/v1/admin/accounts/{ACCOUNT.id}/keys", {"name": "k"}).json_body["key"],
            world.call("POST", "/v1/webhooks", {"url": "https://me:pw@x.example/?token=hush"}).json_body.get("secret"),
            world.as_admin("POST", f"/v1/admin/accounts/{ACCOUNT.id}/smpp-logins", login).json_body["password"],
        ]
        asked = [
            world.as_admin("POST", "/v1/admin/gateways", GATEWAY),
            world.call("POST", "/v1/contacts", contact),
            world.call("DELETE", f"/v1/contacts/{NUMBER}"),
            world.call("POST", "/v1/opt-outs", {"number": NUMBER}),
            world.call("PUT", "/v1/opt-outs/keywords", {"languages": words}),
            world.as_admin("POST", "/v1/admin/dnd", {"number": NUMBER}),
            world.call("POST", "/v1/jobs", {"text": "secret text", "recipients": [{"to": NUMBER}], "dry_run": True}),
        ]
        assert [one.status_code for one in asked if one.status_code >= 400] == []
        kept = str(raw())
        assert len(raw()) >= 2 * (len(asked) + 2)
        for hidden in (*filter(None, secrets), "hush", "secret text", "Ana", "gold-plan", "adios", NUMBER, NUMBER[1:]):
            assert hidden not in kept, hidden


class TestSending:
    def test_a_message_sent_costs_no_entry_but_a_refusal_does_once(self, world: World) -> None:
        assert world.send().status_code == 202
        assert world.send({"dry_run": True}).status_code == 200
        assert raw() == []
        row = accounts.versioned(ACCOUNT.id)
        assert row is not None
        accounts.change(ACCOUNT.id, row.version, msgspec.structs.replace(row.value, state="suspended"))
        for _ in range(5):
            assert world.send().json_body["code"] == "account_suspended"
        (told,) = log(world, account=ACCOUNT.id)
        assert (told["outcome"], told["code"], told["operation"]) == ("refused", "account_suspended", "send_message")

    def test_a_stranger_and_another_accounts_id_write_nothing(self, world: World) -> None:
        for key in ("", "nonsense", "chq_admin_x_y"):
            assert world.call("GET", "/v1/admin/accounts", key=key).status_code == 401
        assert world.call("POST", "/v1/login", {"email": "a@example.com", "password": "x"}).status_code == 401
        assert world.call("GET", "/v1/messages/msg_01ARZ3NDEKTSV4RRFFQ69G5FAV").status_code == 404
        assert raw() == []


class TestLinks:
    def test_a_reader_who_follows_a_mails_link_is_named_and_a_made_up_link_writes_nothing(self, world: World) -> None:
        asked = {"modules": ["credits"], "address": "reader@example.com"}
        forward = world.call("POST", "/v1/forwards", asked).json_body["id"]
        token = keep_forwards.mint(ACCOUNT.id, forward, world.now_ms())
        assert token is not None
        before = len(raw())
        made_up = {"token": token[:-4] + "AAAA"}
        assert world.call("POST", "/v1/mail-links/confirm", made_up, key="").status_code == 404
        assert len(raw()) == before
        assert world.call("POST", "/v1/mail-links/confirm", {"token": token}, key="").status_code == 200
        (told,) = log(world, who=f"forward:{forward}")
        assert (told["account"], told["role"], told["after"]["state"]) == (ACCOUNT.id, "reader", "confirmed")
        assert token.split(".")[-1] not in str(raw())


class TestCommands:
    def test_the_first_administrators_key_is_in_the_log_with_who_made_it(
        self, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("sys.argv", ["admin_key", "Ana, operations"])
        monkeypatch.setenv("LOGNAME", "ana")
        admin_key.main()
        key = capsys.readouterr().out.strip()
        (told,) = log(world, who="command:ana")
        assert (told["operation"], told["after"]["name"]) == ("admin_key", "Ana, operations")
        assert world.call("GET", "/v1/admin/accounts", key=key).status_code == 200


class TestImpersonation:
    def test_all_that_is_done_in_an_accounts_place_names_the_administrator_what_is_only_read_too(
        self, world: World
    ) -> None:
        key = impersonator(world)
        assert world.call("POST", "/v1/groups", {"name": "g"}, key=key).status_code == 201
        assert world.send(key=key).status_code == 202
        assert world.call("GET", "/v1/account", key=key).status_code == 200
        told = log(world, who=f"user:{user_id('support')}", impersonated="true")
        assert [one["operation"] for one in told] == ["read_own_account", "send_message", "create_group"]
        for one in told:
            assert (one["impersonated_by"], one["account"], one["role"]) == (one["who"], ACCOUNT.id, "owner")
        assert log(world, account=ACCOUNT.id, impersonated="false") == []


class TestRefusals:
    def doing(self, at_ms: int, operation: str, who: str = "key:x") -> Doing:
        actor = Actor(who=who, role="key")
        return Doing(id=ids.new_ulid(at_ms), at_ms=at_ms, actor=actor, operation=operation, account=None)

    def test_the_same_refusal_is_noted_again_only_after_a_while_and_each_actor_has_its_bound(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now_ms = world.now_ms()
        for after_ms in (0, 1, REPEATED_MS - 1, REPEATED_MS, REPEATED_MS + 1):
            record_change.refused(self.doing(now_ms + after_ms, "a"), "forbidden")
        assert len(raw()) == 2
        monkeypatch.setattr(record_change, "REFUSALS_BURST", 5)
        for number in range(10):
            record_change.refused(self.doing(now_ms, f"op_{number}", "key:loud"), "forbidden")
        record_change.refused(self.doing(now_ms, "a", "key:quiet"), "forbidden")
        by_who = [item["who"]["S"] for item in raw()]
        assert by_who.count("key:loud") == 5
        assert by_who.count("key:quiet") == 1

    def test_a_refusal_that_cannot_be_noted_is_still_a_refusal(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(trail, "put", down)
        assert world.call("GET", "/v1/admin/accounts").json_body["code"] == "wrong_role"

    def test_what_a_path_says_is_not_trusted(self, world: World) -> None:
        for path in ("x" * 5_000, "%00%0a", "ñ%20"):
            assert world.call("GET", f"/v1/admin/accounts/{path}").status_code == 403
        assert len(raw()) == 1
        record_change.forget_all()
        assert world.call("GET", f"/v1/admin/accounts/{'x' * 5_000}/ledger").status_code == 403
        assert all(len(item["subject"]["S"]) < 120 for item in raw())


class TestAppendOnly:
    def test_a_fact_stays_as_it_was_first_written(self, world: World) -> None:
        actor = Actor(who="key:x", role="key")
        doing = Doing(id=ids.new_ulid(1), at_ms=1, actor=actor, operation="a", account=None)
        trail.put(facts.begun(doing))
        trail.put(facts.begun(msgspec.structs.replace(doing, operation="b")))
        (item,) = raw()
        assert msgspec.json.decode(item["body"]["S"], type=TrailFact).operation == "a"

    def test_no_function_may_change_or_delete_what_is_in_the_log(self) -> None:
        for function, grants in GRANTS.items():
            for grant in grants:
                tables = {name.split("/")[0] for name in grant.resources} if grant.service == "dynamodb" else set()
                if tables & {"audit", "*"}:
                    assert set(grant.actions) <= {"PutItem", "Query"}, function
        public: dict[str, Callable[..., Any]] = {name: held for name, held in vars(trail).items() if callable(held)}
        assert not [name for name in public if name.startswith(("delete", "update", "change", "forget"))]
