"""Declares each operation once: Chalice's route, what it decodes and who may call it, and its part of the document."""

import inspect
import logging
import re
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import UnionType
from typing import Any, Final, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from chalice.app import Blueprint, Request, Response
from pynamodb.exceptions import PynamoDBException

from chalicelib.api import decoding, problems
from chalicelib.api.access import Visit, address_of, caller_of
from chalicelib.api.amounts import encode_hook
from chalicelib.api.operation import MAX_BODY_BYTES, Handler, Operation, Role
from chalicelib.services.authenticate import Administrator, Customer
from chalicelib.services.faults import Fault, invalid_field
from chalicelib.store.dynamo import Overloaded
from chalicelib.store.queues import Undelivered

log: Final = logging.getLogger(__name__)

JSON: Final = "application/json"
CSV: Final = "text/csv"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"
IDEMPOTENCY_KEY_PATTERN: Final = r"^[!-~]{1,128}$"  # visible ASCII
# What AWS did not do, after its clients have tried a few times: worth asking again.
_OF_AWS: Final = (ClientError, BotoCoreError, PynamoDBException, Overloaded, Undelivered)

# The request in work. Not `app.current_request`: a server with threads would mix them up.
current: Final[ContextVar[Request]] = ContextVar("request")

C = TypeVar("C")
T = TypeVar("T")


class Call(msgspec.Struct, Generic[C], frozen=True, kw_only=True):
    """What every handler gets first: who calls, when, and what is in no body or query."""

    caller: C
    now_ms: int
    request_id: str
    idempotency_key: str | None = None
    address: str = ""  # where it came from, as API Gateway saw it
    user_agent: str = ""  # what the client calls itself


CustomerCall = Call[Customer]
AdminCall = Call[Administrator]


class Reply(msgspec.Struct, Generic[T], frozen=True):
    """An answer whose status, type or headers are not the operation's usual ones."""

    body: T
    status: int | None = None
    content_type: str = JSON
    headers: Mapping[str, str] = {}


class CsvText(str):
    """A CSV file as an answer, to be downloaded at once: one of a bounded size."""

    __slots__ = ()


class CsvBody(msgspec.Struct, frozen=True):
    """A body that came as text/csv. Raises nothing: whoever reads it says what is wrong with it."""

    raw: bytes


class Endpoints:
    """A Chalice blueprint whose operations are also known to the document. `role` is who may call them."""

    def __init__(self, module: str, *, tag: str, role: Role | None) -> None:
        self.blueprint: Final = Blueprint(module)
        self.operations: Final[list[Operation]] = []
        self._tag = tag
        self._role = role

    def get(self, path: str, **more: Any) -> Callable[[Handler], Handler]:
        return self.operation("GET", path, **more)

    def post(self, path: str, **more: Any) -> Callable[[Handler], Handler]:
        return self.operation("POST", path, **more)

    def put(self, path: str, **more: Any) -> Callable[[Handler], Handler]:
        return self.operation("PUT", path, **more)

    def delete(self, path: str, **more: Any) -> Callable[[Handler], Handler]:
        return self.operation("DELETE", path, **more)

    def operation(
        self,
        method: str,
        path: str,
        *,
        status: int = 200,
        also: Mapping[int, Any] | None = None,
        faults: tuple[str, ...] = (),
        idempotent: bool = False,
        max_body_bytes: int = MAX_BODY_BYTES,
        right: str | None = None,
        changes: bool = True,
    ) -> Callable[[Handler], Handler]:
        """Declare the decorated handler: `call` first, then `body` and `query` if it has them, then the path's names.

        Its annotations say what is decoded, and its return annotation what it answers with `status`; `also` gives
        further statuses with their types. A body annotated `X | CsvBody` may come as text/csv. `right` is whom it is
        for (domain.rights), where its path and method do not say; without `changes` it has no entry in the audit log.
        """

        def declare(handler: Handler) -> Handler:
            hints = get_type_hints(handler, include_extras=True)
            parameters = [name for name in inspect.signature(handler).parameters if name != "call"]
            bodies = _choices(hints.get("body"))
            made = Operation(
                method=method,
                path=path,
                tag=self._tag,
                role=self._role,
                status=status,
                handler=handler,
                answers={status: _answer_of(hints["return"]), **(also or {})},
                faults=faults,
                body=next(kind for kind in bodies if kind is not CsvBody),
                csv=CsvBody in bodies,
                query=hints.get("query"),
                path_types={name: hints[name] for name in parameters if name not in ("body", "query")},
                idempotent=idempotent,
                max_body_bytes=max_body_bytes,
                named_right=right,
                changes=changes,
            )
            self.operations.append(made)
            media = [JSON, CSV] if made.csv else [JSON] if made.body is not None else []
            self.blueprint.route(path, methods=[method], content_types=media, name=handler.__name__)(_view(made))
            return handler

        return declare


