"""Ports for servers that are told theirs: of those that no system hands out by itself, to a client least of all.

A port that is free now may be a client's own a moment later, where it is one of those (from 32768 on under Linux).
"""

import os
import random
import socket
from typing import Final

_FIRST: Final = 12_000
_OF_A_WORKER: Final = 2_000  # each of pytest-xdist's draws from its own
_WORKERS: Final = 10
_draw: Final = random.SystemRandom()  # hypothesis sets the usual one back


def free_ports(number: int) -> list[int]:
    """So many free ports of 127.0.0.1, in no order."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    first = _FIRST + worker * _OF_A_WORKER
    drawn = _draw.sample(range(first, first + _OF_A_WORKER), _OF_A_WORKER)
    free = (port for port in drawn if _is_free(port))
    return [next(free) for _ in range(number)]


def free_port() -> int:
    """One."""
    return free_ports(1)[0]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
