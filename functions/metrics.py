"""Figures for alarms, as CloudWatch reads them out of a log line (embedded metric format): no call, no library."""

import time
from typing import Final

from chalicelib.settings import settings

NAMESPACE: Final = "Chasqui"


def line(**counts: int) -> dict[str, object]:
    """What to give a log line as `extra`, so that the counts become metrics of the stage's prefix."""
    return {
        "_aws": {
            "Timestamp": time.time_ns() // 1_000_000,
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [["Prefix"]],
                    "Metrics": [{"Name": name, "Unit": "Count"} for name in counts],
                }
            ],
        },
        "Prefix": settings().prefix,
        **counts,
    }
