"""Contacts over HTTPS: groups, contacts, imports, exports; and every way to ask wrongly."""

import csv
import io
from typing import Any

import pytest

from chalicelib.api.problems import KINDS
from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.services import keep_contacts, keep_groups
from chalicelib.store import job_files, memberships
from tests.chalicelib.api.world import ACCOUNT, NUMBER, World
from tests.chalicelib.services.jobs_world import go_on, works

ULID = ids.new_ulid(1)
NO_GROUP, NO_UPLOAD, OTHER = f"grp_{ULID}", f"upl_{ULID}", "+34600000002"
G, U = f'{{"group_ids": ["{NO_GROUP}"]}}', f'{{"upload_id": "{NO_UPLOAD}"}}'
EACH_BODY: list[tuple[Any, str]] = [  # what no operation with a body takes
    (b"x", "malformed_json"),
    (b"", "malformed_json"),
    (b"\xff", "malformed_json"),
    (b"[" * 2000, "malformed_json"),
    ([], "invalid_request"),
    (None, "malformed_json"),
    ("x", "invalid_request"),
    ({"x": 1}, "invalid_request"),
    (b'{"name": "' + b"x" * 70_000 + b'"}', "body_too_large"),
    (b"null", "invalid_request"),
]
WITH_BODY = [
    ("POST", "/v1/groups"),
    ("PUT", f"/v1/groups/{NO_GROUP}"),
    ("POST", "/v1/contacts"),
    ("PUT", f"/v1/contacts/{NUMBER}"),
    ("POST", f"/v1/contacts/{NUMBER}/move"),
    ("POST", "/v1/contact-imports"),
    ("POST", "/v1/contact-exports"),
]
# Method, path, body → code, and the pointer and code of the field at fault.
RUDE: list[tuple[str, str, Any, str, tuple[str, str] | None]] = [
    ("POST", "/v1/groups", {}, "invalid_request", ("/name", "missing")),
    ("POST", "/v1/groups", {"name": ""}, "invalid_request", ("/name", "too_short")),
    ("POST", "/v1/groups", {"name": "  "}, "invalid_request", ("/name", "invalid_format")),
    ("POST", "/v1/groups", {"name": "x" * 101}, "invalid_request", ("/name", "too_long")),
    ("POST", "/v1/groups", {"name": 1}, "invalid_request", ("/name", "wrong_type")),
    ("POST", "/v1/contacts", {}, "invalid_request", ("/number", "missing")),
    ("POST", "/v1/contacts", {"number": "nobody"}, "invalid_request", ("/number", "invalid_number")),
    ("POST", "/v1/contacts", {"number": "+340"}, "invalid_request", ("/number", "invalid_number")),
    ("POST", "/v1/contacts", {"number": NUMBER, "name": "x" * 101}, "invalid_request", ("/name", "too_long")),
    (
        "POST",
        "/v1/contacts",
        {"number": NUMBER, "attributes": {"a": 1}},
        "invalid_request",
        ("/attributes/...", "wrong_type"),
    ),
    (
        "POST",
        "/v1/contacts",
        {"number": NUMBER, "attributes": {"To": "x"}},
        "invalid_request",
        ("/attributes", "invalid_attribute"),
    ),
    (
        "POST",
        "/v1/contacts",
        {"number": NUMBER, "attributes": {"a{b": "x"}},
        "invalid_request",
        ("/attributes", "invalid_attribute"),
    ),
    (
        "POST",
        "/v1/contacts",
        {"number": NUMBER, "attributes": {"a b": "x", "A_B": "y"}},
        "invalid_request",
        ("/attributes", "repeated"),
    ),
    (
        "POST",
        "/v1/contacts",
        {"number": NUMBER, "attributes": {str(at): "x" for at in range(31)}},
        "invalid_request",
        ("/attributes", "too_long"),
    ),
    (
        "POST",
        "/v1/contacts",
        {"number": NUMBER, "group_ids": [NO_GROUP]},
        "invalid_request",
        ("/group_ids/0", "unknown_group"),
    ),
    (
        "POST",
        "/v1/contacts",
        {"number": NUMBER, "group_ids": ["x"]},
        "invalid_request",
        ("/group_ids/0", "invalid_format"),
    ),
    ("PUT", f"/v1/contacts/{NUMBER}", {"name": "x"}, "invalid_request", ("/version", "missing")),
    ("PUT", f"/v1/contacts/{NUMBER}", {"version": 0}, "invalid_request", ("/version", "out_of_range")),
    ("POST", f"/v1/contacts/{NUMBER}/move", {"from": NO_GROUP}, "invalid_request", ("/to", "missing")),
    (
        "POST",
        f"/v1/contacts/{NUMBER}/move",
        {"from": "x", "to": NO_GROUP},
        "invalid_request",
        ("/from", "invalid_format"),
    ),
    (
        "POST",
        f"/v1/contacts/{NUMBER}/move",
        {"from": NO_GROUP, "to": NO_GROUP},
        "invalid_request",
        ("/to", "not_allowed"),
    ),
    ("POST", "/v1/contact-imports", {"upload_id": NO_UPLOAD}, "invalid_request", ("/upload_id", "unknown_upload")),
    ("POST", "/v1/contact-imports", {"upload_id": "../x"}, "invalid_request", ("/upload_id", "invalid_format")),
    (
        "POST",
        "/v1/contact-imports",
        {"upload_id": NO_UPLOAD, "group_ids": [NO_GROUP]},
        "invalid_request",
        ("/group_ids/0", "unknown_group"),
    ),
    ("POST", "/v1/contact-exports", {"group_id": "x"}, "invalid_request", ("/group_id", "invalid_format")),
    ("POST", "/v1/contact-exports", {"group_id": NO_GROUP}, "not_found", None),
    ("POST", "/v1/jobs", {"text": "x", "group_ids": []}, "invalid_request", ("/group_ids", "too_short")),
    ("POST", "/v1/jobs", {"text": "x", "group_ids": [NO_GROUP]}, "invalid_request", ("/group_ids/0", "unknown_group")),
    ("GET", "/v1/contacts?prefix=x", None, "invalid_request", ("prefix", "invalid_format")),
    ("GET", "/v1/contacts?prefix=3&name=a", None, "invalid_request", ("name", "not_allowed")),
    ("GET", "/v1/contacts?name=", None, "invalid_request", ("name", "too_short")),
]
LISTS = ("/v1/groups", "/v1/contacts")
BAD_QUERIES = (
    "limit=0",
    "limit=101",
    "limit=x",
    "limit=-1",
    "x=1",
    "limit=1&limit=2",
    "limit=1.5",
    "cursor=",
    "limit=",
)
BAD_CURSORS = ("x", "AAAA", "..", "%00", "A" * 500)
NAMED: list[tuple[str, str, str, Any]] = [  # operations on something that is not there
    ("GET", "/v1/groups/{}", "grp", None),
    ("PUT", "/v1/groups/{}", "grp", {"name": "x"}),
    ("DELETE", "/v1/groups/{}", "grp", None),
    ("GET", "/v1/groups/{}/contacts", "grp", None),
    ("PUT", "/v1/groups/{}/contacts/" + NUMBER, "grp", None),
    ("DELETE", "/v1/groups/{}/contacts/" + NUMBER, "grp", None),
    ("GET", "/v1/contact-imports/{}", "imp", None),
    ("GET", "/v1/contact-imports/{}/invalid-rows", "imp", None),
    ("GET", "/v1/contact-exports/{}", "exp", None),
]
OF_NUMBERS: list[tuple[str, str, Any]] = [
    ("GET", "/v1/contacts/{}", None),
    ("PUT", "/v1/contacts/{}", {"version": 1}),
    ("DELETE", "/v1/contacts/{}", None),
    ("POST", "/v1/contacts/{}/move", {"from": NO_GROUP, "to": f"grp_{ids.new_ulid(2)}"}),
]
BAD_NUMBERS = (NUMBER, "x", "+", "0", "%2B", "+0123456789", "1" * 16, "+34 600", "%00", "..%2f", NUMBER + "%0a")


