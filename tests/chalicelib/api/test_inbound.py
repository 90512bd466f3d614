"""Numbers are assigned by the administrator; customers read what people wrote; every rude way is refused."""

from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.inbound import UNASSIGNED, Inbound, inbound_id
from chalicelib.domain.text import Encoding
from chalicelib.store import inbound
from tests.chalicelib.api.world import ACCOUNT, World

NUMBERS = "/v1/admin/numbers"
PLAIN = {"number": "+34911234567", "account": ACCOUNT.id}
NOBODYS = "in_01K00000000000000000000000"
DAY_MS = 86_400_000


def keep(world: World, days_ago: int = 0, account: str = ACCOUNT.id, **more: Any) -> str:
    at_ms = world.now_ms() - days_ago * DAY_MS
    given: dict[str, Any] = {"text": "hola", "encoding": Encoding.GSM7, **more}
    message = Inbound(
        id=f"in_{inbound_id(at_ms, days_ago, len(given['text']))}",
        account=account,
        at_ms=at_ms,
        sender="+34600000001",
        recipient="12345",
        gateway="gw",
        **given,
    )
    assert inbound.keep(message, 90)
    return message.id


def day(days_ago: int) -> str:
    return datetime.fromtimestamp(World.now_ms() / 1000 - 86_400 * days_ago, UTC).strftime("%Y-%m-%d")


def test_a_number_is_assigned_changed_listed_and_released(world: World) -> None:
    made = world.as_admin("POST", NUMBERS, {**PLAIN, "reply": "Thank you."})
    assert made.status_code == 201
    assert (made.json_body["id"], made.json_body["version"]) == ("34911234567", 1)
    again = world.as_admin("POST", NUMBERS, PLAIN)
    assert (again.status_code, again.json_body["code"]) == (409, "already_exists")
    path = f"{NUMBERS}/34911234567"
    keywords = [{"word": "PIZZA", "account": ACCOUNT.id, "reply": "Coming."}]
    changed = world.as_admin("PUT", path, {"version": 1, "keywords": keywords}).json_body
    assert (changed["account"], changed["keywords"][0]["word"], changed["version"]) == (None, "pizza", 2)
    assert world.as_admin("GET", path).json_body == changed
    assert world.as_admin("GET", NUMBERS).json_body["data"] == [changed]
    assert world.as_admin("PUT", path, {"version": 1, "account": ACCOUNT.id}).json_body["code"] == "version_conflict"
    assert world.as_admin("DELETE", path).status_code == 200
    assert world.as_admin("DELETE", path).status_code == 404


def test_a_short_code_of_one_gateway_is_another_number_than_everybodys(world: World) -> None:
    for gateway in (None, "gw-es"):
        body = {"number": "12345", "account": ACCOUNT.id, **({"gateway": gateway} if gateway else {})}
        assert world.as_admin("POST", NUMBERS, body).status_code == 201
    assert world.as_admin("GET", f"{NUMBERS}/sc-12345.gw-es").json_body["gateway"] == "gw-es"
    assert world.as_admin("GET", f"{NUMBERS}/sc-12345").json_body["gateway"] is None


BODIES: list[tuple[str, Any, str, str]] = [
    ("no JSON", b"{", "malformed_json", ""),
    ("no number", {"account": ACCOUNT.id}, "invalid_request", "/number"),
    ("letters", {**PLAIN, "number": "ACME"}, "invalid_request", "/number"),
    ("a code of two digits", {**PLAIN, "number": "12"}, "invalid_request", "/number"),
    ("a national number", {**PLAIN, "number": "911234567"}, "invalid_request", "/number"),
    ("Arabic digits", {**PLAIN, "number": "١٢٣٤"}, "invalid_request", "/number"),
    ("a line end", {**PLAIN, "number": "12345\n"}, "invalid_request", "/number"),
    ("nobody's", {"number": "12345"}, "invalid_request", "/account"),
    ("an unknown account", {**PLAIN, "account": "acc_none"}, "invalid_request", "/account"),
    ("an unknown login", {**PLAIN, "login": "none"}, "invalid_request", "/login"),
    ("an unknown field", {**PLAIN, "color": "red"}, "invalid_request", "/color"),
    ("a gateway that is no id", {**PLAIN, "gateway": "A B"}, "invalid_request", "/gateway"),
    ("an endless reply", {**PLAIN, "reply": "x" * 919}, "invalid_request", "/reply"),
    (
        "a keyword of two words",
        {**PLAIN, "keywords": [{"word": "two words", "account": ACCOUNT.id}]},
        "invalid_request",
        "/keywords/0/word",
    ),
    (
        "a keyword of signs",
        {**PLAIN, "keywords": [{"word": "!?", "account": ACCOUNT.id}]},
        "invalid_request",
        "/keywords/0/word",
    ),
    (
        "a keyword twice",
        {**PLAIN, "keywords": [{"word": word, "account": ACCOUNT.id} for word in ("a", "A")]},
        "invalid_request",
        "/keywords/1/word",
    ),
    (
        "a keyword of nobody",
        {**PLAIN, "keywords": [{"word": "a", "account": "acc_none"}]},
        "invalid_request",
        "/keywords/0/account",
    ),
    (
        "too many keywords",
        {**PLAIN, "keywords": [{"word": f"w{number}", "account": ACCOUNT.id} for number in range(201)]},
        "invalid_request",
        "/keywords",
    ),
]


