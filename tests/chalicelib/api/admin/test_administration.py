"""Accounts, keys, credits, gateways, routes, numbering plan and publishing, as an administrator does them."""

from typing import Any

import msgspec
import pytest

from chalicelib.api.admin.gateways import GatewaySettings
from chalicelib.domain.rules import Gateway
from chalicelib.store import cached, queues, rules, secrets
from tests.chalicelib.api.world import NUMBER, World

GATEWAY = {"id": "movistar-es", "name": "Movistar", "host": "smsc.example", "port": 2775, "system_id": "chasqui"}
LINES = [
    {"prefix": "346", "country": "ES", "operator": "Movistar ES"},
    {"prefix": "52", "country": "MX", "operator": "X"},
]


def opened(world: World, **settings: Any) -> dict[str, Any]:
    answer = world.as_admin("POST", "/v1/admin/accounts", {"name": "Acme", **settings})
    assert answer.status_code == 201, answer.body
    return dict(answer.json_body)


class TestAccounts:
    def test_one_is_opened_with_nothing_and_read_back(self, world: World) -> None:
        told = opened(world, default_region="MX", max_parts=2)
        assert (told["balance"], told["version"], told["max_parts"], told.pop("owner")) == ("0", 1, 2, None)
        assert world.as_admin("GET", f"/v1/admin/accounts/{told['id']}").json_body == told

    def test_a_change_is_made_from_the_version_that_was_read(self, world: World) -> None:
        told = opened(world)
        path = f"/v1/admin/accounts/{told['id']}"
        changed = world.as_admin("PUT", path, {"name": "Acme SA", "version": 1}).json_body
        assert (changed["name"], changed["version"], changed["created_at"]) == ("Acme SA", 2, told["created_at"])
        late = world.as_admin("PUT", path, {"name": "Acme Ltd", "version": 1})
        assert (late.status_code, late.json_body["code"]) == (409, "version_conflict")
        assert world.as_admin("GET", path).json_body["name"] == "Acme SA"

    def test_all_are_listed_with_what_they_have_page_by_page(self, world: World) -> None:
        expected = [opened(world, first_credit=f"{number}.5")["id"] for number in range(4)] + [world.account.id]
        seen: dict[str, str] = {}
        cursor = ""
        while True:
            page = world.as_admin("GET", f"/v1/admin/accounts?limit=2{cursor}").json_body
            seen |= {account["id"]: account["balance"] for account in page["data"]}
            if not page["next_cursor"]:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert seen == dict(zip(expected, ("0.5", "1.5", "2.5", "3.5", "10"), strict=True))

    def test_a_credit_limit_is_available_without_being_owned(self, world: World) -> None:
        told = opened(world)
        path = f"/v1/admin/accounts/{told['id']}/credit-limit"
        limited = world.as_admin("PUT", path, {"credit_limit": "5.5"}).json_body
        assert (limited["balance"], limited["credit_limit"], limited["available"]) == ("0", "5.5", "5.5")

    @pytest.mark.parametrize(
        ("settings", "pointer"),
        [
            ({"default_sender": "much too long a name"}, "/default_sender"),
            ({"default_gateway": "sim"}, "/default_price"),
            ({"max_parts": 256}, "/max_parts"),
            ({"default_price": "-1"}, "/default_price"),
            ({"default_price": 1}, "/default_price"),
            ({"default_region": "ES\n"}, "/default_region"),
            ({"balance": "10"}, "/balance"),
        ],
    )
    def test_settings_that_make_no_sense_are_refused(
        self, world: World, settings: dict[str, Any], pointer: str
    ) -> None:
        answer = world.as_admin("POST", "/v1/admin/accounts", {"name": "Acme", **settings})
        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json_body["errors"]] == [pointer]

    def test_a_suspended_account_reads_but_does_not_send_and_a_closed_one_is_out(self, world: World) -> None:
        path = f"/v1/admin/accounts/{world.account.id}"
        world.as_admin("PUT", path, {"name": "One", "state": "suspended", "version": 1})
        cached.forget_all()
        assert world.send().json_body["code"] == "account_suspended"
        assert world.call("GET", "/v1/account").status_code == 200
        world.as_admin("PUT", path, {"name": "One", "state": "closed", "version": 2})
        cached.forget_all()
        assert world.call("GET", "/v1/account").json_body["code"] == "account_closed"


