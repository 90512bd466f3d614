"""Jobs over HTTPS: from a file to its preview, and every way to ask wrongly."""

from typing import Any

import pytest

from chalicelib.api.problems import KINDS
from chalicelib.domain import ids
from chalicelib.store import job_files, queues
from tests.chalicelib.api.world import ACCOUNT, NUMBER, World

TO = {"recipients": [{"to": NUMBER}]}
PLAIN = {**TO, "text": "hola"}
NOBODYS = f"job_{ids.new_ulid(1)}"

# What is sent → problem code, and of each field at fault its pointer and code.
BODIES: list[tuple[str, Any, str, list[tuple[str, str]]]] = [
    ("not JSON", b"to=1", "malformed_json", []),
    ("an array", [PLAIN], "invalid_request", [("", "wrong_type")]),
    ("no text", TO, "invalid_request", [("/text", "missing")]),
    ("an empty text", {**PLAIN, "text": ""}, "invalid_request", [("/text", "too_short")]),
    ("a brace alone", {**PLAIN, "text": "{"}, "invalid_request", [("/text", "invalid_placeholder")]),
    ("no recipients at all", {"text": "x"}, "invalid_request", [("/recipients", "missing")]),
    ("an empty list", {"text": "x", "recipients": []}, "invalid_request", [("/recipients", "too_short")]),
    (
        "a thousand and one",
        {"text": "x", "recipients": [{"to": NUMBER}] * 1001},
        "invalid_request",
        [("/recipients", "too_long")],
    ),
    (
        "numbers for columns",
        {"text": "x", "recipients": [{"to": 1}]},
        "invalid_request",
        [("/recipients/0/...", "wrong_type")],
    ),
    (
        "an upload that is none",
        {"text": "x", "upload_id": "../x"},
        "invalid_request",
        [("/upload_id", "invalid_format")],
    ),
    (
        "an upload that nobody made",
        {"text": "x", "upload_id": f"upl_{ids.new_ulid(1)}"},
        "invalid_request",
        [("/upload_id", "unknown_upload")],
    ),
    (
        "a list and an upload",
        {**PLAIN, "upload_id": f"upl_{ids.new_ulid(1)}"},
        "invalid_request",
        [("/upload_id", "not_allowed")],
    ),
    ("no rate", {**PLAIN, "rate": 0}, "invalid_request", [("/rate", "out_of_range")]),
    ("a rate and a spread", {**PLAIN, "rate": 1, "spread_seconds": 60}, "invalid_request", [("/rate", "not_allowed")]),
    (
        "a zone of nowhere",
        {**PLAIN, "time_zone": "Mars/Base"},
        "invalid_request",
        [("/time_zone", "unknown_time_zone")],
    ),
    ("a start that is no time", {**PLAIN, "start_at": "soon"}, "invalid_request", [("/start_at", "invalid_format")]),
    (
        "a start in the past",
        {**PLAIN, "start_at": "2020-01-01T00:00:00Z"},
        "invalid_request",
        [("/start_at", "in_the_past")],
    ),
    (
        "a start in ages",
        {**PLAIN, "start_at": "9999-01-01T00:00:00Z"},
        "invalid_request",
        [("/start_at", "out_of_range")],
    ),
    ("a repetition of nothing", {**PLAIN, "repeat": "daily"}, "invalid_request", [("/start_at", "missing")]),
    ("an unknown repetition", {**PLAIN, "repeat": "hourly"}, "invalid_request", [("/repeat", "not_allowed")]),
    (
        "hours that are none",
        {**PLAIN, "delivery_hours": {"from": "09:00", "to": "09:00"}},
        "invalid_request",
        [("/delivery_hours", "reversed_range")],
    ),
    (
        "hours beyond the day",
        {**PLAIN, "delivery_hours": {"from": "09:00", "to": "24:00"}},
        "invalid_request",
        [("/delivery_hours/to", "invalid_format")],
    ),
    ("a sender that is none", {**PLAIN, "from": "abcdefghijkl"}, "invalid_request", [("/from", "invalid_sender")]),
    (
        "a validity beyond the account's",
        {**PLAIN, "validity_seconds": 200_000},
        "invalid_request",
        [("/validity_seconds", "out_of_range")],
    ),
    ("an unknown field", {**PLAIN, "speed": 1}, "invalid_request", [("/speed", "unknown_field")]),
    ("more than a megabyte", b'{"text": "' + b"x" * 1_100_000 + b'"}', "body_too_large", []),
]
# Paths that name a job, with the method and a body that would do.
CHANGE = {"text": "x", "version": 1}
ON_A_JOB: list[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("GET", "/invalid-rows", None),
    ("GET", "/results", None),
    ("PUT", "", CHANGE),
    ("POST", "/start", None),
    ("POST", "/pause", None),
    ("POST", "/resume", None),
    ("POST", "/stop", None),
    ("POST", "/copy", None),
    ("DELETE", "", None),
]
BAD_IDS = (
    NOBODYS,
    "job_",
    "job_x",
    "JOB_" + NOBODYS[4:],
    NOBODYS + "0",
    "%2e%2e",
    "msg_" + NOBODYS[4:],
    "job_" + "I" * 26,
    NOBODYS + "%0a",
)


