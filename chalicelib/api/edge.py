"""The API's outer edge: the request at hand, its id and log line, Chalice's own errors as problems."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

from chalice.app import Chalice, Request, Response

from chalicelib.api import problems
from chalicelib.api.endpoints import Endpoints, current, request_id_of

log: Final = logging.getLogger(__name__)
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def register(app: Chalice, catalogue: Iterable[Endpoints], start_logs: Callable[[], None]) -> None:
    """Give the app every operation, and the edge around them. `start_logs` is called with each request."""

    def guarded(request: Request, get_response: Callable[[Request], Response]) -> Response:
        start_logs()
        return guard(request, get_response)

    app.register_middleware(guarded, "http")
    for endpoints in catalogue:
        app.register_blueprint(endpoints.blueprint)


def guard(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """What Chalice answers by itself (405, 415, 500) becomes a problem; every answer has its id, and a log line."""
    began = time.perf_counter()
    token = current.set(request)
    try:
        answer = get_response(request)
    finally:
        current.reset(token)
    request_id = request_id_of(request)
    if answer.status_code >= 400 and isinstance(answer.body, dict):
        told = problems.from_chalice(str(answer.body.get("Code")), str(answer.body.get("Message")))
        allow = answer.headers.get("Allow")
        answer = problems.response(told, request_id)
        if allow:
            answer.headers["Allow"] = allow
    answer.headers = {**_HEADERS, **answer.headers, "X-Request-Id": request_id}
    log.info(
        "request",
        extra={
            "method": request.method,
            "path": request.path,  # the route's, whose parameters are still names
            "status": answer.status_code,
            "ms": round((time.perf_counter() - began) * 1000, 1),
            "request_id": request_id,
        },
    )
    return answer
