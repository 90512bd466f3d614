"""The OpenAPI document: true to what the app does, by schemathesis, and readable."""

import contextlib
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from app import app
from chalicelib.api.catalogue import CATALOGUE
from chalicelib.api.problems import KINDS
from chalicelib.domain.content import Content
from chalicelib.domain.ids import new_message_id, new_ulid
from chalicelib.domain.inbound import Inbound
from chalicelib.domain.text import Encoding
from chalicelib.services.begin_session import Begun, From, begin
from chalicelib.services.issue_key import issue_customer_key
from chalicelib.services.shelve import Arrival, shelve
from chalicelib.store import held, inbound
from chalicelib.store.held import HeldMessage
from tests.chalicelib.api.world import NUMBER, World
from tests.chalicelib.api.wsgi import application
from tests.chalicelib.services.people_world import hash_quickly, person

EXAMPLES: Final = 4  # of each of 270 operations, as it should be asked, and as often as it should not
load_all_checks()
HELD_TO: Final = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    )
]


def test_every_route_of_the_app_is_in_the_document_and_the_other_way_round(world: World) -> None:
    document = world.call("GET", "/openapi.json", key="").json_body
    told = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    served = {(path, method) for path, methods in app.routes.items() for method in methods}
    assert told == served
    names = [operation.id for endpoints in CATALOGUE for operation in endpoints.operations]
    assert len(set(names)) == len(names)


def test_only_the_document_its_page_and_health_are_for_everybody(world: World) -> None:
    document = world.call("GET", "/openapi.json", key="").json_body
    open_to_all = {
        path
        for path, methods in document["paths"].items()
        for described in methods.values()
        if not described["security"]
    }
    assert open_to_all == {
        *("/openapi.json", "/docs", "/health"),
        *("/v1/login", "/v1/password-reset", "/v1/password-reset/confirm"),
        *("/v1/mail-links/stop", "/v1/mail-links/confirm"),
    }
    for endpoints in CATALOGUE:
        for operation in endpoints.operations:
            path = operation.path.replace("{", "").replace("}", "")
            status = world.call(operation.method, path, key="").status_code
            asked_for = 200 if operation.body is None else 400  # a body
            assert status == (401 if operation.role else asked_for), operation.id


def test_the_page_tells_every_operation_and_code_and_fetches_nothing(world: World) -> None:
    answer = world.call("GET", "/docs", key="")
    page = answer.body.decode()
    assert answer.headers["Content-Type"].startswith("text/html")
    for endpoints in CATALOGUE:
        for operation in endpoints.operations:
            assert f"id='{operation.id}'" in page
    for code in KINDS:
        assert f"id='problem-{code}'" in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page


