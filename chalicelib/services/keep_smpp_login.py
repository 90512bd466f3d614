"""Keep SMPP logins: the row, the password that is told once, the queue of what waits for the customer."""

from typing import Final

import msgspec

from chalicelib.domain.ip_rules import BadIpRule, parse_rule
from chalicelib.domain.smpp_login import SmppLogin, hash_password, new_password
from chalicelib.services import record_change
from chalicelib.services.faults import Fault, FieldFault, invalid, not_found
from chalicelib.services.listen import listen
from chalicelib.services.unbind import unbind_all
from chalicelib.store import made_queues, smpp_logins
from chalicelib.store.dynamo import Overloaded
from chalicelib.store.rows import Row

_ATTEMPTS: Final = 5
KIND: Final = "smpp_login"  # in the audit log


class Opened(msgspec.Struct, frozen=True):
    """A login, and its password: nobody can tell it again."""

    row: Row[SmppLogin]
    password: str


def open_login(login: SmppLogin, now_ms: int) -> Opened:
    """The login with a password of its own. Raises Fault `invalid_request`, `not_found`, `already_exists`.

    The row comes last: a login that can bind has its queue, and an account that listens. A closed login opens anew,
    for the account that had it: to another its system id never goes, nor then what still waits under it.
    """
    _check(login)
    held = smpp_logins.versioned(login.system_id)
    if held is not None and (held.value.state != "closed" or held.value.account != login.account):
        raise _taken(login)
    known_ms = listen(login.account, now_ms)
    made_queues.create_esme_queue(login.system_id)
    password = new_password()
    opened = msgspec.structs.replace(
        login, password_hash=hash_password(password), created_ms=now_ms, opens_ms=known_ms, state="active"
    )
    written = smpp_logins.create(opened) if held is None else smpp_logins.change(held.version, opened)
    if not written:
        raise _taken(login)
    record_change.changed(KIND, login.system_id, held.value if held else None, opened)
    return Opened(Row(opened, held.version + 1 if held else 1), password)


def read_login(system_id: str) -> Row[SmppLogin]:
    """The login as it is this moment. Raises Fault `not_found`, also for a closed one."""
    held = smpp_logins.versioned(system_id)
    if held is None or held.value.state == "closed":
        raise not_found("SMPP login")
    return held


def change_login(login: SmppLogin, expected_version: int, now_ms: int) -> Row[SmppLogin]:
    """The login over that version of it, its password as before; one that is suspended is unbound.

    Raises Fault `invalid_request`, `not_found`, `version_conflict`.
    """
    _check(login)
    held = read_login(login.system_id)
    kept = held.value
    changed = msgspec.structs.replace(
        login,
        account=kept.account,
        password_hash=kept.password_hash,
        created_ms=kept.created_ms,
        opens_ms=kept.opens_ms,
    )
    if not smpp_logins.change(expected_version, changed):
        raise Fault("version_conflict", f"the login is at version {held.version}")
    record_change.changed(KIND, login.system_id, kept, changed, account=kept.account)
    if changed.state != "active":
        unbind_all(login.system_id, now_ms)
    return Row(changed, expected_version + 1)


def rotate_password(system_id: str, now_ms: int, *, unbind: bool) -> Opened:
    """The login with a new password; the old one binds no more. Sessions go on, unless they are to `unbind`.

    Raises Fault `not_found`.
    """
    password = new_password()
    password_hash = hash_password(password)
    for _ in range(_ATTEMPTS):
        held = read_login(system_id)
        rotated = msgspec.structs.replace(held.value, password_hash=password_hash)
        if smpp_logins.change(held.version, rotated):
            record_change.changed(KIND, system_id, held.value, rotated, account=rotated.account)
            if unbind:
                unbind_all(system_id, now_ms)
            return Opened(Row(rotated, held.version + 1), password)
    raise Overloaded(f"login {system_id} kept changing")


def close_login(system_id: str, now_ms: int) -> None:
    """Close the login for good and unbind it. Its queue stays, and forgets what waits there in its own time.

    Raises Fault `not_found`.
    """
    for _ in range(_ATTEMPTS):
        held = read_login(system_id)
        closed = msgspec.structs.replace(held.value, state="closed")
        if smpp_logins.change(held.version, closed):
            record_change.changed(KIND, system_id, held.value, closed, account=closed.account)
            unbind_all(system_id, now_ms)
            return
    raise Overloaded(f"login {system_id} kept changing")


def _check(login: SmppLogin) -> None:
    faults = []
    for number, rule in enumerate(login.ip_rules):
        try:
            parse_rule(rule)
        except BadIpRule as error:
            faults.append(FieldFault(field=f"/ip_rules/{number}", code=error.code, detail=str(error)))
    if faults:
        raise invalid(*faults)


def _taken(login: SmppLogin) -> Fault:
    return Fault("already_exists", f"the system id {login.system_id} is taken, or was once")
