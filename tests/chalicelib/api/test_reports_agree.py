"""Messages that went every way there is, sent over the API: each is counted once and alike by whatever tells of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain.facts import ErrorInfo
from chalicelib.domain.status import Status
from chalicelib.services import close_day
from chalicelib.services.settle import settle
from tests.chalicelib.api.test_cancel import settle_outcomes
from tests.chalicelib.api.test_messages import carry
from tests.chalicelib.api.test_people import token
from tests.chalicelib.api.world import ACCOUNT, World
from tests.chalicelib.services.people_world import administrator, hash_quickly
from tests.chalicelib.services.world import ended, outcomes, receipt, submitted

Happened = wire.SubmitOutcome | wire.ReceiptOutcome | wire.EndOutcome


def told(world: World, *happened: Happened) -> None:
    at_ms = world.now_ms()
    settle([outcomes(*(msgspec.structs.replace(one, at_ms=at_ms) for one in happened))], at_ms)


def every_way(world: World, acting: str) -> dict[str, str]:
    """Five messages by what became of them."""
    in_two_hours = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    sent = {
        "delivered": world.send().json_body["id"],
        "purged": world.send(key=acting).json_body["id"],
        "test": world.send(key=world.test).json_body["id"],
        "failed over": world.send().json_body["id"],
    }
    carry(world)
    later = world.send({"send_at": in_two_hours}).json_body["id"]
    world.call("POST", f"/v1/messages/{later}/cancel")
    settle_outcomes(world)
    real = msgspec.structs.replace(submitted(sent["delivered"], "A"), gateway="real")
    other = msgspec.structs.replace(submitted(sent["failed over"], "B"), gateway="sim")
    told(world, real, other, msgspec.structs.replace(receipt("A"), gateway="real"))
    purged = ErrorInfo(code="purged", title="")
    told(world, msgspec.structs.replace(ended(sent["purged"], Status.CANCELED), error=purged))
    told(world, msgspec.structs.replace(receipt("B", status=Status.EXPIRED), gateway="sim"))
    told(world, msgspec.structs.replace(receipt("B"), gateway="sim"))  # after its expiry
    return {**sent, "canceled": later}


def figures(world: World, group_by: str) -> list[dict[str, Any]]:
    answer = world.as_admin("GET", f"/v1/admin/reports/summary?group_by={group_by}")
    assert answer.status_code == 200, answer.body
    return list(answer.json_body["data"])


def test_every_report_counts_each_message_once_and_alike_whichever_way_it_went(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hash_quickly(monkeypatch)
    helper = administrator("support", "help@house.example")
    key = token(world, helper.email)
    begun = world.call("POST", f"/v1/admin/accounts/{ACCOUNT.id}/impersonate", {"role": "owner"}, key=key)
    sent = every_way(world, begun.json_body["token"])
    rows = {row["message_id"]: row for row in world.call("GET", "/v1/reports/messages").json_body["data"]}
    assert {name: rows[id_]["status"] for name, id_ in sent.items()} == {
        "delivered": "delivered",
        "purged": "canceled",
        "test": "queued",
        "failed over": "delivered",
        "canceled": "canceled",
    }
    assert [rows[id_]["credit_deducted"] for id_ in sent.values()] == ["0.05", "0", "0", "0.05", "0"]
    today = world.call("GET", "/v1/reports/today").json_body
    assert (today["messages"], today["message_parts"], today["credit_deducted"]) == (4, 4, "0.1")
    assert today["states"] == {"delivered": 2, "canceled": 1, "waiting": 1, "refused": 1}
    (line,) = world.call("GET", "/v1/reports/summary?group_by=operator").json_body["data"]
    assert (line["messages"], line["message_parts"], line["total_charge"]) == (4, 4, "0.1")
    history = world.call("GET", "/v1/reports/credits").json_body["data"][0]
    assert (history["charged"], history["refunded"], history["closing_balance"]) == ("0.15", "0.05", "9.9")
    moved = [one["amount"] for one in world.call("GET", "/v1/account/ledger").json_body["data"]]
    assert sorted(moved) == sorted(["10", "-0.05", "-0.05", "-0.05", "0.05"])
    (one,) = figures(world, "account")
    assert (one["messages"], one["refused"], one["credit"], one["refunded"]) == (4, 1, "0.15", "0.05")
    assert one["ends"] == {"canceled": 1, "delivered": 2}
    now_ms = world.now_ms()
    day = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    close_day.close(close_day.begin(ACCOUNT.id, day, now_ms, final=True), now_ms)
    by_user = {group["user"]: group for group in figures(world, "account,user")}
    assert by_user[helper.id]["messages"] == 1
    for name in ("messages", "parts", "refused", "ended", "delivered"):
        assert sum(group[name] for group in by_user.values()) == one[name], name
    wallet = world.as_admin("GET", f"/v1/admin/reports/wallets?account={ACCOUNT.id}").json_body["data"][0]
    assert (wallet["agrees"], wallet["balance"]) == (True, "9.9")