def _choices(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, or what it is alone."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _answer_of(annotation: Any) -> Any:
    """What the operation answers with its usual status: of a union the member that is no Reply, else what it wraps."""
    choices = _choices(annotation)
    plain = [choice for choice in choices if get_origin(choice) is not Reply]
    return plain[0] if plain else get_args(choices[0])[0]


def _view(operation: Operation) -> Callable[..., Response]:
    """The operation as Chalice calls it: with the path's parameters, to give a response."""

    def view(**path: str) -> Response:
        request = current.get()
        request_id = request_id_of(request)
        try:
            return _response(operation, _run(operation, request, request_id, path))
        except Fault as fault:
            return problems.response(fault, request_id)
        except _OF_AWS as error:
            log.exception("AWS did not do its part", extra={"operation": operation.id, "request_id": request_id})
            return problems.response(Fault("unavailable", type(error).__name__), request_id)
        except Exception:
            log.exception("unexpected", extra={"operation": operation.id, "request_id": request_id})
            return problems.response(Fault("internal_error", "it was noted; tell us the request_id"), request_id)

    view.__name__ = operation.handler.__name__
    return view


def _run(operation: Operation, request: Request, request_id: str, path: Mapping[str, str]) -> Any:
    now_ms = time.time_ns() // 1_000_000
    visit = Visit(
        operation=operation,
        caller=caller_of(operation, request, now_ms),
        path=path,
        address=address_of(request),
        request_id=request_id,
        now_ms=now_ms,
    )
    with visit.refusals():
        visit.admit()
    call = Call(
        caller=visit.caller,
        now_ms=now_ms,
        request_id=request_id,
        idempotency_key=_idempotency_key(operation, request),
        address=visit.address,
        user_agent=str(request.headers.get("user-agent", "")),
    )
    given: dict[str, Any] = decoding.path(path, operation.path_types)
    if operation.query is not None:
        given["query"] = decoding.query(_query_of(request), operation.query)
    if operation.body is not None:
        given["body"] = _body(operation, request)
    with visit.recorded():
        return operation.handler(call, **given)


def _idempotency_key(operation: Operation, request: Request) -> str | None:
    key: str | None = request.headers.get(IDEMPOTENCY_KEY) if operation.idempotent else None
    if key is not None and not re.fullmatch(IDEMPOTENCY_KEY_PATTERN, key):
        raise invalid_field(
            IDEMPOTENCY_KEY, "invalid_format", "an Idempotency-Key is 1 to 128 visible ASCII characters"
        )
    return key


def _query_of(request: Request) -> dict[str, list[str]]:
    given = request.query_params
    return {name: given.getlist(name) for name in given} if given else {}


def _body(operation: Operation, request: Request) -> Any:
    raw = request.raw_body or b""
    raw = raw.encode() if isinstance(raw, str) else raw
    if len(raw) > operation.max_body_bytes:
        raise Fault("body_too_large", f"the body has {len(raw)} bytes; the limit is {operation.max_body_bytes}")
    if operation.csv and request.headers.get("content-type", JSON).startswith(CSV):
        return CsvBody(raw)
    return decoding.body(raw, operation.body)


def _response(operation: Operation, answer: Any) -> Response:
    reply = answer if isinstance(answer, Reply) else Reply(answer)
    body = reply.body if isinstance(reply.body, str) else msgspec.json.encode(reply.body, enc_hook=encode_hook).decode()
    return Response(
        body=body,
        status_code=reply.status or operation.status,
        headers={"Content-Type": reply.content_type, **reply.headers},
    )


def request_id_of(request: Request) -> str:
    """Lambda's id of the request, which is also in the logs."""
    return str(getattr(request.lambda_context, "aws_request_id", None) or "none")
