"""A message's status, and which of several wins."""

from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """What a customer is told of a message."""

    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


# Which fact wins when several are known, whatever order they came in: a later step over an earlier one, and among
# final states what the handset said over what a clock or a table said. One place, used by fold and settle.
RANK: Final[dict[Status, int]] = {
    Status.SCHEDULED: 0,
    Status.ACCEPTED: 5,
    Status.QUEUED: 10,
    Status.SUBMITTED: 20,
    Status.UNKNOWN: 30,
    Status.EXPIRED: 40,
    Status.CANCELED: 50,
    Status.FAILED: 55,
    Status.REJECTED: 60,
    Status.UNDELIVERED: 70,
    Status.DELIVERED: 80,
}
FINAL: Final = frozenset(status for status, rank in RANK.items() if rank >= RANK[Status.UNKNOWN])
# Where sending the same text to the same number again cannot help.
PERMANENT: Final = frozenset({Status.DELIVERED, Status.REJECTED, Status.CANCELED})
