"""What protects recipients, through the API: lists, rules, hours, held messages; each from its making to its effect."""

from typing import Any

from chalicelib import wire
from chalicelib.services.charge import charge
from chalicelib.services.route import route
from chalicelib.services.settle import settle
from chalicelib.store import cached, queues, rules
from tests.chalicelib.api.world import NUMBER, World
from tests.chalicelib.services.world import waiting

OTHER = "+34600000002"


def publish(world: World) -> None:
    """As the rules of the world are edited: with its gateways and routes."""
    routes = {"targets": [{"gateway": "real"}], "price": "0.05"}
    gateway = {"id": "real", "name": "x", "host": "h", "port": 1, "system_id": "x", "password": "x"}
    if world.as_admin("POST", "/v1/admin/gateways", gateway).status_code == 201:  # the first time
        world.as_admin("POST", "/v1/admin/routes", routes)
    assert world.as_admin("POST", "/v1/admin/rules/publish", {}).status_code == 201
    rules.forget()
    cached.forget_all()


def pass_on(world: World) -> None:
    """Route, charge and settle what waits."""
    route([one for one in waiting(queues.ACCEPTED) if isinstance(one, wire.AcceptedBundle)], world.now_ms())
    charge([one for one in waiting(queues.BILLING) if isinstance(one, wire.RoutedBundle)], world.now_ms())
    settle([one for one in waiting(queues.OUTCOMES) if isinstance(one, wire.OutcomeBundle)], world.now_ms())


def end_of(world: World, **message: Any) -> tuple[str, str | None]:
    """What becomes of a message: its status and its error's code."""
    sent = world.send(message)
    assert sent.status_code == 202, sent.json_body
    pass_on(world)
    told = world.call("GET", f"/v1/messages/{sent.json_body['id']}").json_body
    return told["status"], told["error"]["code"] if told["error"] else None


def test_a_number_on_dnd_is_left_in_peace_until_it_is_taken_off(world: World) -> None:
    publish(world)
    assert world.as_admin("POST", "/v1/admin/dnd", {"number": "+34 600 00 00 01"}).json_body["number"] == NUMBER
    assert end_of(world) == ("rejected", "dnd")
    assert end_of(world, to=OTHER) == ("queued", None)
    assert world.as_admin("GET", f"/v1/admin/dnd/{NUMBER[1:]}").json_body["country"] == "ES"
    assert world.as_admin("DELETE", f"/v1/admin/dnd/{NUMBER}").status_code == 200
    assert world.as_admin("GET", f"/v1/admin/dnd/{NUMBER}").status_code == 404
    assert end_of(world) == ("queued", None)


def test_dnd_is_imported_searched_and_paged(world: World) -> None:
    raw = b"number\n" + b"".join(b"60000000%d\n" % n for n in range(10)) + b"nonsense\n+5215512345678\n"
    headers = {"Content-Type": "text/csv"}
    told = world.as_admin("POST", "/v1/admin/dnd/import?country=ES", raw, headers=headers).json_body
    assert (told["imported"], told["invalid"], told["bad_lines"][0]["line"]) == (11, 1, 12)
    pages = []
    cursor = ""
    while True:
        answer = world.as_admin("GET", f"/v1/admin/dnd?country=ES&prefix=346000&limit=4{cursor}").json_body
        pages.append([one["number"] for one in answer["data"]])
        if answer["next_cursor"] is None:
            break
        cursor = f"&cursor={answer['next_cursor']}"
    assert [len(page) for page in pages if page] == [4, 4, 2]
    assert [one["number"] for one in world.as_admin("GET", "/v1/admin/dnd?country=MX").json_body["data"]] == [
        "+525512345678"
    ]


def test_an_account_with_the_right_passes_dnd_with_what_is_transactional(world: World) -> None:
    publish(world)
    world.as_admin("POST", "/v1/admin/dnd", {"number": NUMBER})
    refused = world.send({"category": "transactional"})
    assert [(one["pointer"], one["code"]) for one in refused.json_body["errors"]] == [("/category", "not_allowed")]
    held = world.as_admin("GET", f"/v1/admin/accounts/{world.account.id}").json_body
    change = {"name": "One", "default_sender": "Chasqui", "traffic": "transactional", "version": held["version"]}
    assert world.as_admin("PUT", f"/v1/admin/accounts/{world.account.id}", change).status_code == 200
    cached.forget_all()
    assert end_of(world) == ("queued", None)
    assert end_of(world, category="promotional") == ("rejected", "dnd")