def uploaded(world: World, raw: bytes) -> str:
    upload = world.call("POST", "/v1/uploads").json_body
    assert upload["url"].startswith("http")
    job_files.put(job_files.upload_key(ACCOUNT.id, upload["id"]), raw)
    return str(upload["id"])


def test_each_wrong_job_is_a_problem_with_its_code_and_nothing_is_kept(world: World) -> None:
    for label, body, code, fields in BODIES:
        answer = world.call("POST", "/v1/jobs", body)
        told = answer.json_body
        assert told["code"] == code, (label, told)
        assert answer.status_code == KINDS[code].status, label
        assert [(error["pointer"], error["code"]) for error in told["errors"]] == fields, (label, told)
    assert world.call("GET", "/v1/jobs").json_body["data"] == []
    assert world.waiting(queues.JOBS) == 0


def test_a_job_that_is_not_there_or_not_ones_own_is_not_found(world: World) -> None:
    other = world.call("POST", "/v1/jobs", {**PLAIN, "dry_run": True}).json_body["id"]
    stranger = world.customer(ACCOUNT.__class__(id="acc_two", name="Two", created_ms=0), 1)
    for method, path, body in ON_A_JOB:
        for id_ in BAD_IDS:
            answer = world.call(method, f"/v1/jobs/{id_}{path}", body)
            assert answer.json_body["code"] == "not_found", (method, path, id_)
        answer = world.call(method, f"/v1/jobs/{other}{path}", body, key=stranger)
        assert answer.json_body["code"] == "not_found", (method, path)
        assert world.call(method, f"/v1/jobs/{other}{path}", body, key=world.admin).json_body["code"] == "wrong_role"
        assert world.call(method, f"/v1/jobs/{other}{path}", body, key="").json_body["code"] == "missing_api_key"


@pytest.mark.parametrize(
    ("status", "refused"),
    [("ready", ("pause", "resume")), ("running", ()), ("stopped", ("start", "pause", "resume"))],
)
def test_what_cannot_be_done_with_a_job_as_it_stands_is_refused(
    world: World, status: str, refused: tuple[str, ...]
) -> None:
    job = world.call("POST", "/v1/jobs", {**PLAIN, "dry_run": status == "ready"}).json_body["id"]
    if status == "stopped":
        assert world.call("POST", f"/v1/jobs/{job}/stop").json_body["status"] == "stopped"
    for verb in refused:
        assert world.call("POST", f"/v1/jobs/{job}/{verb}").json_body["code"] == "wrong_state", verb
    if status == "running":
        assert world.call("DELETE", f"/v1/jobs/{job}").json_body["code"] == "wrong_state"
        assert world.call("PUT", f"/v1/jobs/{job}", CHANGE).json_body["code"] == "wrong_state"


