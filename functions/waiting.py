"""The function that sees, every minute, to what is ordered for messages at gateways that no bridge holds."""

import logging
import time
from typing import Final

from chalice.app import Blueprint, CloudWatchEvent, Cron

from chalicelib.services.sweep import sweep as sweep_gateways
from functions import logs

log: Final = logging.getLogger(__name__)
bp = Blueprint(__name__)

_SECONDS: Final = 12.0  # of a function's 20: a batch under way may take some more


@bp.schedule(Cron("*", "*", "*", "*", "?", "*"))
def sweep(event: CloudWatchEvent) -> None:
    """Move and purge what is to be; what is left the next minute sees to."""
    logs.start()
    ends = time.monotonic() + _SECONDS
    done = sweep_gateways(time.time_ns() // 1_000_000, lambda: time.monotonic() < ends)
    if done:
        log.info("swept", extra={"messages": done})