@pytest.mark.timeout(180)
@pytest.mark.parametrize("role", ["customer", "admin", "person", None])
def test_what_schemathesis_thinks_of_is_answered_as_the_document_says(
    world: World, role: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hash_quickly(monkeypatch)
    schema = schemathesis.openapi.from_wsgi("/openapi.json", application)
    real = things(world)
    keys = {"customer": world.live, "admin": world.admin, "person": owner(world).token, None: ""}
    headers = {"Authorization": f"Bearer {keys[role]}"} if role else {}
    asked = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if operation.definition.raw.get("x-role") == role:
            for mode in GenerationMode:
                asked += 1
                probe(operation, mode, real, headers, EXAMPLES if role != "person" else 3)  # it ends by logging out
    assert asked


def things(world: World) -> dict[str, str]:
    """Ids of things that are there, which chance would not find. What becomes of them hurts no other operation."""
    route = {"targets": [{"gateway": "sim"}], "price": "0.1"}
    gateway = {"id": "gw", "name": "x", "host": "h", "port": 1, "system_id": "x", "password": "x"}
    world.as_admin("POST", "/v1/admin/numbering", [{"prefix": "346", "country": "ES", "operator": "X"}])
    assert world.as_admin("POST", "/v1/admin/gateways", gateway).status_code == 201
    return {
        "account": world.account.id,
        "message": world.send().json_body["id"],
        "key": issue_customer_key(world.account.id, "live", "spare", world.now_ms()).key.id,
        "gateway": "gw",
        "route": world.as_admin("POST", "/v1/admin/routes", route).json_body["id"],
        "rate_plan": rate_plan(world),
        "prefix": "346",
        "number": "1",
        "system_id": smpp_login(world),
        "msisdn": dnd_number(world),
        "rule": rule(world, "content-rules", {"kind": "word", "patterns": ["x"], "action": "hold"}),
        "sender_rule": rule(world, "sender-rules", {}),
        "held_message": held_message(world),
        **hooks_and_numbers(world),
        **people(world),
        "letter": shelve(Arrival(record="R", body="x", queue="billing"), world.now_ms()).id,  # type: ignore[union-attr]
    }


def rate_plan(world: World) -> str:
    """A rate plan with a price."""
    plan = world.as_admin("POST", "/v1/admin/rate-plans", {"id": "std", "name": "Standard"}).json_body["id"]
    prices = [{"country": "ES", "price": "0.05"}]
    assert world.as_admin("POST", f"/v1/admin/rate-plans/{plan}/prices", prices).status_code == 200
    return str(plan)


def people(world: World) -> dict[str, str]:
    """A user of the account, and one of its sessions."""
    begun = owner(world, "eva@one.example")
    return {"user": begun.session.holder, "session": begun.session.id}


def owner(world: World, email: str = "ana@one.example") -> Begun:
    """A session of an owner of the account."""
    return begin(person(email=email), From("127.0.0.1", ""), world.now_ms())


def hooks_and_numbers(world: World) -> dict[str, str]:
    """A webhook with a delivery, a number, and what somebody wrote."""
    webhook = world.call("POST", "/v1/webhooks", {"url": "https://customer.example/"}).json_body["id"]
    number = world.as_admin("POST", "/v1/admin/numbers", {"number": "12345", "account": world.account.id})
    message = Inbound(
        id=f"in_{new_ulid(world.now_ms())}",
        account=world.account.id,
        at_ms=world.now_ms(),
        sender=NUMBER,
        recipient="12345",
        gateway="sim",
        encoding=Encoding.GSM7,
        text="x",
    )
    inbound.keep(message, 1)
    return {
        "webhook": webhook,
        "delivery": world.call("POST", f"/v1/webhooks/{webhook}/test").json_body["id"],
        "inbound_number": number.json_body["id"],
        "inbound_message": message.id,
    }


def dnd_number(world: World) -> str:
    world.call("POST", "/v1/opt-outs", {"number": NUMBER})
    return str(world.as_admin("POST", "/v1/admin/dnd", {"number": NUMBER}).json_body["number"])


def rule(world: World, kind: str, body: dict[str, Any]) -> str:
    return str(world.as_admin("POST", f"/v1/admin/{kind}", body).json_body["id"])


def held_message(world: World) -> str:
    content = Content(
        to=NUMBER, country="ES", sender="A", encoding=Encoding.GSM7, parts=1, valid_until_ms=2**41, text="x"
    )
    id_ = new_message_id(world.now_ms())
    held.keep(HeldMessage(message=id_, account="acc_one", rule="r", content=content, accepted_ms=1, held_ms=1))
    return id_


def smpp_login(world: World) -> str:
    login = {"name": "x", "system_id": "acme"}
    answer = world.as_admin("POST", f"/v1/admin/accounts/{world.account.id}/smpp-logins", login)
    return str(answer.json_body["system_id"])


def probe(operation: Any, mode: GenerationMode, real: dict[str, str], headers: dict[str, str], examples: int) -> None:
    """Ask for the operation in many ways, half of them about things that are there."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), meant=st.booleans())
    def ask(case: Any, meant: bool) -> None:
        if meant:
            case.path_parameters = {name: real.get(name, held) for name, held in (case.path_parameters or {}).items()}
            if isinstance(case.body, dict) and "to" in case.body:
                case.body["to"] = NUMBER
        case.call_and_validate(headers=headers, checks=HELD_TO)

    with contextlib.suppress(Unsatisfiable):  # where there is nothing to ask wrongly
        ask()
