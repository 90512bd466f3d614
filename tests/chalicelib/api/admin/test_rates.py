"""Rate plans and costs as an administrator keeps them: what accounts pay by them, and what is refused below cost."""

from typing import Any

import msgspec
import pytest
from pynamodb.transactions import TransactWrite

from chalicelib import wire
from chalicelib.domain.usage import UsageLine, slot_at
from chalicelib.services import keep_tariffs, refuse_losses, tell_price_changes
from chalicelib.store import cached, dynamo, queues, rule_rows, usage
from chalicelib.store.queues import Undelivered
from tests.chalicelib.api.world import GATEWAYS, NUMBERING, ROUTES, World
from tests.chalicelib.services import world as steps

PLAN = "/v1/admin/rate-plans/resellers"
PRICES = [
    {"country": "ES", "operator": "Movistar ES", "price": "0.03"},
    {"country": "ES", "price": "0.02"},
]


@pytest.fixture
def edited(world: World) -> World:
    """The rules as rows, too, and a rate plan with prices among them; nothing of it is published."""
    for gateway in GATEWAYS:
        rule_rows.gateways.put(gateway)
    rule_rows.routes.put(ROUTES[0])
    rule_rows.numbering.put(NUMBERING[0])
    assert world.as_admin("POST", "/v1/admin/rate-plans", {"id": "resellers", "name": "Resellers"}).status_code == 201
    assert world.as_admin("POST", f"{PLAN}/prices", PRICES).json_body["lines"] == 2
    return world


def publish(world: World, **body: Any) -> Any:
    return world.as_admin("POST", "/v1/admin/rules/publish", body)


def put_on_plan(world: World, **settings: Any) -> Any:
    path = f"/v1/admin/accounts/{world.account.id}"
    version = world.as_admin("GET", path).json_body["version"]
    body = {"name": "One", "default_sender": "Chasqui", "rate_plan": "resellers", "version": version, **settings}
    answer = world.as_admin("PUT", path, body)
    cached.forget_all()
    return answer


def faults(answer: Any) -> tuple[int, str, list[str]]:
    body = answer.json_body
    return answer.status_code, body["code"], [error["pointer"] for error in body["errors"]]


def told(kind: str) -> list[dict[str, str]]:
    """What accounts are told by mail since it was last asked."""
    notices = [one.notice for one in steps.waiting(queues.MAILS) if isinstance(one, wire.MailBundle)]
    return [notice.values for notice in notices if notice is not None and notice.kind == kind]


def test_an_account_pays_by_its_plan_once_that_is_published_and_hears_of_changes(edited: World) -> None:
    assert faults(put_on_plan(edited)) == (422, "invalid_request", ["/rate_plan"])
    assert publish(edited).json_body["rate_plan_count"] == 1
    assert put_on_plan(edited).json_body["rate_plan"] == "resellers"
    (first,) = told("price_changed")
    assert first["plan"] == "Resellers"
    assert first["changes_lines"].startswith("ES *: – → 0.02 (")
    assert edited.send({"dry_run": True}).json_body["price"] == "0.03"

    later = {"country": "ES", "operator": "Movistar ES", "price": "0.035", "effective_from": "2099-01-01T00:00:00Z"}
    assert edited.as_admin("POST", f"{PLAN}/prices", [later]).json_body["lines"] == 3
    assert told("price_changed") == []
    publish(edited)
    assert [one["changes_lines"] for one in told("price_changed")] == [
        "ES Movistar ES: 0.03 → 0.035 (2099-01-01 00:00 UTC)"
    ]
    publish(edited)
    assert told("price_changed") == []  # nothing is another one than it was
    assert edited.send({"dry_run": True}).json_body["price"] == "0.03"
    assert edited.as_admin("DELETE", PLAN).json_body["code"] == "in_use"


