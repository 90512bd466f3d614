"""What AWS asks for what the meter counts: on-demand list prices of us-east-1 in US dollars, without free tiers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

MILLION: Final = 1_000_000
# Prices as published in 2026: aws.amazon.com/dynamodb/pricing/on-demand, /sqs/pricing, /s3/pricing,
# /secrets-manager/pricing, /lambda/pricing (arm64), /api-gateway/pricing (REST).
WRITE_UNIT: Final = 0.625 / MILLION
READ_UNIT: Final = 0.125 / MILLION
SQS_REQUEST: Final = 0.40 / MILLION
S3_WRITE: Final = 5.00 / MILLION  # PUT, LIST
S3_READ: Final = 0.40 / MILLION
SECRET_CALL: Final = 5.00 / MILLION
LAMBDA_REQUEST: Final = 0.20 / MILLION
LAMBDA_GB_SECOND: Final = 0.0000133334
API_REQUEST: Final = 3.50 / MILLION
LAMBDA_GB: Final = 0.25  # memory of each function, for the estimate

_S3_READS: Final = frozenset({"GetObject", "HeadObject"})
_BY_SERVICE: Final[dict[str, Callable[[str, Mapping[str, Any]], float]]] = {
    "dynamodb": lambda _operation, line: line["write_units"] * WRITE_UNIT + line["read_units"] * READ_UNIT,
    "sqs": lambda _operation, line: line["billed"] * SQS_REQUEST,
    "s3": lambda operation, line: line["calls"] * (S3_READ if operation in _S3_READS else S3_WRITE),
    "secretsmanager": lambda _operation, line: line["calls"] * SECRET_CALL,
}


@dataclass(frozen=True)
class Bill:
    """Dollars by what they are for."""

    dynamodb: float
    sqs: float
    idle_polls: float  # receives that found nothing: they depend on the time, not on the messages
    other: float
    api_gateway: float
    lambda_estimate: float  # by the wall time of the local functions, whose AWS answers slower or faster

    @property
    def total(self) -> float:
        """Without the idle polls."""
        return self.dynamodb + self.sqs + self.other + self.api_gateway + self.lambda_estimate


def bill(calls: Mapping[str, Mapping[str, Any]], work: Mapping[str, Mapping[str, Any]]) -> Bill:
    """What the counted calls (by `service.Operation`) and work (by function) cost."""
    by_service: dict[str, float] = {}
    idle = 0.0
    for name, line in calls.items():
        service, _, operation = name.partition(".")
        price = _BY_SERVICE.get(service)
        cost = price(operation, line) if price else 0.0
        if operation.endswith("(empty)"):
            idle += cost
        else:
            by_service[service] = by_service.get(service, 0.0) + cost
    return Bill(
        dynamodb=by_service.pop("dynamodb", 0.0),
        sqs=by_service.pop("sqs", 0.0),
        idle_polls=idle,
        other=sum(by_service.values()),
        api_gateway=sum(done["invocations"] for name, done in work.items() if name == "api") * API_REQUEST,
        lambda_estimate=sum(
            done["invocations"] * LAMBDA_REQUEST + done["milliseconds"] / 1000 * LAMBDA_GB * LAMBDA_GB_SECOND
            for done in work.values()
        ),
    )
