"""Rights: who may do what, as one table. What a right is called follows from the operation's path and method."""

from collections.abc import Mapping
from typing import Final, Literal, cast, get_args

from chalicelib.domain.scopes import scope_of
from chalicelib.domain.user import UserRole

# A key is a program's, not a person's: no right that is about people themselves.
Role = UserRole | Literal["key"]
KEY: Final = "key"
ROLES: Final[tuple[Role, ...]] = (*get_args(UserRole), KEY)
_UNDER_ACCOUNT: Final = 4  # of /v1/admin/accounts/{account}/credits, the place of what counts

# Right → the roles that have it. A right that does not stand here nobody has. Those of "admin." are for administrators
# and their keys; the others for an account's users and keys, and for administrators who act in its place.
_TABLE: Final = {
    # what an account's people do
    "messages:read": "owner sender viewer key",
    "messages:send": "owner sender key",
    "jobs:read": "owner sender viewer key",
    "jobs:write": "owner sender key",
    "uploads:write": "owner sender key",
    "groups:read": "owner sender viewer key",
    "groups:write": "owner sender key",
    "contacts:read": "owner sender viewer key",
    "contacts:write": "owner sender key",
    "contact-imports:read": "owner sender viewer key",
    "contact-imports:write": "owner sender key",
    "contact-exports:read": "owner sender key",
    "contact-exports:write": "owner sender key",
    "cdr-exports:read": "owner sender viewer key",
    "cdr-exports:write": "owner sender viewer key",  # it changes nothing
    "opt-outs:read": "owner sender viewer key",
    "opt-outs:write": "owner sender key",
    "inbound:read": "owner sender viewer key",
    "account:read": "owner sender viewer key",
    "webhooks:read": "owner key",
    "webhooks:write": "owner key",
    "forwards:read": "owner key",
    "forwards:write": "owner key",
    "reports:read": "owner sender viewer key",
    "users:read": "owner",
    "users:write": "owner",
    # what everybody who has logged in does with what is its own
    "profile:read": "owner sender viewer super support billing routing",
    "profile:write": "owner sender viewer super support billing routing",
    "sessions:read": "owner sender viewer super support billing routing",
    "sessions:write": "owner sender viewer super support billing routing",
    "logout:write": "owner sender viewer super support billing routing",
    # what administrators do: support helps, billing is about money, routing about the way of messages
    "admin.accounts:read": "super support billing routing key",
    "admin.accounts:write": "super billing key",
    "admin.ledger:read": "super support billing key",
    "admin.credits:write": "super billing key",
    "admin.credit-limit:write": "super billing key",
    "admin.keys:read": "super support key",
    "admin.keys:write": "super support key",
    "admin.smpp-logins:read": "super support routing key",
    "admin.smpp-logins:write": "super support key",
    "admin.smpp-sessions:read": "super support routing key",
    "admin.jobs:read": "super support billing routing key",
    "admin.jobs:write": "super support routing key",
    "admin.held:read": "super support routing key",
    "admin.held:write": "super support routing key",
    "admin.dnd:read": "super support routing key",
    "admin.dnd:write": "super support key",
    "admin.inbound:read": "super support routing key",
    "admin.numbers:read": "super support billing routing key",
    "admin.numbers:write": "super routing key",
    "admin.gateways:read": "super support billing routing key",
    "admin.gateways:write": "super routing key",
    "admin.routes:read": "super support billing routing key",
    "admin.routes:write": "super billing routing key",  # they have prices, too
    "admin.numbering:read": "super support billing routing key",
    "admin.numbering:write": "super routing key",
    "admin.rules:read": "super support billing routing key",
    "admin.rules:write": "super billing routing key",
    "admin.content-rules:read": "super support routing key",
    "admin.content-rules:write": "super routing key",
    "admin.sender-rules:read": "super support routing key",
    "admin.sender-rules:write": "super routing key",
    "admin.countries:read": "super support billing routing key",
    "admin.countries:write": "super routing key",
    "admin.dead-letters:read": "super routing key",  # numbers and texts of everybody
    "admin.dead-letters:write": "super routing key",
    "admin.cdr-exports:read": "super support billing routing key",
    "admin.cdr-exports:write": "super support billing routing key",  # it changes nothing
    "admin.erasures:read": "super support key",
    "admin.erasures:write": "super support key",
    "admin.audit:read": "super support key",
    "admin.users:read": "super support key",
    "admin.users:write": "super support key",
    "admin.impersonate:write": "super support key",
    "admin.administrators:read": "super key",
    "admin.administrators:write": "super key",  # and their keys
    "admin.reports:read": "super support billing routing key",
    "admin.reports:write": "super billing key",  # default gateways and prices
    "admin.mails:read": "super support key",
    "admin.mails:write": "super support key",
    "admin.forwards:read": "super key",
    "admin.forwards:write": "super key",
    "admin.bad-mailboxes:read": "super support key",
    "admin.bad-mailboxes:write": "super support key",
    "admin.queues:read": "super support billing routing key",
    "admin.rate-plans:read": "super support billing routing key",
    "admin.rate-plans:write": "super billing key",
    "admin.costs:read": "super support billing routing key",  # reports tell them too
    "admin.costs:write": "super billing key",
}
RIGHTS: Final[Mapping[str, frozenset[Role]]] = {
    right: frozenset(cast(Role, role) for role in roles.split()) for right, roles in _TABLE.items()
}


def right_of(method: str, path: str) -> str:
    """The right that an operation asks for where its declaration names none: '<subject>:read', or ':write'.

    It is the scope that a key must have for it, but that of administrators' operations on something of an account that
    thing counts: who may change an account may not therefore grant it credit.
    """
    parts = path.strip("/").split("/")[1:]  # without the version
    if parts[:2] == ["admin", "accounts"] and len(parts) >= _UNDER_ACCOUNT:
        return scope_of(method, f"/v1/admin/{parts[_UNDER_ACCOUNT - 1]}")
    return scope_of(method, path)


def may(role: Role, right: str) -> bool:
    """Whether the role has the right."""
    return role in RIGHTS.get(right, ())
