"""Admit: whether a caller who has shown its key may come from there, for that, and now."""

from chalicelib.domain.ip_rules import allows
from chalicelib.domain.scopes import allows as may
from chalicelib.services import limit_rate
from chalicelib.services.authenticate import Caller, Customer
from chalicelib.services.faults import Fault


def admit(caller: Caller, address: str, scope: str, now_ms: int) -> None:
    """Raises Fault `ip_not_allowed`, `scope_missing`, `rate_limited`.

    An account's rules and its key's both hold; people who have logged in may come from anywhere. Neither is told to
    whoever has only stolen the key.
    """
    account_rules = caller.account.ip_rules if isinstance(caller, Customer) and caller.session is None else ()
    if not allows(account_rules, address) or not allows(caller.key.ip_rules, address):
        raise Fault("ip_not_allowed", "the key may not be used from the address that this request came from")
    if not may(caller.key.scopes, scope):
        raise Fault("scope_missing", f"the key lacks the scope {scope}")
    limit_rate.request(caller.key, now_ms)
