"""A customer's reports over HTTPS: exactly the fields that were asked for, by filters, page by page, and as files."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain import ids
from chalicelib.domain.content import Content
from chalicelib.domain.decision import Decision
from chalicelib.domain.refusals import refusal
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding
from chalicelib.services import export_report
from chalicelib.services.charge import charge
from chalicelib.services.settle import settle
from chalicelib.store import job_files, queues
from chalicelib.wire import Draft, EndOutcome, JobWork, OutcomeBundle, Routed, RoutedBundle
from tests.chalicelib.api.world import ACCOUNT, World
from tests.chalicelib.services.world import waiting

PRICE_MICROS = 50_000
FIELDS = [
    *("message_id", "mobile_number", "message_type", "message_length", "sender", "country", "operator"),
    *("credit_deducted", "status", "error_code", "description", "date"),
]


def content(number: int, **more: Any) -> Content:
    given = {"text": "=cmd()|' /C calc'!A0", "sender": "Chasqui", "parts": 1, "encoding": Encoding.GSM7, **more}
    return Content(to=f"+3460000000{number}", country="ES", valid_until_ms=2**42, **given)


def charged(world: World, *contents: Content, refused: str = "", made_ms: int = 0, at_ms: int = 0) -> list[str]:
    """Messages that were charged, or refused, as one bundle."""
    now_ms = world.now_ms()
    drafts = [Draft(id=ids.new_message_id(made_ms or now_ms), at_ms=made_ms or now_ms, content=one) for one in contents]
    decision = Decision(
        gateway="real", route="rte_es", operator="Movistar ES", price_micros=PRICE_MICROS, rules=1, why=""
    )
    told = [
        Routed(draft=one, refusal=refusal(refused)) if refused else Routed(draft=one, decision=decision)
        for one in drafts
    ]
    charge([RoutedBundle(id=ids.new_ulid(now_ms), account=ACCOUNT.id, messages=tuple(told))], at_ms or now_ms)
    return [one.id for one in drafts]


def reject(world: World, message: str) -> None:
    end = EndOutcome(account=ACCOUNT.id, message=message, at_ms=world.now_ms(), gateway="real", status=Status.REJECTED)
    settle([OutcomeBundle(id=ids.new_ulid(world.now_ms()), outcomes=(end,))], world.now_ms())


def report(world: World, name: str, query: str = "", **more: Any) -> Any:
    answer = world.call("GET", f"/v1/reports/{name}{query}", **more)
    assert answer.status_code == 200, answer.body
    return answer.json_body


def told(world: World, query: str = "") -> list[str]:
    return [row["message_id"] for row in report(world, "messages", query)["data"]]


@pytest.fixture
def mixed(world: World) -> dict[str, str]:
    """Four messages by how they fared."""
    plain, paid_back = charged(world, content(1), content(2, parts=2))
    (refused,) = charged(world, content(3, sender="Other"), refused="no_route")
    (flash,) = charged(world, content(4, message_class=0, encoding=Encoding.UCS2, text="¡Ñandú!"))
    reject(world, paid_back)
    return {"plain": plain, "paid_back": paid_back, "refused": refused, "flash": flash}


def test_the_sms_report_has_the_fields_that_were_asked_for_and_no_others(world: World, mixed: dict[str, str]) -> None:
    rows = {row["message_id"]: row for row in report(world, "messages")["data"]}
    assert set(rows) == set(mixed.values())
    assert all(list(row) == FIELDS for row in rows.values())
    plain, paid_back, refused = (rows[mixed[name]] for name in ("plain", "paid_back", "refused"))
    assert (plain["mobile_number"], plain["message_type"], plain["message_length"]) == ("+34600000001", "gsm7", 20)
    assert (plain["credit_deducted"], plain["status"], plain["operator"]) == ("0.05", "queued", "Movistar ES")
    assert (paid_back["credit_deducted"], paid_back["status"]) == ("0", "rejected")
    assert (refused["credit_deducted"], refused["operator"], refused["error_code"]) == ("0", None, "no_route")
    assert refused["description"].endswith(".")
    assert rows[mixed["flash"]]["message_type"] == "flash_unicode"


FILTERS = {
    "?number=%2B34600000003": ["refused"],
    "?number=%2B34600000001": ["plain"],
    "?sender=Other": ["refused"],
    "?status=queued": ["flash", "plain"],
    "?status=rejected&sender=Chasqui": ["paid_back"],
    "?operator=Movistar%20ES": ["flash", "paid_back", "plain"],
    "?operator=Nobody": [],
    "?date_from=2025-01-01&date_to=2025-01-31": [],
}


def test_filters_leave_what_they_name(world: World, mixed: dict[str, str]) -> None:
    for query, names in FILTERS.items():
        assert sorted(told(world, query)) == sorted(mixed[name] for name in names), query


def test_what_was_scheduled_is_of_the_day_on_which_it_was_charged(world: World) -> None:
    now_ms = world.now_ms()
    (late,) = charged(world, content(1), made_ms=now_ms - 3 * 86_400_000)
    assert told(world) == [late]
    made = datetime.fromtimestamp(now_ms / 1000, UTC).date() - timedelta(days=3)
    assert told(world, f"?date_from={made}&date_to={made}") == []
    assert told(world, "?number=%2B34600000001") == [late]


def test_a_jobs_messages_are_told_by_its_name_and_anothers_job_is_not_there(world: World) -> None:
    body = {"text": "hola", "recipients": [{"number": f"+3460000010{n}"} for n in range(3)], "dry_run": True}
    job = world.call("POST", "/v1/jobs", body).json_body["id"]
    assert told(world, f"?job={job}") == []
    other = world.call("GET", f"/v1/reports/messages?job=job_{ids.new_ulid(world.now_ms())}")
    assert (other.status_code, other.json_body["code"]) == (404, "not_found")


def test_pages_go_on_by_cursors_that_are_good_for_these_filters_only(world: World, mixed: dict[str, str]) -> None:
    seen: list[str] = []
    query = "?limit=1"
    while True:
        page = report(world, "messages", query)
        seen += [row["message_id"] for row in page["data"]]
        if page["next_cursor"] is None:
            break
        query = f"?limit=1&cursor={page['next_cursor']}"
    assert seen == told(world)
    assert len(seen) == len(mixed)
    cursor = report(world, "messages", "?limit=1")["next_cursor"]
    for path in (
        f"messages?cursor={cursor}&status=queued",
        f"messages?cursor={cursor[:-2]}AA",
        f"credits?cursor={cursor}",
    ):
        answer = world.call("GET", f"/v1/reports/{path}")
        assert (answer.status_code, answer.json_body["code"]) == (400, "invalid_cursor"), path


def test_todays_statistics_are_those_of_the_zones_day(world: World, mixed: dict[str, str]) -> None:
    for zone in ("UTC", "Asia/Kathmandu", "America/St_Johns"):
        today = report(world, "today", f"?time_zone={zone}")
        assert (today["messages"], today["message_parts"], today["credit_deducted"]) == (3, 4, "0.1")
        assert today["states"] == {"waiting": 2, "rejected": 1, "refused": 1}
        assert (len(today["hours"]), sum(hour["messages"] for hour in today["hours"])) == (24, 3)
        assert {hour["hour"][:10] for hour in today["hours"]} == {today["date"]}


def test_the_summary_is_by_operator_and_by_date_or_month(world: World, mixed: dict[str, str]) -> None:
    now = datetime.now(UTC).date().isoformat()
    for by, period in (("date", now), ("month", now[:7])):
        (row,) = report(world, "summary", f"?group_by=operator&by={by}")["data"]
        assert row == {
            "period": period,
            "country": "ES",
            "operator": "Movistar ES",
            "messages": 3,
            "message_parts": 4,
            "cost_of_one_message": "0.033333",
            "total_charge": "0.1",
        }


def test_the_credit_history_leads_from_nothing_to_the_balance(world: World, mixed: dict[str, str]) -> None:
    world.as_admin("POST", f"/v1/admin/accounts/{ACCOUNT.id}/credits", {"amount": "-1", "why": "a mistake"})
    first = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    latest, *_, oldest = report(world, "credits", f"?date_from={first}")["data"]
    assert latest == {
        "date": datetime.now(UTC).date().isoformat(),
        "opening_balance": "0",
        "granted": "10",
        "taken_back": "1",
        "charged": "0.2",
        "refunded": "0.1",
        "closing_balance": world.call("GET", "/v1/account").json_body["balance"],
    }
    assert (oldest["opening_balance"], oldest["closing_balance"]) == ("0", "0")


REFUSED = {
    "date_from=2026-02-30": "invalid_format",
    "date_from=2016-01-01&date_to=2026-01-01": "out_of_range",
    "date_from=2026-01-02&date_to=2026-01-01": "reversed_range",
    "date_from=0001-01-01&date_to=0001-01-02": "out_of_range",
    "date_from=9999-12-31&date_to=9999-12-31": "out_of_range",
    "time_zone=Atlantis%2FCapital": "unknown_time_zone",
    "time_zone=..%2F..%2Fetc%2Fpasswd": "unknown_time_zone",
}


def test_days_and_zones_that_do_not_exist_are_refused(world: World) -> None:
    for name in ("messages", "summary", "credits"):
        for query, code in REFUSED.items():
            answer = world.call("GET", f"/v1/reports/{name}?{query}")
            assert (answer.status_code, answer.json_body["errors"][0]["code"]) == (422, code), (name, query)


def made(world: World, path: str) -> list[list[str]]:
    """The lines of a report's file, once it is made."""
    asked = world.call("GET", path)
    assert (asked.status_code, asked.json_body["status"]) == (202, "making")
    assert world.call("GET", path).status_code == 202
    works = [work for work in waiting(queues.JOBS) if isinstance(work, JobWork) and work.stage == "file"]
    assert len(works) == 1  # asked for twice, it is begun once
    for _ in range(2):
        export_report.export(works[0].account, works[0].job, world.now_ms())
    there = world.call("GET", path)
    assert (there.status_code, there.json_body["status"]) == (200, "made")
    key = there.json_body["url"].split("?")[0].partition("/uploads/")[2]
    raw = job_files.get(f"uploads/{key}").decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(raw)))
    assert len(rows) == there.json_body["rows"] + 1
    return rows


