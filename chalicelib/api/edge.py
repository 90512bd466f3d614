"""The API's outer edge, around every view: the request at hand, its id, and Chalice's own errors as problems."""

from collections.abc import Callable, Iterable
from typing import Final

from chalice.app import Chalice, Request, Response

from chalicelib.api import problems
from chalicelib.api.endpoints import Endpoints, current, request_id_of

_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def register(app: Chalice, catalogue: Iterable[Endpoints]) -> None:
    """Give the app every operation, and the edge around them."""
    app.register_middleware(guard, "http")
    for endpoints in catalogue:
        app.register_blueprint(endpoints.blueprint)


def guard(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Middleware: what Chalice answers by itself (405, 415, 500) becomes a problem; every answer has its id."""
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
    return answer