class TestKeys:
    def test_a_key_works_until_it_is_revoked_and_is_told_once(self, world: World) -> None:
        account = opened(world)["id"]
        issued = world.as_admin("POST", f"/v1/admin/accounts/{account}/keys", {"name": "shop"}).json_body
        assert issued["key"].startswith("chq_live_")
        assert world.call("GET", "/v1/account", key=issued["key"]).json_body["id"] == account
        listed = world.as_admin("GET", f"/v1/admin/accounts/{account}/keys")
        assert [key["id"] for key in listed.json_body["data"]] == [issued["id"]]
        assert issued["key"].rpartition("_")[2].encode() not in listed.body
        revoked = world.as_admin("POST", f"/v1/admin/keys/{issued['id']}/revoke").json_body
        assert revoked["revoked_at"]
        assert world.call("GET", "/v1/account", key=issued["key"]).json_body["code"] == "invalid_api_key"

    def test_administrators_issue_keys_to_each_other(self, world: World) -> None:
        issued = world.as_admin("POST", "/v1/admin/keys", {"name": "Ana"}).json_body
        listed = world.call("GET", "/v1/admin/keys", key=issued["key"]).json_body["data"]
        assert issued["id"] in {key["id"] for key in listed if key["role"] == "admin"}

    def test_a_key_for_no_account_is_not_issued(self, world: World) -> None:
        assert world.as_admin("POST", "/v1/admin/accounts/acc_no/keys", {"name": "x"}).status_code == 404
        assert world.as_admin("GET", "/v1/admin/accounts/acc_no/keys").status_code == 404


class TestCredits:
    def test_credit_is_granted_and_taken_back_and_each_is_a_line_of_the_ledger(self, world: World) -> None:
        account = opened(world)["id"]
        path = f"/v1/admin/accounts/{account}"
        world.as_admin("POST", f"{path}/credits", {"amount": "100.5", "why": "invoice 7"})
        world.as_admin("POST", f"{path}/credits", {"amount": "-0.5", "why": "a mistake"})
        assert world.as_admin("GET", path).json_body["balance"] == "100"
        lines = world.as_admin("GET", f"{path}/ledger").json_body["data"]
        assert [(line["kind"], line["amount"], line["why"]) for line in lines] == [
            ("adjustment", "-0.5", "a mistake"),
            ("grant", "100.5", "invoice 7"),
        ]

    def test_the_same_key_grants_once(self, world: World) -> None:
        path = f"/v1/admin/accounts/{world.account.id}/credits"
        once = {"Idempotency-Key": "invoice-7"}
        first = world.as_admin("POST", path, {"amount": "1", "why": "x"}, headers=once)
        second = world.as_admin("POST", path, {"why": "x", "amount": "1.00"}, headers=once)
        other = world.as_admin("POST", path, {"amount": "2", "why": "x"}, headers=once)
        assert first.json_body == second.json_body
        assert (other.status_code, other.json_body["code"]) == (422, "idempotency_key_reused")
        assert world.call("GET", "/v1/account").json_body["balance"] == "11"

    @pytest.mark.parametrize("amount", ["0", "1e3", "1.0000001", "+1", " 1", "", "9999999999999", "1\n"])
    def test_what_is_no_amount_moves_nothing(self, world: World, amount: str) -> None:
        path = f"/v1/admin/accounts/{world.account.id}/credits"
        answer = world.as_admin("POST", path, {"amount": amount, "why": "x"})
        assert (answer.status_code, answer.json_body["errors"][0]["pointer"]) == (422, "/amount")
        assert world.call("GET", "/v1/account").json_body["balance"] == "10"

    def test_an_account_that_is_not_there_gets_nothing(self, world: World) -> None:
        answer = world.as_admin("POST", "/v1/admin/accounts/acc_no/credits", {"amount": "1", "why": "x"})
        assert answer.json_body["code"] == "not_found"