def test_opt_outs_are_noted_found_and_undone_and_survive_an_administrators_change(world: World) -> None:
    publish(world)
    told = world.call("POST", "/v1/opt-outs", {"number": NUMBER})
    assert (told.status_code, told.json_body["way"]) == (201, "api")
    held = world.as_admin("GET", f"/v1/admin/accounts/{world.account.id}").json_body
    world.as_admin(
        "PUT",
        f"/v1/admin/accounts/{world.account.id}",
        {"name": "One", "default_sender": "Chasqui", "version": held["version"]},
    )
    assert end_of(world) == ("rejected", "opted_out")
    imported = world.call("POST", "/v1/opt-outs/import", [OTHER, "x", OTHER]).json_body
    assert (imported["imported"], imported["repeated"], imported["invalid"]) == (1, 1, 1)
    listed = world.call("GET", "/v1/opt-outs?prefix=34600").json_body["data"]
    assert [one["number"] for one in listed] == [NUMBER, OTHER]
    assert world.call("DELETE", f"/v1/opt-outs/{NUMBER}").json_body == {"number": NUMBER}
    assert world.call("DELETE", f"/v1/opt-outs/{NUMBER}").status_code == 404
    assert end_of(world) == ("queued", None)


def test_an_account_has_words_of_its_own_or_those_of_all(world: World) -> None:
    everyones = world.call("GET", "/v1/opt-outs/keywords").json_body
    assert [one["language"] for one in everyones["languages"]] == ["en", "es", "pt"]
    own = {"languages": [{"language": "de", "leave": ["ENDE"], "come_back": ["WEITER"]}]}
    world.call("PUT", "/v1/opt-outs/keywords", own)
    cached.forget_all()
    assert [one["leave"] for one in world.call("GET", "/v1/opt-outs/keywords").json_body["languages"]] == [["ENDE"]]
    assert world.call("PUT", "/v1/opt-outs/keywords", {"languages": []}).json_body == everyones


def test_a_content_rule_is_tried_published_hit_and_counted(world: World) -> None:
    rule = {"kind": "regex", "patterns": [r"gana\s+dinero"], "action": "block"}
    made = world.as_admin("POST", "/v1/admin/content-rules", rule).json_body
    tried = world.as_admin("POST", "/v1/admin/content-rules/try", {"text": "GANA  dinero"}).json_body
    assert (tried["action"], tried["hits"][0]["rule"]) == ("block", made["id"])
    text = {"text": "GANA dinero", "published": True}
    assert world.as_admin("POST", "/v1/admin/content-rules/try", text).json_body["action"] is None
    publish(world)
    assert world.as_admin("POST", "/v1/admin/content-rules/try", text).json_body["action"] == "block"
    assert end_of(world, text="Gana dinero ya") == ("rejected", "content_blocked")
    told = world.as_admin("GET", f"/v1/admin/content-rules/{made['id']}").json_body
    assert (told["hits"], told["last_hit_at"] is not None) == (1, True)
    change = {**rule, "action": "report", "version": 1}
    assert world.as_admin("PUT", f"/v1/admin/content-rules/{made['id']}", change).json_body["hits"] == 1
    assert world.as_admin("PUT", f"/v1/admin/content-rules/{made['id']}", change).status_code == 409
    assert world.as_admin("DELETE", f"/v1/admin/content-rules/{made['id']}").status_code == 200


def test_a_held_message_is_listed_and_let_go_or_dropped(world: World) -> None:
    rule = {"kind": "word", "patterns": ["prestamo"], "action": "hold"}
    made = world.as_admin("POST", "/v1/admin/content-rules", rule).json_body
    publish(world)
    ids = [world.send({"text": "un préstamo"}).json_body["id"] for _ in range(2)]
    pass_on(world)
    listed = world.as_admin("GET", f"/v1/admin/held?account={world.account.id}").json_body["data"]
    assert [one["id"] for one in listed] == sorted(ids, reverse=True)
    assert {(one["rule"], one["state"], one["text"]) for one in listed} == {(made["id"], "waiting", "un préstamo")}
    assert [event["kind"] for event in world.call("GET", f"/v1/messages/{ids[0]}/events").json_body["data"]] == [
        "accepted",
        "held",
    ]
    assert world.as_admin("POST", f"/v1/admin/held/{ids[0]}/release").json_body["state"] == "released"
    assert world.as_admin("POST", f"/v1/admin/held/{ids[1]}/drop").json_body["state"] == "dropped"
    assert world.as_admin("POST", f"/v1/admin/held/{ids[1]}/release").json_body["code"] == "already_settled"
    pass_on(world)
    statuses = [world.call("GET", f"/v1/messages/{id_}").json_body["status"] for id_ in ids]
    assert statuses == ["queued", "rejected"]
    assert world.as_admin("GET", "/v1/admin/held").json_body["data"] == []


