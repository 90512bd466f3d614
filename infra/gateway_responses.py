"""What API Gateway answers by itself, before the app is asked, in the API's own words: problems with stable codes."""

import json
from typing import Any, Final

import msgspec

from chalicelib.api.problems import CONTENT_TYPE, problem
from chalicelib.services.faults import Fault

UNKNOWN_PATH: Final = "MISSING_AUTHENTICATION_TOKEN"  # API Gateway's name for it: it takes the caller for a signer
# API Gateway's response types -> the fault that is told instead. Types that the app never meets keep their defaults.
FAULTS: Final[dict[str, Fault]] = {
    UNKNOWN_PATH: Fault("not_found", "there is no such path"),
    # With an Authorization header an unknown path is taken for a badly signed request.
    "INVALID_SIGNATURE": Fault("not_found", "there is no such path"),
    "ACCESS_DENIED": Fault("not_found", "there is no such path"),
    "REQUEST_TOO_LARGE": Fault("body_too_large", "the body is over what API Gateway takes"),
    "THROTTLED": Fault("rate_limited", "more requests than the API takes at this moment"),
    "INTEGRATION_TIMEOUT": Fault("unavailable", "the answer took too long"),
    "INTEGRATION_FAILURE": Fault("unavailable", "the request did not reach the service"),
    "DEFAULT_5XX": Fault("internal_error", "an error of ours"),
}
_REQUEST_ID: Final = "$context.requestId"


def body_of(response_type: str, request_id: str = _REQUEST_ID) -> tuple[int, str]:
    """Status and JSON body of a response type; the request's id is API Gateway's variable unless given."""
    told = problem(FAULTS[response_type], request_id)
    return told.status, msgspec.json.encode(told).decode()


def extension() -> dict[str, Any]:
    """The OpenAPI extension `x-amazon-apigateway-gateway-responses` for the API's definition."""
    return {response_type: _response(response_type) for response_type in FAULTS}


def _response(response_type: str) -> dict[str, Any]:
    status, body = body_of(response_type)
    json.loads(body)  # a template that is no JSON would be told to every caller
    return {
        "statusCode": str(status),
        "responseParameters": {"gatewayresponse.header.Cache-Control": "'no-store'"},
        "responseTemplates": {"application/json": body, CONTENT_TYPE: body},
    }