def test_an_account_hears_of_its_routes_prices_where_it_pays_by_them(edited: World) -> None:
    other = {"name": "Other", "default_sender": "Other"}
    assert edited.as_admin("POST", "/v1/admin/accounts", other).status_code == 201
    publish(edited)
    assert told("price_changed") == []
    row = rule_rows.routes.get(ROUTES[0].id)
    assert row is not None
    dearer = msgspec.structs.replace(row.value, price_micros=70_000)
    assert rule_rows.routes.put(dearer)
    publish(edited)  # of both: neither has a plan
    assert [one["changes_lines"].partition(" (")[0] for one in told("price_changed")] == ["ES *: 0.05 → 0.07"] * 2
    own = {"country": "ES", "operator": "Movistar ES", "targets": [{"gateway": GATEWAYS[0].id}], "price": "0.06"}
    assert edited.as_admin("POST", f"/v1/admin/accounts/{edited.account.id}/routes", own).status_code == 201
    publish(edited)
    (line,) = [one["changes_lines"] for one in told("price_changed")]
    assert line.startswith("ES Movistar ES: 0.07 → 0.06 (")
    put_on_plan(edited)
    told("price_changed")
    assert rule_rows.routes.put(row.value, expected=2)
    publish(edited)  # the plan goes before the route that all share
    assert len(told("price_changed")) == 1