class TestGateways:
    def test_one_is_created_with_its_secret_and_queues_and_the_secret_is_never_told(self, world: World) -> None:
        answer = world.as_admin("POST", "/v1/admin/gateways", {**GATEWAY, "password": "s3cret"})
        assert (answer.status_code, answer.json_body["version"], answer.json_body["window"]) == (201, 1, 100)
        assert b"s3cret" not in answer.body + world.as_admin("GET", "/v1/admin/gateways/movistar-es").body
        assert secrets.get(secrets.gateway_password("movistar-es")) == "s3cret"
        for name in ("gateway-movistar-es", "gateway-movistar-es-bulk"):
            assert queues.url(name)

    def test_a_second_of_the_same_id_takes_nothing_over(self, world: World) -> None:
        world.as_admin("POST", "/v1/admin/gateways", {**GATEWAY, "password": "s3cret"})
        again = world.as_admin("POST", "/v1/admin/gateways", {**GATEWAY, "password": "other"})
        assert again.json_body["code"] == "already_exists"
        assert secrets.get(secrets.gateway_password("movistar-es")) == "s3cret"

    def test_a_change_keeps_the_password_unless_one_is_given(self, world: World) -> None:
        world.as_admin("POST", "/v1/admin/gateways", {**GATEWAY, "password": "s3cret"})
        body = {name: value for name, value in GATEWAY.items() if name != "id"} | {"window": 10, "version": 1}
        changed = world.as_admin("PUT", "/v1/admin/gateways/movistar-es", body).json_body
        assert (changed["window"], changed["version"]) == (10, 2)
        assert secrets.get(secrets.gateway_password("movistar-es")) == "s3cret"
        assert world.as_admin("PUT", "/v1/admin/gateways/movistar-es", body).json_body["code"] == "version_conflict"
        world.as_admin("PUT", "/v1/admin/gateways/movistar-es", {**body, "version": 2, "password": "new"})
        assert secrets.get(secrets.gateway_password("movistar-es")) == "new"

    def test_one_that_a_route_leads_to_is_not_deleted(self, world: World) -> None:
        world.as_admin("POST", "/v1/admin/gateways", {**GATEWAY, "password": "s3cret"})
        route = {"targets": [{"gateway": "movistar-es"}], "price": "0.05"}
        made = world.as_admin("POST", "/v1/admin/routes", route).json_body
        assert world.as_admin("DELETE", "/v1/admin/gateways/movistar-es").json_body["code"] == "in_use"
        assert world.as_admin("DELETE", f"/v1/admin/routes/{made['id']}").status_code == 200
        assert world.as_admin("DELETE", "/v1/admin/gateways/movistar-es").status_code == 200
        assert world.as_admin("GET", "/v1/admin/gateways/movistar-es").status_code == 404

    @pytest.mark.parametrize("identifier", ["a-bulk", "UPPER", "a#b", "a\n", ""])
    def test_an_id_that_its_queues_could_not_bear_is_refused(self, world: World, identifier: str) -> None:
        answer = world.as_admin("POST", "/v1/admin/gateways", {**GATEWAY, "id": identifier, "password": "x"})
        assert (answer.status_code, answer.json_body["errors"][0]["pointer"]) == (422, "/id")

    @pytest.mark.parametrize("password", ["", "nine char", "ñ", "a\n"])
    def test_a_password_that_no_bind_can_carry_is_refused_before_anything_is_made(
        self, world: World, password: str
    ) -> None:
        answer = world.as_admin("POST", "/v1/admin/gateways", {**GATEWAY, "password": password})
        assert (answer.status_code, answer.json_body["errors"][0]["pointer"]) == (422, "/password")
        assert world.as_admin("GET", "/v1/admin/gateways").json_body["data"] == []

    def test_settings_and_gateways_have_the_same_fields_and_defaults(self) -> None:
        settings = {field.name: field.default for field in msgspec.structs.fields(GatewaySettings)}
        gateway = {field.name: field.default for field in msgspec.structs.fields(Gateway) if field.name != "id"}
        assert settings == gateway


class TestRoutes:
    def test_one_is_created_changed_listed_and_deleted(self, world: World) -> None:
        body = {"targets": [{"gateway": "sim", "weight": 2}], "price": "0.0125", "country": "ES"}
        made = world.as_admin("POST", "/v1/admin/routes", body).json_body
        path = f"/v1/admin/routes/{made['id']}"
        assert (made["price"], made["targets"][0]) == ("0.0125", {"gateway": "sim", "priority": 0, "weight": 2})
        changed = world.as_admin("PUT", path, {**body, "price": "0.02", "state": "paused", "version": 1}).json_body
        assert (changed["price"], changed["version"]) == ("0.02", 2)
        assert world.as_admin("PUT", path, {**body, "version": 1}).json_body["code"] == "version_conflict"
        assert world.as_admin("GET", "/v1/admin/routes").json_body["data"] == [changed]
        assert world.as_admin("GET", path).json_body == changed
        assert world.as_admin("DELETE", path).json_body == {"id": made["id"]}
        assert world.as_admin("DELETE", path).status_code == 404


