"""Why a message goes nowhere: a stable code, the status it ends in, and a sentence for the customer."""

from typing import Final, NamedTuple

from chalicelib.domain.decision import Refusal
from chalicelib.domain.message import ErrorInfo, Status


class Reason(NamedTuple):
    """A row of the table: what the message's status becomes, and what the customer reads."""

    status: Status
    title: str


REASONS: Final[dict[str, Reason]] = {
    "no_route": Reason(Status.REJECTED, "No route leads to this number, and the account has no default gateway."),
    "no_gateway": Reason(Status.REJECTED, "The gateways of this route are paused or gone."),
    "no_simulator": Reason(Status.REJECTED, "A test key reaches a simulator gateway only, and there is none."),
    "no_credit": Reason(Status.REJECTED, "The account's credit does not cover the message."),
    "account_inactive": Reason(Status.REJECTED, "The account is suspended or closed."),
    "expired": Reason(Status.EXPIRED, "The validity ended before the message could be sent."),
    "canceled": Reason(Status.CANCELED, "The message was canceled before it was sent."),
}


def refusal(code: str) -> Refusal:
    """The refusal of that code. Raises KeyError where the table has none: a code is never made up on the way."""
    reason = REASONS[code]
    return Refusal(status=reason.status, error=ErrorInfo(code=code, title=reason.title))
