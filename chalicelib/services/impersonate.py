"""Impersonate: an administrator sees and does what an account's people do, in a short session that says so."""

import logging
from typing import Final

from chalicelib.domain.user import AccountRole
from chalicelib.services.authenticate import MAY_IMPERSONATE, Administrator
from chalicelib.services.begin_session import Begun, From, InPlace, begin_in_place
from chalicelib.services.faults import Fault, not_found
from chalicelib.services.record_change import changed
from chalicelib.store import accounts

log: Final = logging.getLogger(__name__)


def impersonate(caller: Administrator, account: str, role: AccountRole, origin: From, now_ms: int) -> Begun:
    """A session as that account, in that role; everything done in it names the administrator.

    Raises Fault `not_found`, `account_closed`, `wrong_role` for administrators who are not of those who help.
    """
    if caller.role is not None and caller.role not in MAY_IMPERSONATE:
        raise Fault("wrong_role", "only support and super may act as an account")
    held = accounts.get(account)
    if held is None:
        raise not_found("account")
    if held.state == "closed":
        raise Fault("account_closed", "the account is closed")
    place = InPlace(account=account, role=role, who=caller.who, user=caller.user)
    begun = begin_in_place(place, origin, now_ms)
    changed("session", begun.session.id, None, begun.session, account=account)
    log.warning(
        "impersonated",
        extra={"account": account, "role": role, "by": caller.who, "session": begun.session.id},
    )
    return begun
