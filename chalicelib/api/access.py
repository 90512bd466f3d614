"""Who calls, whether it may, and what the audit log is told of it."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import msgspec
from chalice.app import Request

from chalicelib.api import problems
from chalicelib.api.operation import Operation
from chalicelib.domain import ids
from chalicelib.domain.numbers import mask
from chalicelib.domain.rights import KEY
from chalicelib.domain.trail import Actor, Doing, Subject
from chalicelib.services import record_change
from chalicelib.services.admit import admit
from chalicelib.services.authenticate import Administrator, Caller, Customer, authenticate
from chalicelib.services.faults import Fault

_REFUSALS: Final = frozenset(code for code, kind in problems.KINDS.items() if kind.status == 403)
_NUMBERS: Final = frozenset({"msisdn"})  # parameters of paths that are somebody's number
# What a path calls by another word than the services that change it.
_KINDS: Final = {"system_id": "smpp_login", "msisdn": "number", "letter": "dead_letter", "number": "rules"}
_PARAMETER: Final = re.compile(r"{(\w+)}")
_MAX_ID: Final = 100  # characters; ours have at most 40


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One request for an operation, by whom and from where."""

    operation: Operation
    caller: Caller | None
    path: Mapping[str, str]
    address: str
    request_id: str
    now_ms: int

    def admit(self) -> None:
        """Raises Fault where the caller may not ask for it, not from there, or not so often."""
        caller, operation = self.caller, self.operation
        if caller is not None:
            _check_role(operation, caller)
            admit(caller, self.address, operation.scope or "", operation.right or "", self.now_ms)

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Tell the audit log of what is done within, if it is a change; and of a refusal in any case.

        Of who acts in a customer's place everything is told, whatever it only looks at.
        """
        caller = self.caller
        if self.operation.audited or (caller is not None and caller.impersonated_by):
            with record_change.recording(self._doing(), _REFUSALS):
                yield
            return
        with self.refusals():
            yield

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Tell the audit log of it where what is within is refused."""
        try:
            yield
        except Fault as fault:
            if fault.code in _REFUSALS and self.caller is not None:
                record_change.refused(self._doing(), fault.code)
            raise

    def _doing(self) -> Doing:
        caller = self.caller
        account = caller.account.id if isinstance(caller, Customer) else _plain(self.path.get("account", "")) or None
        return Doing(
            id=ids.new_ulid(self.now_ms),
            at_ms=self.now_ms,
            actor=None if caller is None else actor_of(caller),
            operation=self.operation.id,
            account=account,
            address=self.address,
            request_id=self.request_id,
            subject=_subject(self.operation, self.path),
        )


def actor_of(caller: Caller) -> Actor:
    """The caller as the audit log names it: of an impersonation the administrator."""
    return Actor(
        who=caller.impersonated_by or caller.who,
        role=caller.role or KEY,
        impersonated_by=caller.impersonated_by,
    )


def caller_of(operation: Operation, request: Request, now_ms: int) -> Caller | None:
    """Whose key or session came with the request; None where the operation wants none. Raises Fault."""
    if operation.role is None:
        return None
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Fault("missing_api_key", "send the API key as 'Authorization: Bearer chq_…'")
    return authenticate(key.strip(), now_ms)


def address_of(request: Request) -> str:
    """Where the request came from, as API Gateway saw it: no header that a caller could write itself."""
    return str((request.context or {}).get("identity", {}).get("sourceIp", ""))


def _check_role(operation: Operation, caller: Caller) -> None:
    if operation.role == "person":
        if caller.session is None:
            raise Fault("wrong_role", "this operation is for people who have logged in")
        return
    if isinstance(caller, Customer) is not (operation.role == "customer"):
        raise Fault("wrong_role", f"this operation is for {operation.role} keys")
    if isinstance(caller, Administrator) and caller.must_enrol:
        raise Fault("second_factor_missing", "confirm an authenticator first: POST /v1/profile/two-factor")


def _subject(operation: Operation, path: Mapping[str, str]) -> Subject | None:
    """What the path names last."""
    names = _PARAMETER.findall(operation.path)
    if not names:
        return None
    name = names[-1]
    value = _plain(path.get(name, ""))
    return Subject(_KINDS.get(name, name), mask(f"+{value.lstrip('+')}") if name in _NUMBERS else value)


def _plain(value: str) -> str:
    """A path's parameter, which nobody may have looked at yet."""
    return "".join(character if character.isprintable() else "?" for character in value[:_MAX_ID])
