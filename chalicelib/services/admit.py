"""Admit: whether a caller who has shown who it is may come from there, for that, and now."""

from chalicelib.domain.ip_rules import allows
from chalicelib.domain.rights import KEY
from chalicelib.domain.rights import may as has_right
from chalicelib.domain.scopes import allows as may
from chalicelib.services import limit_rate
from chalicelib.services.authenticate import Caller, Customer
from chalicelib.services.faults import Fault


def admit(caller: Caller, address: str, scope: str, right: str, now_ms: int) -> None:
    """Raises Fault `account_closed`, `ip_not_allowed`, `scope_missing`, `forbidden`, `rate_limited`.

    An account's rules and its key's both hold; people who have logged in may come from anywhere. Neither is told to
    whoever has only stolen the key.
    """
    if isinstance(caller, Customer) and caller.account.state == "closed":
        raise Fault("account_closed", "the account is closed")
    account_rules = caller.account.ip_rules if isinstance(caller, Customer) and caller.session is None else ()
    if not allows(account_rules, address) or not allows(caller.key.ip_rules, address):
        raise Fault("ip_not_allowed", "the key may not be used from the address that this request came from")
    if not may(caller.key.scopes, scope):
        raise Fault("scope_missing", f"the key lacks the scope {scope}")
    require(caller, right)
    limit_rate.request(caller.key, now_ms)


def require(caller: Caller, right: str) -> None:
    """Raises Fault `forbidden` where the caller's role does not have the right."""
    role = caller.role or KEY
    if not has_right(role, right):
        raise Fault("forbidden", f"a {role} has no right to {right}")
