"""What customers are answered when a message is not taken, as a table; docs/smpp.md shows the same to them.

Permanent reasons never have a status that means "try again" (0x08, 0x14, 0x58, 0x64): clients would go on for days.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from chalicelib.domain.status import Status as MessageStatus
from chalicelib.services.faults import Fault
from smpp_bridge.protocol.status import Status


class OwnStatus(IntEnum):
    """Where SMPP has no word: of the range that it leaves to the message centre (3.4, 5.1.3: 0x400 to 0x4FF)."""

    NO_CREDIT = 0x401
    SUSPENDED = 0x402
    NO_ROUTE = 0x403
    NO_SIMULATOR = 0x404
    INVALID_TEXT = 0x405  # octets that its data_coding has no characters for, or a data_coding not known here
    CONTENT_REFUSED = 0x406


# A fault's code: what is answered.
OF_CODE: Final[Mapping[str, int]] = {
    "text_too_long": Status.INVALID_MESSAGE_LENGTH,
    "no_credit": OwnStatus.NO_CREDIT,
    "account_suspended": OwnStatus.SUSPENDED,
    "account_inactive": OwnStatus.SUSPENDED,
    "account_closed": OwnStatus.SUSPENDED,
    "no_route": OwnStatus.NO_ROUTE,
    "no_price": OwnStatus.NO_ROUTE,
    "no_simulator": OwnStatus.NO_SIMULATOR,
    "sender_not_allowed": Status.INVALID_SOURCE,
    "dnd": Status.INVALID_DESTINATION,
    "opted_out": Status.INVALID_DESTINATION,
    "erased": Status.INVALID_DESTINATION,
    "content_blocked": OwnStatus.CONTENT_REFUSED,
    "rate_limited": Status.THROTTLED,
    "no_gateway": Status.TEMPORARY_APP_ERROR,  # paused: it may be there in a minute
    "unavailable": Status.SYSTEM_ERROR,
    "not_replaceable": Status.REPLACE_FAILED,
}
# Of invalid_request, the field at fault; where there are several, the first of these.
OF_FIELD: Final[Mapping[str, int]] = {
    "/to": Status.INVALID_DESTINATION,
    "/from": Status.INVALID_SOURCE,
    "/validity_seconds": Status.INVALID_VALIDITY,
    "/send_at": Status.INVALID_SCHEDULE,
    "/text": Status.INVALID_MESSAGE_LENGTH,
    "/data": Status.INVALID_MESSAGE_LENGTH,
}
OF_FIELD_CODE: Final[Mapping[str, int]] = {"invalid_text": OwnStatus.INVALID_TEXT}
OTHERWISE: Final = Status.SUBMIT_FAILED  # permanent, like all that a customer has in hand

# message_state (SMPP 3.4, 5.2.28) of what query_sm finds.
STATES: Final[Mapping[MessageStatus, int]] = {
    MessageStatus.ACCEPTED: 1,  # ENROUTE
    MessageStatus.SCHEDULED: 1,
    MessageStatus.QUEUED: 1,
    MessageStatus.SUBMITTED: 1,
    MessageStatus.DELIVERED: 2,
    MessageStatus.EXPIRED: 3,
    MessageStatus.CANCELED: 4,  # DELETED
    MessageStatus.UNDELIVERED: 5,
    MessageStatus.FAILED: 5,
    MessageStatus.UNKNOWN: 7,
    MessageStatus.REJECTED: 8,
}


def status_of(fault: Fault) -> int:
    """The command_status that says it best."""
    if fault.code != "invalid_request":
        return OF_CODE.get(fault.code, OTHERWISE)
    for name, status in OF_FIELD.items():
        for field in fault.fields:
            if field.field == name:
                return OF_FIELD_CODE.get(field.code, status)
    return OTHERWISE
