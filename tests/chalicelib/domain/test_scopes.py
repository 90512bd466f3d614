"""What operations ask of a key, and which keys may."""

import pytest

from chalicelib.api.catalogue import CATALOGUE
from chalicelib.domain.scopes import allows, scope_of


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/messages", "messages:send"),
        ("POST", "/v1/messages/{message}/cancel", "messages:send"),
        ("GET", "/v1/messages/{message}", "messages:read"),
        ("GET", "/v1/account", "account:read"),
        ("GET", "/v1/account/ledger", "account:read"),
        ("DELETE", "/v1/opt-outs/{msisdn}", "opt-outs:write"),
        ("GET", "/v1/admin/accounts", "admin.accounts:read"),
        ("POST", "/v1/admin/rules/publish", "admin.rules:write"),
    ],
)
def test_a_scope_is_what_and_whether_it_changes_anything(method: str, path: str, scope: str) -> None:
    assert scope_of(method, path) == scope


def test_a_key_without_scopes_may_all_and_another_only_what_they_name() -> None:
    assert allows((), "messages:send")
    assert allows(("account:read", "messages:send"), "messages:send")
    assert not allows(("messages:read",), "messages:send")


def test_administrators_and_customers_scopes_are_never_the_same() -> None:
    by_role: dict[str | None, set[str | None]] = {}
    for endpoints in CATALOGUE:
        for operation in endpoints.operations:
            by_role.setdefault(operation.role, set()).add(operation.scope)
    assert by_role[None] == {None}
    assert not by_role["admin"] & by_role["customer"]