def bad_ids(kind: str) -> tuple[str, ...]:
    good = f"{kind}_{ULID}"
    return (
        good,
        f"{kind}_",
        "x",
        good.upper(),
        good + "0",
        "%2e%2e",
        f"msg_{ULID}",
        f"{kind}_{'I' * 26}",
        good + "%0a",
        "%00",
    )


def test_each_wrong_request_is_a_problem_with_its_code_and_nothing_is_kept(world: World) -> None:
    for method, path in WITH_BODY:
        for body, code in EACH_BODY:
            answer = world.call(method, path, body)
            assert answer.json_body["code"] == code, (method, path, body, answer.json_body)
            assert answer.status_code == KINDS[code].status
    for method, path, body, code, field in RUDE:
        told = world.call(method, path, body).json_body
        assert told["code"] == code, (method, path, body, told)
        fields = [(error.get("pointer") or error.get("parameter"), error["code"]) for error in told["errors"]]
        assert fields == ([field] if field else []), (method, path, body, told)
    for path in LISTS:
        assert world.call("GET", path).json_body["data"] == []
        for query in BAD_QUERIES:
            assert world.call("GET", f"{path}?{query}").json_body["code"] == "invalid_request", (path, query)
        for cursor in BAD_CURSORS:
            assert world.call("GET", f"{path}?cursor={cursor}").json_body["code"] == "invalid_cursor", (path, cursor)


