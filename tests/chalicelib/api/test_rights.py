"""Every operation for every role: let in exactly where the table says; each refusal is in the audit log."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pytest

from chalicelib.api import decoding
from chalicelib.api.catalogue import CATALOGUE
from chalicelib.api.operation import Operation
from chalicelib.domain.rights import KEY, RIGHTS, ROLES
from chalicelib.domain.trail import TrailFact
from chalicelib.domain.user import ADMINISTRATOR_ROLES
from chalicelib.services import limit_rate, record_change
from chalicelib.services.faults import Fault
from chalicelib.services.issue_key import Access, issue_admin_key, issue_customer_key
from chalicelib.settings import settings
from chalicelib.store import rates, trail
from tests.chalicelib.api.callers import impersonator, logged_in, person, revoked, scoped_keys, tokens, user_id
from tests.chalicelib.api.world import ACCOUNT, World

OPERATIONS: Final = [operation for endpoints in CATALOGUE for operation in endpoints.operations]
LET_IN: Final = (503, "no_gateway")  # what the tests answer in the place of the handler
CUSTOMERS: Final = frozenset(ROLES) - frozenset(ADMINISTRATOR_ROLES)
KINDS: Final = {
    "customer": CUSTOMERS,
    "admin": frozenset(ADMINISTRATOR_ROLES) | {KEY},
    "person": frozenset(ROLES) - {KEY},
}
# Operations that are no GET, and yet in no audit log, each with its reason at its declaration.
CHANGING_NOTHING: Final = {"send_message", "create_upload", "try_content_rules", "preview_rate_plan"}


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    record_change.forget_all()
    limit_rate.forget_all()
    yield
    record_change.forget_all()


@pytest.fixture
def door(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world, where whoever is let in to an operation is answered LET_IN before anything is read or done."""

    def let_in(*_: object) -> dict[str, Any]:
        raise Fault("no_gateway", "let in")

    monkeypatch.setattr(decoding, "path", let_in)
    return world


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[TrailFact]:
    """What is put into the audit log, which is not asked: thousands of refusals."""
    facts: list[TrailFact] = []
    monkeypatch.setattr(trail, "put", facts.append)
    monkeypatch.setattr(rates, "take", lambda *_: rates.Taken(1))
    return facts


def ask(world: World, operation: Operation, key: str) -> tuple[int, str]:
    path = operation.path.replace("{", "").replace("}", "")
    body: Any = {} if operation.body is not None else None
    answer = world.call(operation.method, path, body, key=key)
    return answer.status_code, answer.json_body["code"]


def expected(operation: Operation, role: str) -> tuple[int, str]:
    """What the table says that this role is answered; `key` is an account's."""
    kind = operation.role or ""
    if role not in KINDS[kind] or (role == KEY and kind == "admin"):
        return 403, "wrong_role"
    return LET_IN if role in RIGHTS[operation.right or ""] else (403, "forbidden")


def test_every_operation_has_a_line_in_the_table_and_every_line_an_operation() -> None:
    asked = {operation.right for operation in OPERATIONS if operation.role}
    assert asked - set(RIGHTS) == set(), "say in domain/rights.py who may do it"
    assert set(RIGHTS) - asked == set(), "no operation asks for it any more"


def test_rights_of_administrators_are_no_customers_and_the_other_way_round() -> None:
    for right, roles in RIGHTS.items():
        assert roles <= frozenset(ROLES), right
        assert roles, right
    for operation in OPERATIONS:
        if operation.role:
            assert RIGHTS[operation.right or ""] <= KINDS[operation.role] | {KEY}, operation.id


def test_the_super_administrator_may_all_that_an_administrator_may_and_the_owner_all_that_a_key_may() -> None:
    for right, roles in RIGHTS.items():
        if right.startswith("admin."):
            assert "super" in roles, right
        elif roles & CUSTOMERS:
            assert "owner" in roles, right


def test_what_is_not_told_to_the_audit_log_is_named_here() -> None:
    silent = {operation.id for operation in OPERATIONS if operation.method != "GET" and not operation.audited}
    assert silent == CHANGING_NOTHING


