"""Errors as RFC 9457 problem details: one table of codes, shared by the answers, the document and the docs."""

from typing import Final

import msgspec
from chalice.app import Response

from chalicelib.services.faults import Fault, FieldFault

CONTENT_TYPE: Final = "application/problem+json"


class Kind(msgspec.Struct, frozen=True):
    """What a code means to who called: HTTP status, title, and whether the same request may work later."""

    status: int
    title: str
    retryable: bool = False


KINDS: Final[dict[str, Kind]] = {
    "malformed_json": Kind(400, "The body is not JSON"),
    "invalid_cursor": Kind(400, "The cursor is not one that this listing gave out"),
    "missing_api_key": Kind(401, "No API key was given"),
    "invalid_api_key": Kind(401, "The API key is unknown or revoked"),
    "invalid_session": Kind(401, "The session is unknown or over"),
    "invalid_login": Kind(401, "E-mail address, password or code are wrong"),
    "code_missing": Kind(401, "A code of the authenticator is wanted too"),
    "no_credit": Kind(402, "The account's credit does not cover this"),
    "wrong_role": Kind(403, "The API key is for other operations"),
    "scope_missing": Kind(403, "The API key is not for this"),
    "forbidden": Kind(403, "The role has no right to this"),
    "ip_not_allowed": Kind(403, "The API key may not be used from this address"),
    "second_factor_missing": Kind(403, "An authenticator must be confirmed first"),
    "impersonating": Kind(403, "Not while impersonating"),
    "account_suspended": Kind(403, "The account is suspended"),
    "account_closed": Kind(403, "The account is closed"),
    "not_found": Kind(404, "There is no such thing"),
    "method_not_allowed": Kind(405, "The method is not for this path"),
    "already_submitted": Kind(409, "The message was already handed to a gateway"),
    "already_final": Kind(409, "The message is already final"),
    "already_exists": Kind(409, "The id is taken"),
    "version_conflict": Kind(409, "It was changed in the meantime"),
    "wrong_state": Kind(409, "As it stands, this cannot be done with it"),
    "in_use": Kind(409, "Something else refers to it"),
    "too_many": Kind(409, "There are as many as there may be"),
    "webhook_disabled": Kind(409, "The webhook is disabled"),
    "webhooks_off": Kind(409, "The account has no webhook"),
    "already_settled": Kind(409, "Somebody has decided otherwise"),
    "not_resendable": Kind(409, "It cannot be sent again"),
    "body_too_large": Kind(413, "The body is over the limit"),
    "unsupported_media_type": Kind(415, "The body's media type is not accepted here"),
    "invalid_request": Kind(422, "The request breaks a rule"),
    "list_too_long": Kind(422, "The list is too long for one request"),
    "sender_not_allowed": Kind(422, "The account may not use this sender in this country"),
    "text_too_long": Kind(422, "The text takes more parts than the account allows"),
    "no_route": Kind(422, "No route leads to this number"),
    "invalid_reset": Kind(422, "The token to set a password is unknown, used or over"),
    "no_price": Kind(422, "Nothing says what a message to this number costs"),
    "no_simulator": Kind(422, "A test key reaches a simulator only, and there is none"),
    "idempotency_key_reused": Kind(422, "The Idempotency-Key was used with another request"),
    "below_cost": Kind(422, "A price is below cost, and it was not said that it may be"),
    "rules_invalid": Kind(422, "The rules cannot be published as they are"),
    "rate_limited": Kind(429, "Too many requests", retryable=True),
    "locked_out": Kind(429, "Too many failed logins", retryable=True),
    "internal_error": Kind(500, "An error of ours", retryable=True),
    "no_gateway": Kind(503, "The gateways to this number are paused", retryable=True),
    "unavailable": Kind(503, "A part of the service does not answer", retryable=True),
}

# What Chalice answers by itself, before or instead of a view.
CHALICE_CODES: Final[dict[str, str]] = {
    "MethodNotAllowedError": "method_not_allowed",
    "UnsupportedMediaType": "unsupported_media_type",
    "BadRequest": "unsupported_media_type",  # it refuses an answer whose type the Accept header excludes
    "NotFoundError": "not_found",
}
# RFC 9110, 11.6.1: a 401 names the scheme. 10.2.3: when to come again, in seconds.
_HEADERS: Final[dict[int, dict[str, str]]] = {
    401: {"WWW-Authenticate": 'Bearer realm="chasqui"'},
    429: {"Retry-After": "1"},
    503: {"Retry-After": "2"},
}


class ProblemError(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing at fault: in the body by JSON pointer, or a parameter (query, header) by name."""

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457 problem details. Programs go by `code`, which does not change; `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[ProblemError, ...]
    retryable: bool
    request_id: str


def problem(fault: Fault, request_id: str) -> Problem:
    """The fault as it is told."""
    kind = KINDS[fault.code]
    return Problem(
        type=f"/docs#problem-{fault.code}",
        title=kind.title,
        status=kind.status,
        detail=fault.detail,
        code=fault.code,
        errors=tuple(_error(field) for field in fault.fields),
        retryable=kind.retryable,
        request_id=request_id,
    )


def response(fault: Fault, request_id: str) -> Response:
    """The fault as an HTTP answer."""
    told = problem(fault, request_id)
    return Response(
        body=msgspec.json.encode(told).decode(),
        status_code=told.status,
        headers={"Content-Type": CONTENT_TYPE, **_HEADERS.get(told.status, {}), **_later(fault)},
    )


def _later(fault: Fault) -> dict[str, str]:
    seconds = fault.retry_after_seconds
    return {} if seconds is None else {"Retry-After": str(seconds)}


def from_chalice(code: str, message: str) -> Fault:
    """Chalice's own error, in our words."""
    return Fault(CHALICE_CODES.get(code, "internal_error"), message)


def _error(fault: FieldFault) -> ProblemError:
    """Fields that are JSON pointers start with '/'; '' is the whole body; others are parameters."""
    if fault.field == "" or fault.field.startswith("/"):
        return ProblemError(code=fault.code, detail=fault.detail, pointer=fault.field)
    return ProblemError(code=fault.code, detail=fault.detail, parameter=fault.field)
