"""What anybody may read: the OpenAPI document, a page of it, and whether the API is up."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import msgspec

from chalicelib.api import docs_page, openapi
from chalicelib.api.endpoints import Call, Endpoints, Reply

# The page has a style of its own and nothing else: no script, no image, no fetch.
_PAGE_POLICY: Final = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


class Health(msgspec.Struct, frozen=True):
    """The API answers."""

    status: str = "ok"


def describing(catalogue: Iterable[Endpoints]) -> Endpoints:
    """The endpoints that tell of all others, and of themselves."""
    endpoints = Endpoints(__name__, tag="About", role=None)
    described = (*catalogue, endpoints)

    @cache
    def document() -> dict[str, Any]:
        return openapi.document(operation for each in described for operation in each.operations)

    @endpoints.get("/openapi.json")
    def openapi_document(call: Call[None]) -> dict[str, Any]:
        """This API as an OpenAPI 3.1 document."""
        return document()

    @endpoints.get("/docs")
    def docs(call: Call[None]) -> Reply[str]:
        """This API as a page to read."""
        return Reply(docs_page.page(document()), content_type="text/html; charset=utf-8", headers=_PAGE_POLICY)

    @endpoints.get("/health")
    def health(call: Call[None]) -> Health:
        """Whether the API is up."""
        return Health()

    return endpoints
