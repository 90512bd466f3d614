"""Administrators' reports through the API: what was sent is found, traced, checked, summed up, and exported."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain.account import Account
from chalicelib.domain.bind_event import bind_event
from chalicelib.domain.pdu import DELIVER_SM, SUBMIT_SM, PduFields, PduTlv
from chalicelib.services import export_admin_report, sum_traffic
from chalicelib.services.settle import settle
from chalicelib.settings import settings
from chalicelib.store import aws, binds, cached, queues, rules
from tests.chalicelib.api.admin.test_protection import pass_on, publish
from tests.chalicelib.api.world import ACCOUNT, NUMBER, World
from tests.chalicelib.services.world import outcomes, receipt, submitted, waiting

REPORTS = "/v1/admin/reports"
TEXT = "a text that no administrator's report repeats"
SUBMIT = PduFields(SUBMIT_SM, 9, "", 5, 0, "Chasqui", 1, 1, "34•••••••01", 0x40, 1, 0, 60, "050003010201")
DELIVER = PduFields(DELIVER_SM, 3, "", 1, 1, "34•••••••01", 5, 0, "Chasqui", 4, 0, 0, 99, said="id:9F stat:DELIVRD")
DELIVER = msgspec.structs.replace(DELIVER, tlvs=(PduTlv(0x1E, 3, "394600"),))


def get(world: World, path: str, status: int = 200) -> Any:
    answer = world.as_admin("GET", f"{REPORTS}/{path}")
    assert answer.status_code == status, (path, answer.body)
    return answer.json_body


def pages(world: World, path: str, limit: int = 2) -> Iterator[Any]:
    """The answers, to the last."""
    told = get(world, f"{path}&limit={limit}")
    yield told
    while told["next_cursor"]:
        told = get(world, f"{path}&limit={limit}&cursor={told['next_cursor']}")
        yield told


@pytest.fixture
def sent(world: World) -> list[str]:
    """Two messages by a route, the first of which is delivered."""
    publish(world)
    ids = [
        world.send({"text": TEXT, "client_ref": '=HYPERLINK("x")'}).json_body["id"],
        world.send({"text": TEXT, "to": "+34600000002"}).json_body["id"],
    ]
    pass_on(world)
    at_ms = world.now_ms()
    taken = msgspec.structs.replace(submitted(ids[0], "9F"), gateway="real", at_ms=at_ms, pdu=SUBMIT)
    settle([outcomes(taken)], at_ms)
    delivered = msgspec.structs.replace(receipt("9F"), gateway="real", at_ms=at_ms, pdu=DELIVER)
    settle([outcomes(delivered)], at_ms)
    return ids


def test_a_message_is_found_and_its_life_told_with_its_pdus_but_never_with_its_text(
    world: World, sent: list[str]
) -> None:
    for found_by in (f"message_id={sent[0]}", "smsc_id=9f", f"number=%2B{NUMBER[1:]}", "status=delivered"):
        (found,) = get(world, f"messages?{found_by}")["data"]
        assert (found["message_id"], found["account"], found["smsc_ids"]) == (sent[0], ACCOUNT.id, ["9F"]), found_by
    everything = [one for page in pages(world, "messages?gateway=real", 1) for one in page["data"]]
    assert [one["message_id"] for one in everything] == sent[::-1]
    life = get(world, f"messages/{sent[0]}")
    assert [event["kind"] for event in life["events"]] == ["accepted", "queued", "submitted", "receipt", "final"]
    by_kind = {event["kind"]: event.get("pdu") for event in life["events"]}
    assert by_kind["queued"] is None
    assert (by_kind["submitted"]["command"], by_kind["submitted"]["sequence_number"]) == ("submit_sm", 9)
    assert (by_kind["submitted"]["udh"], by_kind["submitted"]["esm_class"]) == ("050003010201", 0x40)
    assert (by_kind["receipt"]["command"], by_kind["receipt"]["receipt"]) == ("deliver_sm", "id:9F stat:DELIVRD")
    assert by_kind["receipt"]["tlvs"] == [{"tag": "0x001E", "length": 3, "value": "394600"}]
    assert TEXT not in json.dumps([life, everything])
    get(world, f"messages/{sent[0]}?account=acc_other", 404)
    get(world, f"messages/{sent[0]}X", 404)


def test_defaults_are_read_set_and_found_with_what_ended_there(world: World) -> None:
    publish(world)
    (before,) = get(world, "default-routing")["data"]
    assert (before["default_gateway"], before["gateway_state"], before["messages"]) == (None, None, 0)
    path = f"{REPORTS}/default-routing/{ACCOUNT.id}"
    body = {"default_gateway": "real", "default_price": "0.123456", "version": before["version"]}
    for wrong, status in (
        ({"default_price": "0.1234567"}, 422),
        ({"default_price": None}, 422),
        ({"default_gateway": "nowhere"}, 422),
        ({"version": 7}, 409),
    ):
        assert world.as_admin("PUT", path, {**body, **wrong}).status_code == status, wrong
    assert world.as_admin("PUT", f"{REPORTS}/default-routing/acc_no", body).status_code == 404
    changed = world.as_admin("PUT", path, body).json_body
    assert (changed["default_price"], changed["version"], changed["gateway_state"]) == ("0.123456", 2, "active")
    route = world.as_admin("GET", "/v1/admin/routes").json_body["data"][0]
    assert world.as_admin("DELETE", f"/v1/admin/routes/{route['id']}").status_code == 200
    publish_again(world)
    message = world.send().json_body["id"]
    pass_on(world)
    (after,) = get(world, "default-routing")["data"]
    assert (after["messages"], after["parts"], after["credit"]) == (1, 1, "0.123456")
    assert [one["message_id"] for one in get(world, "messages?route=default")["data"]] == [message]
    assert get(world, "charges")["data"] == []  # what it was charged is its default price
    (checked,) = get(world, "charges?show=all")["data"]
    assert (checked["verdict"], checked["source"], checked["expected_charge"]) == ("agrees", "default", "0.123456")


def publish_again(world: World) -> None:
    assert world.as_admin("POST", "/v1/admin/rules/publish", {}).status_code == 201
    cached.forget_all()
    rules.forget()


def test_sums_quality_wallets_and_binds_are_told(
    world: World, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    binds.put([bind_event("gateway", "real", "refused", "transceiver", world.now_ms(), status=13, reason="no")])
    (bind,) = get(world, "binds?side=gateway&name=real&kind=refused")["data"]
    assert (bind["command_status"], bind["reason"]) == ("0x0D", "no")
    get(world, "binds?name=real", 422)
    assert get(world, "webhooks") == {"data": [], "next_cursor": None}
    (wallet,) = get(world, "wallets")["data"]
    assert (wallet["agrees"], wallet["ledger"]) == (True, "9.9")
    told = get(world, "summary?group_by=account,gateway&order=messages")
    assert (told["status"], told["open_days"], len(told["data"])) == (
        "summed",
        [datetime.now(UTC).date().isoformat()],
        1,
    )
    (group,) = told["data"]
    assert (group["account"], group["gateway"], group["messages"], group["credit"]) == (ACCOUNT.id, "real", 2, "0.1")
    assert (group["ends"], group["delivered_share"], group["day"]) == ({"delivered": 1}, 1.0, None)
    assert told["total"] == {name: group[name] for name in told["total"]}
    (quality,) = get(world, "gateway-quality")["data"]
    assert (quality["gateway"], quality["delivered"], quality["warnings"]) == ("real", 1, [])
    assert get(world, "submits")["data"] == []  # today is not closed
    get(world, "summary?group_by=account,account", 422)
    get(world, "summary?group_by=account,phase", 422)
    monkeypatch.setattr(sum_traffic, "SECONDS", 1e-9)
    first = get(world, "summary?group_by=day&date_from=2026-01-01&date_to=2026-01-03", 202)
    assert (first["status"], first["days_done"], first["days"], first["data"]) == ("summing", 1, 3, [])


def test_pages_of_sums_are_of_one_answer_and_cursors_are_good_for_it_alone(world: World, sent: list[str]) -> None:
    other = world.customer(Account(id="acc_two", name="Two", created_ms=0, default_sender="Two"), 1_000_000)
    world.send(key=other)
    pass_on(world)
    answers = list(pages(world, "summary?group_by=account", 1))
    assert [[one["account"] for one in told["data"]] for told in answers] == [[ACCOUNT.id], ["acc_two"]]
    assert [told["total"]["messages"] for told in answers] == [3, 3]
    settled = get(world, "messages?gateway=real&limit=1")["next_cursor"]
    for path in (f"messages?limit=1&cursor={settled}", f"charges?cursor={settled}", f"summary?cursor={settled[:-2]}AA"):
        answer = world.as_admin("GET", f"{REPORTS}/{path}")
        assert (answer.status_code, answer.json_body["code"]) == (400, "invalid_cursor"), path


def test_days_that_there_are_not_or_too_many_of_are_refused(world: World) -> None:
    spans = (
        "date_from=2026-02-30",
        "date_from=2016-01-01&date_to=2026-01-01",
        "date_from=2025-01-02&date_to=2025-01-01",
        "date_from=9998-12-31&date_to=9999-12-31",
        "date_from=0001-01-01&date_to=0001-01-01",
    )
    for report in ("messages", "charges", "wallets", "summary", "binds", "webhooks", "submits", "default-routing"):
        for span in spans:  # wallets and the webhook log know no days at all
            get(world, f"{report}?{span}", 422)


def test_each_report_is_a_file_too_and_no_cell_of_it_is_a_formula(world: World, sent: list[str]) -> None:
    binds.put([bind_event("gateway", "real", "lost", "transceiver", world.now_ms(), reason="+cmd|x")])
    paths = [
        *("messages/file?gateway=real", "binds/file", "webhooks/file", "charges/file?show=all", "wallets/file"),
        *("default-routing/file", "submits/file", "summary/file?group_by=gateway,hour", "gateway-quality/file"),
    ]
    for path in paths:
        assert get(world, path, 202)["status"] == "making"
    works = [work for work in waiting(queues.JOBS) if isinstance(work, wire.JobWork)]
    assert [work.stage for work in works] == ["admin_file"] * len(paths)
    for work in (*works, works[0]):  # the first one comes twice
        export_admin_report.export(work.job, world.now_ms())
    rows = {path.partition("/")[0]: lines(get(world, path)["url"]) for path in paths}
    assert [row["message_id"] for row in rows["messages"]] == sent[::-1]
    assert rows["messages"][1]["client_ref"] == '\'=HYPERLINK("x")'
    assert rows["messages"][1]["mobile_number"] == NUMBER
    assert rows["messages"][1]["credit"] == "0.05"
    assert rows["messages"][1]["at"].endswith("Z")
    assert rows["binds"][0]["reason"] == "'+cmd|x"
    assert [row["verdict"] for row in rows["charges"]] == ["agrees", "agrees"]
    assert [row["agrees"] for row in rows["wallets"]] == ["yes"]
    assert [row["account"] for row in rows["default-routing"]] == [ACCOUNT.id]
    assert (rows["webhooks"], rows["submits"]) == ([], [])
    assert [(row["gateway"], row["messages"], row["ends"]) for row in rows["summary"]] == [("real", "2", "delivered 1")]
    assert rows["gateway-quality"][0]["warnings"] == ""
    get(world, "messages/file?account=acc_no", 404)
    get(world, "binds/file?name=real", 422)


def lines(url: str) -> list[dict[str, str]]:
    """The file's rows. Its URL leads to moto, which is in this process."""
    key = urlsplit(url).path.lstrip("/").removeprefix(f"{settings().jobs_bucket}/")
    body = aws.client("s3").get_object(Bucket=settings().jobs_bucket, Key=key)["Body"].read().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(body)))