def test_what_is_not_there_or_not_ones_own_is_not_found(world: World) -> None:
    for method, path, kind, body in NAMED:
        for id_ in bad_ids(kind):
            answer = world.call(method, path.format(id_), body)
            assert answer.json_body["code"] == "not_found", (method, path, id_, answer.json_body)
    for method, path, body in OF_NUMBERS:
        for number in BAD_NUMBERS:
            answer = world.call(method, path.format(number), body)
            assert answer.json_body["code"] == "not_found", (method, path, number, answer.json_body)
    group = made_group(world, "mine")
    contact(world, NUMBER, group_ids=[group])
    exported = world.call("POST", "/v1/contact-exports", {}).json_body["id"]
    stranger = world.customer(Account(id="acc_two", name="Two", created_ms=0), 1)
    own = {"grp": group, "exp": exported}
    for method, path, kind, body in [*NAMED, *((method, path, "", body) for method, path, body in OF_NUMBERS)]:
        if kind in own or not kind:
            where = path.format(own.get(kind, NUMBER))
            assert world.call(method, where, body, key=stranger).json_body["code"] == "not_found", (method, path)
            assert world.call(method, where, body, key=world.admin).json_body["code"] == "wrong_role"
            assert world.call(method, where, body, key="").json_body["code"] == "missing_api_key"


def made_group(world: World, name: str) -> str:
    return str(world.call("POST", "/v1/groups", {"name": name}).json_body["id"])


def contact(world: World, number: str, **more: Any) -> dict[str, Any]:
    answer = world.call("POST", "/v1/contacts", {"number": number, **more})
    assert answer.status_code == 201, answer.json_body
    return dict(answer.json_body)


def numbers(world: World, path: str) -> list[str]:
    return [one["number"] for one in world.call("GET", path).json_body["data"]]


def test_a_contact_is_in_many_groups_moved_between_them_changed_found_and_deleted(world: World) -> None:
    friends, family = made_group(world, "friends"), made_group(world, "family")
    ana = contact(world, NUMBER, name="José Ángel", attributes={"First City": " Lima "}, group_ids=[friends])
    assert ana["attributes"] == {"first_city": "Lima"}
    contact(world, OTHER, name="Luis")
    assert world.call("POST", "/v1/contacts", {"number": NUMBER}).json_body["code"] == "already_exists"
    added = world.call("PUT", f"/v1/groups/{family}/contacts/{NUMBER}").json_body
    assert {group["id"] for group in added["groups"]} == {friends, family}
    world.call("PUT", f"/v1/groups/{family}/contacts/{OTHER}")
    assert numbers(world, f"/v1/groups/{family}/contacts") == [NUMBER, OTHER]
    page = world.call("GET", f"/v1/groups/{family}/contacts?limit=1").json_body
    assert numbers(world, f"/v1/groups/{family}/contacts?cursor={page['next_cursor']}") == [OTHER]
    for _ in range(2):
        moved = world.call("POST", f"/v1/contacts/{OTHER}/move", {"from": family, "to": friends}).json_body
        assert [group["id"] for group in moved["groups"]] == [friends]
    world.call("DELETE", f"/v1/groups/{family}/contacts/{OTHER}")
    third = made_group(world, "third")
    stays = world.call("POST", f"/v1/contacts/{OTHER}/move", {"from": family, "to": third})
    assert stays.json_body["code"] == "not_found"
    assert numbers(world, "/v1/contacts?prefix=34600000002") == [OTHER]
    assert numbers(world, "/v1/contacts?name=JOSE%20a") == [NUMBER]
    assert numbers(world, "/v1/contacts?name=lu") == [OTHER]
    changed = world.call("PUT", f"/v1/contacts/{NUMBER}", {"version": 1, "attributes": {"vip": "yes"}}).json_body
    assert (changed["name"], changed["attributes"], changed["version"]) == ("", {"vip": "yes"}, 2)
    assert numbers(world, "/v1/contacts?name=jose") == []
    stale = world.call("PUT", f"/v1/contacts/{NUMBER}", {"version": 1})
    assert stale.json_body["code"] == "version_conflict"
    assert world.call("DELETE", f"/v1/contacts/{NUMBER}").status_code == 200
    assert numbers(world, f"/v1/groups/{friends}/contacts") == [OTHER]
    contact(world, NUMBER)
    assert numbers(world, f"/v1/groups/{friends}/contacts") == [OTHER]  # the new one is in none


