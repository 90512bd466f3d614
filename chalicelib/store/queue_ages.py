"""For how long the oldest record of each queue has waited, and how fast they go: SQS tells CloudWatch every minute.

Emulators do not: there nothing is known of queues that functions work off.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from chalicelib.settings import settings
from chalicelib.store import aws

_PERIOD_SECONDS: Final = 60
_LOOK_BACK: Final = timedelta(minutes=10)
_QUERIES: Final = 500  # of one request, by CloudWatch
_METRICS: Final = {
    "age": ("ApproximateAgeOfOldestMessage", "Maximum"),
    "gone": ("NumberOfMessagesDeleted", "Sum"),
}


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """What CloudWatch knows of a queue of late; None where it knows nothing."""

    oldest_seconds: float | None = None
    records_per_second: float | None = None


def of(queues: Sequence[str], now_ms: int) -> dict[str, Pace]:
    """How each of the queues fares; two metrics each, 250 queues a request."""
    found: dict[str, Pace] = {}
    size = _QUERIES // len(_METRICS)
    for at in range(0, len(queues), size):
        found |= _some(queues[at : at + size], now_ms)
    return found


def _some(queues: Sequence[str], now_ms: int) -> dict[str, Pace]:
    queries = [
        {"Id": f"{name}{number}", "MetricStat": _stat(queue, metric, statistic), "ReturnData": True}
        for number, queue in enumerate(queues)
        for name, (metric, statistic) in _METRICS.items()
    ]
    until = datetime.fromtimestamp(now_ms / 1000, UTC)
    told: dict[str, Sequence[float]] = {}
    pages = aws.client("cloudwatch").get_paginator("get_metric_data")
    for page in pages.paginate(
        MetricDataQueries=queries, StartTime=until - _LOOK_BACK, EndTime=until, ScanBy="TimestampDescending"
    ):
        told |= {result["Id"]: result["Values"] for result in page["MetricDataResults"] if result["Values"]}
    return {queue: _pace(told, number) for number, queue in enumerate(queues)}


def _stat(queue: str, metric: str, statistic: str) -> dict[str, Any]:
    dimensions = [{"Name": "QueueName", "Value": f"{settings().prefix}-{queue}"}]
    return {
        "Metric": {"Namespace": "AWS/SQS", "MetricName": metric, "Dimensions": dimensions},
        "Period": _PERIOD_SECONDS,
        "Stat": statistic,
    }


def _pace(told: dict[str, Sequence[float]], number: int) -> Pace:
    ages, gone = told.get(f"age{number}"), told.get(f"gone{number}")
    return Pace(
        oldest_seconds=ages[0] if ages else None,
        records_per_second=sum(gone) / (len(gone) * _PERIOD_SECONDS) if gone else None,
    )