def test_senders_and_hours_are_refused_as_published(world: World) -> None:
    rule = {"senders": ["Acme", "+34 600 000 001"], "country": "ES"}
    made = world.as_admin("POST", "/v1/admin/sender-rules", rule).json_body
    assert made["senders"] == ["Acme", "+34600000001"]
    hours = {"time_zone": "Europe/Madrid", "opens": "10:00", "closes": "10:00"}
    assert world.as_admin("PUT", "/v1/admin/countries/ES", hours).json_body["opens"] == "10:00"
    publish(world)
    refused = world.send()
    assert (refused.status_code, refused.json_body["code"]) == (422, "sender_not_allowed")
    assert end_of(world, **{"from": "Acme"}) == ("rejected", "outside_hours")
    world.as_admin("DELETE", "/v1/admin/countries/ES")
    publish(world)
    assert end_of(world, **{"from": "Acme"}) == ("queued", None)


def test_two_sender_rules_for_the_same_cannot_be_published(world: World) -> None:
    for _ in range(2):
        world.as_admin("POST", "/v1/admin/sender-rules", {"country": "ES", "senders": ["A"]})
    world.as_admin("POST", "/v1/admin/sender-rules", {"country": "ES", "senders": ["A"], "state": "paused"})
    refused = world.as_admin("POST", "/v1/admin/rules/publish", {}).json_body
    assert (refused["code"], [one["code"] for one in refused["errors"]]) == ("rules_invalid", ["repeated"])