def test_each_role_is_let_in_exactly_where_the_table_says_and_each_refusal_is_noted(
    door: World, noted: list[TrailFact]
) -> None:
    keys = tokens(door)
    refused: Counter[tuple[str, str]] = Counter()
    for role, key in keys.items():
        for operation in OPERATIONS:
            if operation.role is not None:
                wanted = expected(operation, role)
                assert ask(door, operation, key) == wanted, (role, operation.id)
                refused[role, operation.id] += wanted[0] == 403
    told = Counter((fact.role, fact.operation) for fact in noted if fact.stage == "refused")
    assert told == +refused
    for fact in noted:
        assert fact.address == "127.0.0.1"
        assert fact.code in ("forbidden", "wrong_role")


def test_an_administrators_key_may_what_the_table_says_of_keys(door: World, noted: list[TrailFact]) -> None:
    for operation in OPERATIONS:
        if operation.role is not None:
            wanted = (403, "wrong_role")
            if operation.role == "admin":
                wanted = LET_IN if KEY in RIGHTS[operation.right or ""] else (403, "forbidden")
            assert ask(door, operation, door.admin) == wanted, operation.id
    assert {fact.who.split(":")[0] for fact in noted} == {"key"}


def test_who_impersonates_may_what_an_owner_may_and_no_administrator(door: World, noted: list[TrailFact]) -> None:
    key = impersonator(door)
    for operation in OPERATIONS:
        if operation.role is not None:
            assert ask(door, operation, key) == expected(operation, "owner"), operation.id
    assert {(fact.who, fact.impersonated_by, fact.account) for fact in noted} == {
        (f"user:{user_id('support')}", f"user:{user_id('support')}", ACCOUNT.id)
    }


def test_a_key_with_scopes_is_let_in_only_to_what_they_name(door: World, noted: list[TrailFact]) -> None:
    scopes = ("jobs:read", "admin.accounts:write")
    for kind, scope, key in zip(("customer", "admin"), scopes, scoped_keys(door, *scopes), strict=True):
        for operation in OPERATIONS:
            if operation.role is not None:
                wanted = (403, "wrong_role") if operation.role != kind else (403, "scope_missing")
                if operation.role == kind and operation.scope == scope:
                    wanted = LET_IN
                assert ask(door, operation, key) == wanted, operation.id


def test_nobody_is_let_in_with_no_token_a_wrong_one_or_a_session_that_is_over(
    door: World, noted: list[TrailFact]
) -> None:
    over = revoked(door)
    for number, operation in enumerate(OPERATIONS):
        if operation.role is not None:
            assert ask(door, operation, "") == (401, "missing_api_key"), operation.id
            assert ask(door, operation, over) == (401, "invalid_session"), operation.id
            if number % 10 == 0:  # each is looked up anew
                assert ask(door, operation, "chq_live_nobody_0") == (401, "invalid_api_key"), operation.id
    assert noted == []  # a stranger writes nothing


def test_an_administrator_without_an_authenticator_is_let_in_only_to_get_one(
    door: World, noted: list[TrailFact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHASQUI_SECOND_FACTOR", "1")
    settings.cache_clear()
    key = logged_in(door, person(door, "super", two_factor=None))
    for operation in OPERATIONS:
        if operation.role == "admin":
            assert ask(door, operation, key) == (403, "second_factor_missing"), operation.id


class TestAdministratorsKeys:
    def test_support_keeps_customers_keys_but_no_administrators(self, world: World) -> None:
        support = tokens(world)["support"]
        other = issue_admin_key("other", world.now_ms()).key.id
        customers = issue_customer_key(ACCOUNT.id, "live", "k", world.now_ms()).key.id
        for path, method, body in (("/{}", "PUT", {"name": "x"}), ("/{}/revoke", "POST", None)):
            for key, status in ((other, 403), (customers, 200)):
                answer = world.call(method, f"/v1/admin/keys{path}".format(key), body, key=support)
                assert answer.status_code == status, (path, key)
        assert world.call("POST", "/v1/admin/keys", {"name": "x"}, key=support).json_body["code"] == "forbidden"

    def test_a_key_with_scopes_makes_none_that_is_good_for_more(self, world: World) -> None:
        own = ("admin.keys:write", "admin.dnd:read")
        issued = issue_admin_key("scoped", world.now_ms(), Access(scopes=own))
        for method, path in (("POST", "/v1/admin/keys"), ("PUT", f"/v1/admin/keys/{issued.key.id}")):
            for scopes, good in (((), False), (("admin.dnd:write",), False), (own, True), (own[:1], True)):
                answer = world.call(method, path, {"name": "x", "scopes": scopes}, key=issued.text)
                assert (answer.status_code < 300) is good, (method, scopes)
                assert good or answer.json_body["code"] == "scope_missing"