class TestNumbering:
    def test_lines_come_as_json_or_csv_over_those_there_are(self, world: World) -> None:
        assert world.as_admin("POST", "/v1/admin/numbering", LINES).json_body == {"lines": 2}
        text = "prefix,country,operator,mcc,mnc\r\n346,ES,Orange ES,214,03\r\n".encode("utf-8-sig")
        csv = {"Content-Type": "text/csv; charset=utf-8"}
        assert world.as_admin("POST", "/v1/admin/numbering", text, headers=csv).json_body == {"lines": 1}
        listed = world.as_admin("GET", "/v1/admin/numbering").json_body["data"]
        assert {line["prefix"]: line["operator"] for line in listed} == {"346": "Orange ES", "52": "X"}
        assert world.as_admin("DELETE", "/v1/admin/numbering/52").status_code == 200
        assert world.as_admin("DELETE", "/v1/admin/numbering/52").status_code == 404

    def test_each_bad_line_is_named_and_none_is_written(self, world: World) -> None:
        bad = [LINES[0], {**LINES[1], "prefix": "+52"}, {**LINES[1], "country": "mx", "mcc": "1"}, LINES[0]]
        answer = world.as_admin("POST", "/v1/admin/numbering", bad)
        assert answer.status_code == 422
        pointers = [error["pointer"] for error in answer.json_body["errors"]]
        assert pointers == ["/1/prefix", "/2/country", "/2/mcc", "/3/prefix"]
        assert world.as_admin("GET", "/v1/admin/numbering").json_body["data"] == []

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"prefix,operator\n346,X\n",
            b"prefix,country,operator,colour\n346,ES,X,red\n",
            b"prefix,country,operator\n346,ES\n",
            b"prefix,country,operator\n346,ES,X,Y\n",
            b"prefix,country,operator\n346,ES,\xff\n",
            b'prefix,country,operator\n346,ES,"X\n',
            b"prefix,country,operator\n34\x006,ES,X\n",
        ],
    )
    def test_what_is_no_csv_of_lines_is_refused(self, world: World, text: bytes) -> None:
        answer = world.as_admin("POST", "/v1/admin/numbering", text, headers={"Content-Type": "text/csv"})
        assert (answer.status_code, answer.json_body["code"]) == (422, "invalid_request")
        assert world.as_admin("GET", "/v1/admin/numbering").json_body["data"] == []


class TestPublishing:
    def test_what_is_edited_takes_effect_once_published_and_can_be_taken_back(self, world: World) -> None:
        world.as_admin("POST", "/v1/admin/gateways", {**GATEWAY, "password": "s3cret"})
        world.as_admin("POST", "/v1/admin/routes", {"targets": [{"gateway": "movistar-es"}], "price": "0.2"})
        world.as_admin("POST", "/v1/admin/numbering", LINES)
        assert world.send({"dry_run": True}).json_body["price"] == "0.05"
        published = world.as_admin("POST", "/v1/admin/rules/publish", {"note": "dearer"}).json_body
        assert (published["number"], published["route_count"], published["numbering_count"]) == (2, 1, 2)
        assert world.send({"dry_run": True}).json_body["price"] == "0.2"
        taken_back = world.as_admin("POST", "/v1/admin/rules/1/rollback", {}).json_body
        assert (taken_back["number"], taken_back["note"]) == (3, "as 1")
        assert world.send({"dry_run": True}).json_body["price"] == "0.05"
        listed = world.as_admin("GET", "/v1/admin/rules").json_body["data"]
        assert [one["number"] for one in listed] == [3, 2, 1]
        content = world.as_admin("GET", "/v1/admin/rules/2").json_body
        assert (content["gateways"][0]["id"], content["routes"][0]["price"]) == ("movistar-es", "0.2")
        assert world.as_admin("GET", "/v1/admin/rules/99").status_code == 404
        assert world.as_admin("POST", "/v1/admin/rules/99/rollback", {}).status_code == 404

    def test_a_route_to_no_gateway_or_one_twice_is_not_published(self, world: World) -> None:
        body = {"targets": [{"gateway": "nowhere"}], "price": "0.2"}
        made = [world.as_admin("POST", "/v1/admin/routes", body).json_body["id"] for _ in range(2)]
        answer = world.as_admin("POST", "/v1/admin/rules/publish", {})
        assert (answer.status_code, answer.json_body["code"]) == (422, "rules_invalid")
        pointers = sorted(error["pointer"] for error in answer.json_body["errors"])
        expected = [*(f"/routes/{route}/targets/0/gateway" for route in made), f"/routes/{max(made)}"]
        assert pointers == sorted(expected)
        assert rules.newest_number() == 1


def test_a_first_message_needs_nothing_but_these_operations(world: World) -> None:
    account = opened(world, default_sender="Acme")["id"]
    world.as_admin("POST", f"/v1/admin/accounts/{account}/credits", {"amount": "1", "why": "start"})
    key = world.as_admin("POST", f"/v1/admin/accounts/{account}/keys", {"name": "shop"}).json_body["key"]
    sent = world.call("POST", "/v1/messages", {"to": NUMBER, "text": "hola"}, key=key)
    assert (sent.status_code, sent.json_body["from"]) == (202, "Acme")