REGEX, WORD = {"kind": "regex", "action": "block"}, {"kind": "word", "action": "block"}
DE = {"language": "de", "leave": ["X"], "come_back": ["Y"]}
ZONE = {"time_zone": "Europe/Madrid"}
# Where, as whom and with what → status and code, and of the first field at fault its pointer and code.
RUDE: list[tuple[str, str, bool, Any, int, str, str | None, str | None]] = [
    *(
        (method, path, as_admin, body, status, code, pointer, fault)
        for method, path, as_admin in (
            ("POST", "/v1/opt-outs", False),
            ("POST", "/v1/admin/dnd", True),
        )
        for body, status, code, pointer, fault in (
            (b"", 400, "malformed_json", None, None),
            (b'{"number": "\xff"}', 400, "malformed_json", None, None),
            ([], 422, "invalid_request", "", "wrong_type"),
            ({}, 422, "invalid_request", "/number", "missing"),
            ({"number": 34600000001}, 422, "invalid_request", "/number", "wrong_type"),
            ({"number": ""}, 422, "invalid_request", "/number", "too_short"),
            ({"number": "1" * 41}, 422, "invalid_request", "/number", "too_long"),
            ({"number": "call me"}, 422, "invalid_request", "/number", "invalid_number"),
            ({"number": "+999123456789"}, 422, "invalid_request", "/number", "invalid_number"),
            ({"number": "+34600000001\x00"}, 422, "invalid_request", "/number", "invalid_number"),
            ({"number": NUMBER, "why": "x"}, 422, "invalid_request", "/why", "unknown_field"),
            ({"number": None}, 422, "invalid_request", "/number", "wrong_type"),
        )
    ),
    *(
        (method, path, as_admin, body, status, code, pointer, fault)
        for method, path, as_admin in (
            ("POST", "/v1/opt-outs/import", False),
            ("POST", "/v1/admin/dnd/import", True),
        )
        for body, status, code, pointer, fault in (
            (b"[", 400, "malformed_json", None, None),
            ([], 422, "invalid_request", "", "too_short"),
            ({}, 422, "invalid_request", "", "wrong_type"),
            ([5], 422, "invalid_request", "/0", "wrong_type"),
            (["x", None], 422, "invalid_request", "/1", "wrong_type"),
            ([""], 422, "invalid_request", "/0", "too_short"),
            (["1" * 41], 422, "invalid_request", "/0", "too_long"),
            ("+34600000001", 422, "invalid_request", "", "wrong_type"),
            (["1"] * 20_001, 422, "invalid_request", "", "too_long"),
            (b" " * 2_000_001, 413, "body_too_large", None, None),
        )
    ),
    *(
        ("PUT", "/v1/opt-outs/keywords", False, body, 422, "invalid_request", pointer, fault)
        for body, pointer, fault in (
            ({}, "/languages", "missing"),
            ({"languages": "es"}, "/languages", "wrong_type"),
            ({"languages": [{**DE, "language": "DE"}]}, "/languages/0/language", "invalid_format"),
            ({"languages": [{**DE, "leave": []}]}, "/languages/0/leave", "too_short"),
            ({"languages": [{**DE, "leave": ["two words"]}]}, "/languages/0/leave/0", "invalid_format"),
            ({"languages": [{**DE, "leave": [""]}]}, "/languages/0/leave/0", "invalid_format"),
            ({"languages": [{**DE, "come_back": ["x" * 21]}]}, "/languages/0/come_back/0", "invalid_format"),
            ({"languages": [{**DE, "left_text": "x" * 460}]}, "/languages/0/left_text", "too_long"),
            ({"languages": [DE] * 11}, "/languages", "too_long"),
            ({"languages": [{**DE, "extra": 1}]}, "/languages/0/extra", "unknown_field"),
        )
    ),
    *(
        ("POST", "/v1/admin/content-rules", True, body, 422, "invalid_request", pointer, fault)
        for body, pointer, fault in (
            ({}, "/kind", "missing"),
            ({**WORD}, "/patterns", "missing"),
            ({**WORD, "patterns": []}, "/patterns", "too_short"),
            ({**WORD, "patterns": [""]}, "/patterns/0", "too_short"),
            ({**WORD, "patterns": ["x" * 201]}, "/patterns/0", "too_long"),
            ({**WORD, "patterns": ["a", "b c"]}, "/patterns/1", "invalid_pattern"),
            ({**WORD, "patterns": ["a"] * 201}, "/patterns", "too_long"),
            ({**REGEX, "patterns": ["("]}, "/patterns/0", "invalid_pattern"),
            ({**REGEX, "patterns": [r"(a)\1"]}, "/patterns/0", "invalid_pattern"),
            ({**WORD, "patterns": ["a"], "action": "delete"}, "/action", "not_allowed"),
            ({**WORD, "patterns": ["a"], "kind": "glob"}, "/kind", "not_allowed"),
            ({**WORD, "patterns": ["a"], "account": "a b"}, "/account", "invalid_format"),
            ({**WORD, "patterns": "a"}, "/patterns", "wrong_type"),
        )
    ),
    *(
        ("POST", "/v1/admin/content-rules/try", True, body, 422, "invalid_request", pointer, fault)
        for body, pointer, fault in (
            ({}, "/text", "missing"),
            ({"text": ""}, "/text", "too_short"),
            ({"text": "x" * 40_000}, "/text", "too_long"),
            ({"text": 5}, "/text", "wrong_type"),
            ({"text": "x", "published": 1}, "/published", "wrong_type"),
            ({"text": "x", "account": ""}, "/account", "invalid_format"),
            ({"text": "x", "rule": "y"}, "/rule", "unknown_field"),
        )
    ),
    *(
        ("POST", "/v1/admin/sender-rules", True, body, 422, "invalid_request", pointer, fault)
        for body, pointer, fault in (
            ({"senders": "x"}, "/senders", "wrong_type"),
            ({"senders": [""]}, "/senders/0", "too_short"),
            ({"senders": ["abcdefghijkl"]}, "/senders/0", "invalid_sender"),
            ({"senders": ["Acme", "1234567890123456"]}, "/senders/1", "invalid_sender"),
            ({"senders": ["a@b"]}, "/senders/0", "invalid_sender"),
            ({"senders": ["x"] * 501}, "/senders", "too_long"),
            ({"forms": ["any"]}, "/forms/0", "not_allowed"),
            ({"replacement": "abcdefghijkl"}, "/replacement", "invalid_sender"),
            ({"country": "es"}, "/country", "invalid_format"),
            ({"account": "a b"}, "/account", "invalid_format"),
            ({"state": "off"}, "/state", "not_allowed"),
        )
    ),
    *(
        ("PUT", "/v1/admin/countries/ES", True, body, 422, "invalid_request", pointer, fault)
        for body, pointer, fault in (
            ({}, "/time_zone", "missing"),
            ({"time_zone": "Mars/Olympus"}, "/time_zone", "invalid_time_zone"),
            ({"time_zone": "../../etc/passwd"}, "/time_zone", "invalid_time_zone"),
            ({"time_zone": ""}, "/time_zone", "too_short"),
            ({**ZONE, "opens": "9:00"}, "/opens", "invalid_format"),
            ({**ZONE, "opens": "24:01"}, "/opens", "invalid_format"),
            ({**ZONE, "closes": "09:60"}, "/closes", "invalid_format"),
            ({**ZONE, "closes": 21}, "/closes", "wrong_type"),
            ({**ZONE, "days": []}, "/days", "too_short"),
            ({**ZONE, "days": [0]}, "/days/0", "out_of_range"),
            ({**ZONE, "days": [1, 8]}, "/days/1", "out_of_range"),
        )
    ),
    *(
        (method, path, True, body, 404, "not_found", None, None)
        for method, path, body in (
            ("GET", "/v1/admin/dnd/call-me", None),
            ("GET", "/v1/admin/dnd/0", None),
            ("DELETE", "/v1/admin/dnd/34600000001", None),
            ("GET", "/v1/admin/held/nonsense", None),
            ("POST", "/v1/admin/held/msg_0/release", None),
            ("POST", "/v1/admin/held/msg_01ARZ3NDEKTSV4RRFFQ69G5FAV/drop", None),
            ("GET", "/v1/admin/content-rules/spm_0", None),
            ("DELETE", "/v1/admin/sender-rules/snd_0", None),
            ("PUT", "/v1/admin/sender-rules/snd_0", {"version": 1}),
            ("PUT", "/v1/admin/countries/es", ZONE),
            ("DELETE", "/v1/admin/countries/FR", None),
        )
    ),
]
QUERIES = [
    ("/v1/admin/dnd", "country", "missing"),
    ("/v1/admin/dnd?country=es", "country", "invalid_format"),
    ("/v1/admin/dnd?country=ES&prefix=x", "prefix", "invalid_format"),
    ("/v1/admin/dnd?country=ES&limit=0", "limit", "out_of_range"),
    ("/v1/admin/held?state=gone", "state", "not_allowed"),
    ("/v1/admin/held?account=a+b", "account", "invalid_format"),
    ("/v1/opt-outs?limit=101", "limit", "out_of_range"),
    ("/v1/opt-outs?prefix=", "prefix", "invalid_format"),
    ("/v1/opt-outs?page=2", "page", "unknown_field"),
]