def test_a_group_is_renamed_and_deleted_with_what_was_in_it_but_not_its_contacts(world: World) -> None:
    group = made_group(world, "a")
    assert world.call("PUT", f"/v1/groups/{group}", {"name": "b"}).json_body["name"] == "b"
    contact(world, NUMBER, group_ids=[group])
    assert world.call("DELETE", f"/v1/groups/{group}").json_body == {"id": group}
    assert world.call("GET", f"/v1/contacts/{NUMBER}").json_body["groups"] == []
    (work,) = works(("forget",))
    for _ in range(2):
        go_on(work)
    assert list(memberships.numbers_of(group)) == []
    assert world.call("GET", "/v1/groups").json_body["data"] == []


def test_an_account_has_so_many_groups_and_contacts_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keep_groups, "MAX_GROUPS", 1)
    monkeypatch.setattr(keep_contacts, "MAX_CONTACTS", 1)
    group = made_group(world, "a")
    contact(world, NUMBER)
    assert world.call("POST", "/v1/groups", {"name": "b"}).json_body["code"] == "too_many"
    assert world.call("POST", "/v1/contacts", {"number": OTHER}).json_body["code"] == "too_many"
    world.call("DELETE", f"/v1/groups/{group}")
    world.call("DELETE", f"/v1/contacts/{NUMBER}")
    made_group(world, "b")
    contact(world, OTHER)


def test_contacts_are_imported_with_each_bad_row_named_and_exported_as_they_were(world: World) -> None:
    group = made_group(world, "g")
    contact(world, NUMBER, name="Ana", attributes={"city": "Lima", "age": "40"})
    raw = (
        "Phone;Name;City;Note\n"
        f"{NUMBER};;Cusco;=1+1\n"
        "nobody;x;;\n"
        f'{OTHER};Luis;"Puno; Peru";"@x"\n'
        f"{OTHER};again;;\n"
        f"+34600000003;{'x' * 101};;\n"
    ).encode("utf-16")
    upload = world.call("POST", "/v1/uploads").json_body["id"]
    job_files.put(job_files.upload_key(ACCOUNT.id, upload), raw)
    begun = world.call("POST", "/v1/contact-imports", {"upload_id": upload, "group_ids": [group]})
    assert (begun.status_code, begun.json_body["status"]) == (202, "running")
    path = f"/v1/contact-imports/{begun.json_body['id']}"
    for work in works(("import",)) * 2:
        go_on(work, world.now_ms())
    told = world.call("GET", path).json_body
    assert (told["status"], told["rows"], told["imported"], told["invalid"]) == ("completed", 5, 2, 3)
    bad = world.call("GET", f"{path}/invalid-rows").json_body["data"]
    assert [(row["line"], row["code"]) for row in bad] == [(3, "invalid_number"), (5, "duplicate"), (6, "too_long")]
    page = world.call("GET", f"{path}/invalid-rows?limit=2").json_body
    rest = world.call("GET", f"{path}/invalid-rows?cursor={page['next_cursor']}").json_body
    assert [row["line"] for row in rest["data"]] == [6]
    ana = world.call("GET", f"/v1/contacts/{NUMBER}").json_body
    assert (ana["name"], ana["attributes"]) == ("Ana", {"city": "Cusco", "age": "40", "note": "=1+1"})
    assert numbers(world, f"/v1/groups/{group}/contacts") == [NUMBER, OTHER]

    for body in ({}, {"group_id": group}):
        export = world.call("POST", "/v1/contact-exports", body).json_body["id"]
        assert world.call("GET", f"/v1/contact-exports/{export}").status_code == 202
        for work in works(("export",)) * 2:
            go_on(work, world.now_ms())
        made = world.call("GET", f"/v1/contact-exports/{export}")
        assert (made.status_code, made.json_body["rows"]) == (200, 2)
        raw = job_files.get(f"{job_files.upload_key(ACCOUNT.id, export)}/contacts.csv")
        rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
        assert rows == [
            ["number", "name", "age", "city", "note"],
            [NUMBER, "Ana", "40", "Cusco", "'=1+1"],
            [OTHER, "Luis", "", "Puno; Peru", "'@x"],
        ]
    world.call("DELETE", f"/v1/contacts/{NUMBER}")
    job_files.put(job_files.upload_key(ACCOUNT.id, upload), raw)
    world.call("POST", "/v1/contact-imports", {"upload_id": upload})
    for work in works(("import",)):
        go_on(work, world.now_ms())
    again = world.call("GET", f"/v1/contacts/{NUMBER}").json_body
    assert (again["name"], again["attributes"]) == (ana["name"], ana["attributes"])