def test_a_file_is_previewed_changed_copied_started_and_deleted(world: World) -> None:
    from functions.jobs import _go_on  # the functions' module, as its queue would call it
    from tests.chalicelib.services.jobs_world import works

    upload = uploaded(world, b"phone,name\n" + NUMBER.encode() + b",Ana\n+34600000002,\nx,Luis\n")
    body = {"upload_id": upload, "text": "hola {name|amigo}", "name": "spring", "dry_run": True}
    made = world.call("POST", "/v1/jobs", body)
    assert (made.status_code, made.json_body["status"]) == (202, "preparing")
    path = f"/v1/jobs/{made.json_body['id']}"
    _go_on(works(), world.now_ms())
    job = world.call("GET", path).json_body
    assert job["status"] == "ready"
    preview = job["preview"]
    assert (preview["rows"], preview["valid"], preview["invalid"], preview["price"]) == (3, 2, 1, "0.1")
    assert [one["text"] for one in preview["first_texts"]] == ["hola Ana", "hola amigo"]
    assert preview["operators"] == [
        {"country": "ES", "operator": "Movistar ES", "messages": 2, "parts": 2, "price": "0.1"}
    ]
    assert world.call("GET", path + "/invalid-rows").json_body["data"] == [
        {"line": 4, "code": "invalid_number", "detail": preview["first_invalid"][0]["detail"]}
    ]
    stale = world.call("PUT", path, {"text": "x", "version": 1})
    assert stale.json_body["code"] == "version_conflict"
    unknown = world.call("PUT", path, {"text": "{city}", "version": job["version"]})
    assert unknown.json_body["errors"][0]["code"] == "unknown_placeholder"
    changed = world.call("PUT", path, {"text": "adios {name|x}", "version": job["version"]}).json_body
    assert (changed["status"], changed["name"]) == ("preparing", "")
    copied = world.call("POST", path + "/copy").json_body
    assert (copied["status"], copied["text"]) == ("preparing", "adios {name|x}")
    _go_on(works(), world.now_ms())
    assert world.call("GET", path).json_body["preview"]["first_texts"][1]["text"] == "adios x"
    started = world.call("POST", path + "/start").json_body
    assert (started["status"], started["progress"]["recipients"]) == ("running", 2)
    assert world.call("POST", path + "/stop").json_body["status"] == "stopped"
    assert len(world.call("GET", "/v1/jobs").json_body["data"]) == 2
    assert world.call("DELETE", path).json_body == {"id": made.json_body["id"]}
    assert world.call("GET", path).json_body["code"] == "not_found"


def test_what_became_of_each_message_is_a_file_for_the_customer_and_the_administrator(world: World) -> None:
    from tests.chalicelib.services.jobs_world import go_on, works

    ready = world.call("POST", "/v1/jobs", {**PLAIN, "dry_run": True}).json_body["id"]
    assert world.call("GET", f"/v1/jobs/{ready}/results").json_body["code"] == "wrong_state"
    job = world.call("POST", "/v1/jobs", PLAIN).json_body["id"]
    own, admins = f"/v1/jobs/{job}/results", f"/v1/admin/accounts/{ACCOUNT.id}/jobs/{job}/results"
    answer = world.call("GET", own)
    assert (answer.status_code, answer.json_body["status"], answer.json_body["url"]) == (202, "making", None)
    assert world.as_admin("GET", admins).status_code == 202
    for work in works(("report",)):
        go_on(work, world.now_ms())
    for answer in (world.call("GET", own), world.as_admin("GET", admins)):
        assert (answer.status_code, answer.json_body["status"], answer.json_body["rows"]) == (200, "made", 0)
        assert answer.json_body["url"].startswith("http")
    assert world.call("GET", admins).json_body["code"] == "wrong_role"


def test_the_administrator_sees_and_controls_the_jobs_of_all_accounts(world: World) -> None:
    job = world.call("POST", "/v1/jobs", PLAIN).json_body
    for query in ("", f"?account={ACCOUNT.id}"):
        listed = world.as_admin("GET", f"/v1/admin/jobs{query}").json_body["data"]
        assert [(one["id"], one["account"]) for one in listed] == [(job["id"], ACCOUNT.id)]
    path = f"/v1/admin/accounts/{ACCOUNT.id}/jobs/{job['id']}"
    assert world.as_admin("GET", path).json_body["status"] == "running"
    assert world.as_admin("POST", path + "/pause").json_body["status"] == "paused"
    assert world.as_admin("POST", path + "/resume").json_body["status"] == "running"
    assert world.as_admin("POST", path + "/stop").json_body["status"] == "stopped"
    assert world.as_admin("GET", path + "/invalid-rows").json_body["data"] == []
    assert world.as_admin("DELETE", path).json_body == {"id": job["id"]}
    assert world.as_admin("GET", path).json_body["code"] == "not_found"


def test_a_start_on_the_clock_of_a_zone_is_told_in_utc(world: World) -> None:
    more = {"start_at": "2099-07-01T09:00:00", "time_zone": "Europe/Madrid"}
    told = world.call("POST", "/v1/jobs", {**PLAIN, **more}).json_body
    assert told["errors"][0]["code"] == "out_of_range"  # over a year ahead, and read all the same
    job = world.call("POST", "/v1/jobs", {**PLAIN, "delivery_hours": {"from": "22:00", "to": "08:00"}}).json_body
    assert job["delivery_hours"] == {"from": "22:00", "to": "08:00"}
