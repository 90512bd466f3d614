"""When a message that ended badly is paid back: the account's policy against how it ended, as a table."""

from enum import StrEnum
from typing import Final

from chalicelib.domain.account import RefundPolicy
from chalicelib.domain.status import Status


class EndedBy(StrEnum):
    """Who said that it ended: the platform, which never handed it over; the SMSC's receipt; or nobody in time."""

    PLATFORM = "platform"
    RECEIPT = "receipt"
    SILENCE = "silence"  # it was handed over, and its validity ended without a receipt


_NEVER_TAKEN: Final = frozenset({Status.REJECTED, Status.FAILED, Status.EXPIRED, Status.CANCELED})
# A canceled message was not sent: that is not a matter of policy. Unknown and delivered are never paid back.
REFUNDED: Final[dict[tuple[RefundPolicy, EndedBy], frozenset[Status]]] = {
    ("never", EndedBy.PLATFORM): frozenset({Status.CANCELED}),
    ("never", EndedBy.RECEIPT): frozenset(),
    ("never", EndedBy.SILENCE): frozenset(),
    ("rejected", EndedBy.PLATFORM): _NEVER_TAKEN,
    ("rejected", EndedBy.RECEIPT): frozenset({Status.REJECTED}),
    ("rejected", EndedBy.SILENCE): frozenset(),
    ("not_delivered", EndedBy.PLATFORM): _NEVER_TAKEN,
    ("not_delivered", EndedBy.RECEIPT): _NEVER_TAKEN | {Status.UNDELIVERED},
    ("not_delivered", EndedBy.SILENCE): frozenset({Status.EXPIRED}),
}


def is_refunded(policy: RefundPolicy, ended_by: EndedBy, status: Status) -> bool:
    """Whether the account gets its charge back for a message that ended so."""
    return status in REFUNDED[policy, ended_by]