def test_every_rude_request_is_a_problem_with_its_code_and_changes_nothing(world: World) -> None:
    for method, path, as_admin, body, status, code, pointer, fault in RUDE:
        answer = world.call(method, path, body, key=world.admin if as_admin else world.live)
        told = answer.json_body
        assert (answer.status_code, told["code"]) == (status, code), (method, path, str(body)[:80], told)
        found = [(one["pointer"], one["code"]) for one in told["errors"]][:1]
        assert found == ([] if pointer is None else [(pointer, fault)]), (method, path, str(body)[:80], told)
    for path in (
        "/v1/admin/dnd?country=ES",
        "/v1/admin/content-rules",
        "/v1/admin/sender-rules",
        "/v1/admin/countries",
    ):
        assert world.as_admin("GET", path).json_body["data"] == []
    assert world.call("GET", "/v1/opt-outs").json_body["data"] == []


def test_a_bad_parameter_is_named(world: World) -> None:
    for path, name, fault in QUERIES:
        answer = world.call("GET", path, key=world.admin if "/admin/" in path else world.live)
        assert [(one["parameter"], one["code"]) for one in answer.json_body["errors"]] == [(name, fault)], path


def test_a_cursor_of_another_account_or_filter_is_refused(world: World) -> None:
    world.call("POST", "/v1/opt-outs/import", [NUMBER, OTHER])
    cursor = world.call("GET", "/v1/opt-outs?limit=1").json_body["next_cursor"]
    assert cursor
    refused = world.call("GET", f"/v1/opt-outs?limit=1&prefix=34&cursor={cursor}")
    assert (refused.status_code, refused.json_body["code"]) == (400, "invalid_cursor")


def test_a_list_that_is_too_long_is_refused_before_anything_is_written(world: World) -> None:
    raw = b"+34600000001\n" * 20_001
    answer = world.call("POST", "/v1/opt-outs/import", raw, headers={"Content-Type": "text/csv"})
    assert (answer.status_code, answer.json_body["code"]) == (422, "list_too_long")
    assert world.call("GET", "/v1/opt-outs").json_body["data"] == []