def test_each_report_is_there_as_a_file_with_the_same_lines(world: World, mixed: dict[str, str]) -> None:
    head, *rows = made(world, "/v1/reports/messages/file")
    assert head == FIELDS
    assert [row[0] for row in rows] == told(world)
    as_told = report(world, "messages")["data"]
    assert [row[7] for row in rows] == [row["credit_deducted"] for row in as_told]
    summary = made(world, "/v1/reports/summary/file?by=month")
    assert summary[1][1:] == ["ES", "Movistar ES", "3", "4", "0.033333", "0.1"]
    history = made(world, "/v1/reports/credits/file")
    assert history[1][1:] == ["0", "10", "0", "0.2", "0.1", "9.9"]
    *hours, whole = made(world, "/v1/reports/today/file")[1:]
    assert len(hours) == 24
    assert whole == ["", "3", "4", "0.1", "waiting 2; rejected 1; refused 1"]


def test_no_cell_of_a_file_is_taken_for_a_formula(world: World) -> None:
    charged(world, content(1, sender="=1+1"))
    (row,) = made(world, "/v1/reports/messages/file")[1:]
    assert row[4] == "'=1+1"
    assert row[1] == "+34600000001"


def test_another_accounts_messages_are_in_nobody_elses_reports(world: World, mixed: dict[str, str]) -> None:
    key = world.customer(type(ACCOUNT)(id="acc_two", name="Two", created_ms=0), 5_000_000)
    assert report(world, "messages", key=key)["data"] == []
    assert report(world, "today", key=key)["messages"] == 0
    assert report(world, "summary", key=key)["data"] == []