def test_prices_are_published_even_where_nobody_can_be_told(edited: World, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(edited)
    assert put_on_plan(edited).status_code == 200
    edited.as_admin("POST", f"{PLAN}/prices", [{"country": "ES", "operator": "Movistar ES", "price": "0.01"}])

    def undelivered(*_: object) -> None:
        raise Undelivered("no queue today")

    monkeypatch.setattr(tell_price_changes, "notify_all", undelivered)
    assert publish(edited).status_code == 201
    assert edited.send({"dry_run": True}).json_body["price"] == "0.01"


def test_of_two_imports_at_once_the_later_is_told(edited: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = refuse_losses.losses_of_plan
    theirs = [{"country": "PE", "price": "0.5"}]

    def slowly(*given: Any) -> Any:
        monkeypatch.setattr(keep_tariffs, "losses_of_plan", looked)
        assert edited.as_admin("POST", f"{PLAN}/prices", theirs).json_body["lines"] == 3
        return looked(*given)

    monkeypatch.setattr(keep_tariffs, "losses_of_plan", slowly)
    late = edited.as_admin("POST", f"{PLAN}/prices?replace=true", [{"country": "MX", "price": "1"}])
    assert (late.status_code, late.json_body["code"]) == (409, "version_conflict")
    assert edited.as_admin("GET", PLAN).json_body["line_count"] == 3


def test_a_price_below_cost_is_refused_wherever_it_is_set_unless_it_is_meant(edited: World) -> None:
    costs = [{"country": "ES", "cost": "0.025"}, {"country": "FR", "cost": "0.5"}]
    assert edited.as_admin("POST", "/v1/admin/costs/real", costs).json_body["lines"] == 2
    # the cost came after the price: publishing says so
    assert faults(publish(edited)) == (422, "below_cost", ["/rate_plans/resellers"])
    assert faults(edited.as_admin("POST", f"{PLAN}/prices", PRICES)) == (422, "below_cost", ["/1/price"])
    assert edited.as_admin("POST", f"{PLAN}/prices?below_cost=true", PRICES).status_code == 200
    assert [line["below_cost"] for line in edited.as_admin("GET", PLAN).json_body["prices"]] == [True, False]
    assert publish(edited).json_body["cost_count"] == 1

    cheap = {"targets": [{"gateway": "real"}], "price": "0.4", "country": "FR"}
    assert faults(edited.as_admin("POST", "/v1/admin/routes", cheap)) == (422, "below_cost", ["/price"])
    route = edited.as_admin("POST", "/v1/admin/routes", {**cheap, "below_cost": True}).json_body
    assert route["below_cost"] is True
    assert edited.as_admin("DELETE", f"/v1/admin/routes/{route['id']}").status_code == 200

    default = {"default_gateway": "real", "default_price": "0.4"}  # no route leads to FR
    assert faults(put_on_plan(edited, **default)) == (422, "below_cost", ["/default_price"])
    assert put_on_plan(edited, **default, below_cost=True).status_code == 200

    dearer = [{"country": "ES", "cost": "0.06"}]
    assert edited.as_admin("POST", "/v1/admin/costs/real", dearer).status_code == 200
    refused = publish(edited)
    assert faults(refused)[:2] == (422, "below_cost")
    assert "/routes/rte_es/price" in faults(refused)[2]
    assert publish(edited, below_cost=True).status_code == 201


def test_prices_and_costs_go_out_as_files_and_come_in_again(edited: World) -> None:
    for path, prices, form in (
        (PLAN, f"{PLAN}/prices", "country,operator,price,effective_from,below_cost"),
        ("/v1/admin/costs/real", "/v1/admin/costs/real", "country,operator,cost,effective_from"),
    ):
        body = f"{form.replace(',below_cost', '')}\nPE,,0.5,2030-01-01\nPE,=cmd(),0.25,\n".encode()
        as_csv = {"headers": {"Content-Type": "text/csv"}}
        taken = edited.as_admin("POST", f"{prices}?replace=true", body, **as_csv).json_body
        assert (taken["lines"], taken["unknown_operators"]) == (2, ["=cmd()"])
        before = edited.as_admin("GET", path).json_body
        exported = edited.as_admin("GET", f"{path}/file")
        assert exported.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert exported.body.decode().splitlines() == [
            "\ufeff" + form,
            "PE,,0.5,2030-01-01T00:00:00Z" + "," * form.count("below"),
            "PE,'=cmd(),0.25," + "," * form.count("below"),
        ]
        again = edited.as_admin("POST", f"{prices}?replace=true", exported.body, **as_csv)
        assert edited.as_admin("GET", path).json_body == {**before, "version": again.json_body["version"]}
        bad = edited.as_admin("POST", prices, body + b"PE,x,0.0000001,2030-02-30\n", **as_csv)
        assert faults(bad) == (422, "invalid_request", [f"/2/{form.split(',')[2]}", "/2/effective_from"])


SENSELESS: list[tuple[dict[str, Any], str]] = [
    ({"price": "0.0000001"}, "/0/price"),
    ({"price": "-1"}, "/0/price"),
    ({"price": 0.05}, "/0/price"),
    ({"operator": "a#b"}, "/0/operator"),
    ({"effective_from": "2030-02-30T00:00:00Z"}, "/0/effective_from"),
    ({"effective_from": "2030-02-28T00:00:00"}, "/0/effective_from"),
    ({"effective_from": "9999-12-31T23:59:59-10:00"}, "/0/effective_from"),
    ({"effective_from": "1969-12-31T23:59:59Z"}, "/0/effective_from"),
]


def test_lines_that_make_no_sense_are_refused(edited: World) -> None:
    for line, pointer in SENSELESS:
        answer = edited.as_admin("POST", f"{PLAN}/prices", [{"country": "ES", "price": "0.05", **line}])
        assert faults(answer) == (422, "invalid_request", [pointer]), line


def test_a_preview_tells_what_the_last_30_days_would_have_come_to(edited: World) -> None:
    assert edited.as_admin("POST", "/v1/admin/costs/real", [{"country": "ES", "cost": "0.01"}]).status_code == 200
    now_ms = edited.now_ms()
    day_ms = 86_400_000
    lines = [
        UsageLine(slot=slot_at(now_ms - 29 * day_ms), country="ES", operator="Movistar ES", gateway="real",
                  messages=2, parts=3, credits_micros=150_000),
        UsageLine(slot=slot_at(now_ms - day_ms), country="ES", operator="Movistar ES", gateway="old",
                  messages=1, parts=1, credits_micros=60_000),
        UsageLine(slot=slot_at(now_ms - day_ms), country="ES", operator="", gateway="real",
                  messages=1, parts=1, credits_micros=50_000),
        UsageLine(slot=slot_at(now_ms - day_ms), country="ES", operator="", gateway="sim", messages=5, parts=5),
        UsageLine(slot=slot_at(now_ms - 31 * day_ms), country="ES", operator="", gateway="real",
                  messages=9, parts=9, credits_micros=9),
    ]  # fmt: skip

    def count(transaction: TransactWrite) -> None:
        usage.add_to(transaction, edited.account.id, lines)

    dynamo.transact(count)
    asked = {"account": edited.account.id, "prices": [{"country": "ES", "price": "0.04"}]}
    answer = edited.as_admin("POST", f"{PLAN}/preview", asked).json_body
    assert [(one["operator"], one["price_now"], one["price_then"], one["parts"]) for one in answer["operators"]] == [
        ("", "0.05", "0.04", 1),
        ("Movistar ES", "0.05", "0.03", 4),
    ]
    assert answer["total"] == {
        "messages": 4,
        "parts": 5,
        "paid": "0.26",
        "now": "0.25",
        "then": "0.16",
        "difference": "-0.09",
        "cost": "0.04",
        "margin": "0.12",
        "parts_without_cost": 1,
    }
    assert edited.as_admin("GET", PLAN).json_body["line_count"] == 2  # nothing was changed
    assert edited.as_admin("POST", f"{PLAN}/preview", {"account": "acc_no"}).status_code == 404
