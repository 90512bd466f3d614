"""Choose mails: which kinds a person is told of, and which of them it wants."""

from collections.abc import Iterable

import msgspec

from chalicelib.domain.mail import TOPICS, Kind
from chalicelib.domain.user import User, UserRole
from chalicelib.services import record_change
from chalicelib.services.faults import invalid_field, not_found
from chalicelib.store import users


def told_to(role: UserRole) -> tuple[Kind, ...]:
    """The kinds that somebody in that role is told of."""
    return tuple(kind for kind, topic in TOPICS.items() if topic.audience == "user" or role in topic.roles)


def choose(user_id: str, off: Iterable[Kind]) -> User:
    """The user, who wants none of these kinds any more, and all others. Raises Fault `invalid_request`, `not_found`."""
    chosen = tuple(sorted({kind.value for kind in off}))
    for place, kind in enumerate(chosen):
        if not TOPICS[Kind(kind)].is_optional:
            raise invalid_field(f"/off/{place}", "not_optional", "nobody declines what concerns a login's safety")
    held = users.versioned(user_id)
    row = users.update(user_id, lambda user: msgspec.structs.replace(user, mails_off=chosen))
    if held is None or row is None:
        raise not_found("user")
    record_change.changed("user", user_id, held.value, row.value, account=row.value.account)
    return row.value
