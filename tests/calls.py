"""What a call to AWS that moto answers in this process goes without: a signature, and HTTP's many ways to say it."""

from io import BytesIO
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from moto import backend_index
from moto.core import request as moto_request
from moto.core import responses
from moto.core.model_instances import reset_model_data
from moto.core.models import MockAWS, botocore_stubber
from moto.s3 import models as s3
from moto.s3 import urls as s3_urls

JSON: Final = "application/x-amz-json"


def call_sooner() -> None:
    """Change botocore and moto in this process. Twice changes nothing."""
    _sign_nothing()
    _take_json_as_it_is()
    _find_the_service_first()
    _load_addresses_once()
    _leave_other_clients_alone()


def _sign_nothing() -> None:
    """Nobody reads the signature; the header stays, as moto sees region and account in it."""

    def signature(self: Any, string_to_sign: str, request: Any) -> str:
        return "0"

    def canonical_request(self: Any, request: Any) -> str:
        return ""

    def headers_to_sign(self: Any, request: Any) -> dict[str, str]:
        return {}

    sign: Any = SigV4Auth
    sign.canonical_request, sign.headers_to_sign, sign.signature = canonical_request, headers_to_sign, signature


def _take_json_as_it_is() -> None:
    """moto would write each request down as a browser's and read it again, in search of a form that JSON is not."""
    made: Any = moto_request.Request
    module: Any = responses
    plain, parse_qsl = made.from_primitives, module.parse_qsl
    if parse_qsl.__module__ == __name__:
        return

    def from_primitives(cls: Any, method: str, url: str, headers: Any, body: Any = None) -> Any:
        kind = headers.get("Content-Type") or b""
        kind = kind.decode() if isinstance(kind, bytes) else kind
        if not (kind.startswith(JSON) and isinstance(body, bytes)):
            return plain(method, url, headers, body)
        return cls(_environ(method, url, headers, body))

    def parse(body: str, **given: Any) -> list[tuple[str, str]]:
        return [(body, "")] if body.startswith("{") else parse_qsl(body, **given)

    made.from_primitives = classmethod(from_primitives)
    module.parse_qsl = parse


def _find_the_service_first() -> None:
    """moto holds a request's address against every service's pattern in turn; nearly all are for these three."""
    backend_index.backend_url_patterns.sort(key=lambda entry: entry[0] not in ("dynamodb", "sqs", "s3"))


def _load_addresses_once() -> None:
    """moto loads the module of S3's addresses anew with each call, as they may come from the environment."""
    backend: Any = s3.S3Backend
    backend._url_module = s3_urls


def _leave_other_clients_alone() -> None:
    """moto would catch what the library requests sends, too: by 1,288 patterns more with each test, all kept."""

    def enable(self: Any, reset: bool = True) -> None:
        botocore_stubber.enabled = True
        if reset:
            self.reset()

    def disable(self: Any, remove_data: bool) -> None:
        botocore_stubber.enabled = False
        if remove_data:
            self.reset()
            reset_model_data()

    mock: Any = MockAWS
    mock._enable_patching, mock._disable_patching = enable, disable


def _environ(method: str, url: str, headers: Any, body: bytes) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333)."""
    to = urlsplit(url)
    told = {f"HTTP_{name.upper().replace('-', '_')}": _text(value) for name, value in headers.items()}
    return told | {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": to.path or "/",
        "QUERY_STRING": to.query,
        "SERVER_NAME": to.hostname or "",
        "SERVER_PORT": str(to.port or {"http": 80, "https": 443}[to.scheme]),
        "HTTP_HOST": to.netloc,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": told["HTTP_CONTENT_TYPE"],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
        "wsgi.url_scheme": to.scheme,
    }


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