def test_a_rude_number_is_refused_by_its_code(world: World) -> None:
    for name, body, code, pointer in BODIES:
        told = world.as_admin("POST", NUMBERS, body).json_body
        assert (name, told["code"]) == (name, code)
        assert [error["pointer"] for error in told["errors"]] == ([pointer] if pointer else [])
    assert world.as_admin("GET", NUMBERS).json_body["data"] == []


IDS = ["1", "sc-1", "sc-123456789", "+34911234567", "34911234567", "sc-12345.", "sc-12345.A", "0123456789", "..", "x"]


def test_a_number_that_is_not_there_is_not_found(world: World) -> None:
    for id_ in IDS:
        for method, body in (("GET", None), ("DELETE", None), ("PUT", {"version": 1, "account": ACCOUNT.id})):
            answer = world.as_admin(method, f"{NUMBERS}/{id_}", body)
            assert (id_, answer.status_code, answer.json_body["code"]) == (id_, 404, "not_found")


def test_inbound_messages_are_listed_newest_first_by_the_day_and_page(world: World) -> None:
    today, yesterday, old = keep(world), keep(world, 1, text="ayer"), keep(world, 40, text="antes")

    def listed(query: str = "") -> list[str]:
        answer = world.call("GET", f"/v1/inbound{query}")
        return [message["id"] for message in answer.json_body["data"]]

    assert listed() == [today]
    assert listed(f"?date_from={day(1)}&date_to={day(0)}") == [today, yesterday]
    assert listed(f"?date_from={day(50)}") == [today, yesterday, old]
    query = f"?date_from={day(50)}&limit=2"
    first = world.call("GET", f"/v1/inbound{query}").json_body
    assert [message["id"] for message in first["data"]] == [today, yesterday]
    assert listed(f"{query}&cursor={first['next_cursor']}") == [old]


def test_an_inbound_message_is_read_by_its_owner_alone(world: World) -> None:
    id_ = keep(world, text="", data=b"\x00\xff", encoding=Encoding.BINARY)
    read = world.call("GET", f"/v1/inbound/{id_}").json_body
    assert (read["from"], read["to"], read["text"], read["data"]) == ("+34600000001", "12345", None, "AP8=")
    other = world.customer(type(ACCOUNT)(id="acc_two", name="Two", created_ms=0), 0)
    assert world.call("GET", f"/v1/inbound/{id_}", key=other).status_code == 404
    assert world.call("GET", "/v1/inbound", key=other).json_body["data"] == []


def test_what_is_nobodys_is_the_administrators_to_see(world: World) -> None:
    id_ = keep(world, account=UNASSIGNED)
    assert [one["id"] for one in world.as_admin("GET", "/v1/admin/inbound").json_body["data"]] == [id_]
    assert world.call("GET", "/v1/inbound").json_body["data"] == []


QUERIES = [
    "date_from=yesterday",
    "date_from=2026-13-01",
    "date_from=2026-01-02&date_to=2026-01-01",
    "date_from=2020-01-01&date_to=2026-01-01",
    "limit=0",
    "limit=1000",
    "limit=ten",
    "cursor=AAAA",
    "to=12345",
    "limit=1&limit=2",
]


def test_a_rude_query_is_refused(world: World) -> None:
    for query in QUERIES:
        for answer in (
            world.call("GET", f"/v1/inbound?{query}"),
            world.as_admin("GET", f"/v1/admin/inbound?{query}"),
        ):
            assert answer.json_body["code"] in {"invalid_request", "invalid_cursor"}, query


MESSAGES = [
    "x",
    "in_",
    NOBODYS,
    "in_" + "U" * 26,
    "msg_01K00000000000000000000000",
    "..",
    "in_01k",
    "%00",
    "-",
    "in_1#",
]


def test_an_inbound_message_that_is_not_there_is_not_found(world: World) -> None:
    for id_ in MESSAGES:
        answer = world.call("GET", f"/v1/inbound/{id_}")
        assert (id_, answer.status_code, answer.json_body["code"]) == (id_, 404, "not_found")
