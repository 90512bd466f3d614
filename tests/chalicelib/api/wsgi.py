"""The app as WSGI, over Chalice's own local API Gateway, so that schemathesis can call it in this process."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from chalice.config import Config
from chalice.local import LocalGateway, LocalGatewayException

from app import app

_REASONS: Final = {True: "OK", False: "Refused"}
_gateway: Final = LocalGateway(app, Config.create(project_dir=".", chalice_app=app))


def application(
    environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], Any]
) -> Iterable[bytes]:
    """A request through the gateway."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    query = environ.get("QUERY_STRING", "")
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").title(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or (name == "CONTENT_TYPE" and value)
    }
    try:
        answer = _gateway.handle_request(
            environ["REQUEST_METHOD"],
            environ["REQUEST_URI"].partition("?")[0] + (f"?{query}" if query else ""),
            headers,
            environ["wsgi.input"].read(length) if length else b"",
        )
    except LocalGatewayException as refused:  # no such route: API Gateway itself says so
        start_response(f"{refused.CODE} Refused", [("Content-Type", "application/json")])
        return [refused.body or b""]
    told = {**answer["headers"], **answer["multiValueHeaders"]}
    start_response(
        f"{answer['statusCode']} {_REASONS[answer['statusCode'] < 400]}",
        [(name, str(value)) for name, value in told.items()],
    )
    return [(answer["body"] or "").encode()]
