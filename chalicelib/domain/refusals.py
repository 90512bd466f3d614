"""Why a message goes nowhere: a stable code, the status it ends in, and a sentence for the customer."""

from typing import Final, NamedTuple

import msgspec

from chalicelib.domain.decision import Refusal
from chalicelib.domain.facts import ErrorInfo
from chalicelib.domain.status import Status


class Reason(NamedTuple):
    """A row of the table: what the message's status becomes, and what the customer reads."""

    status: Status
    title: str


REASONS: Final[dict[str, Reason]] = {
    "no_route": Reason(Status.REJECTED, "No route leads to this number, and the account has no default gateway."),
    "no_price": Reason(
        Status.REJECTED, "No route, rate plan or setting of the account says what a message there costs."
    ),
    "no_gateway": Reason(Status.REJECTED, "The gateways of this route are paused or gone."),
    "no_simulator": Reason(Status.REJECTED, "A test key reaches a simulator gateway only, and there is none."),
    "no_credit": Reason(Status.REJECTED, "The account's credit does not cover the message."),
    "account_inactive": Reason(Status.REJECTED, "The account is suspended or closed."),
    "dnd": Reason(Status.REJECTED, "The number is on the Do Not Disturb list."),
    "opted_out": Reason(Status.REJECTED, "The recipient has opted out of messages from this account."),
    "erased": Reason(Status.REJECTED, "The recipient's number was erased."),
    "outside_hours": Reason(Status.REJECTED, "Promotional messages may not go to this country at this hour."),
    "content_blocked": Reason(Status.REJECTED, "The text is not allowed by the content rules."),
    "sender_not_allowed": Reason(Status.REJECTED, "The account may not use this sender in this country."),
    "held": Reason(Status.ACCEPTED, "The text is held until a person has looked at it."),  # no end: see Refusal.held
    "expired": Reason(Status.EXPIRED, "The validity ended before the message could be sent."),
    "canceled": Reason(Status.CANCELED, "The message was canceled before it was sent."),
    "purged": Reason(Status.CANCELED, "The message was taken back by an administrator before it was sent."),
    "waited_too_long": Reason(Status.EXPIRED, "The message waited at its gateway for longer than it may."),
}


def refusal(code: str) -> Refusal:
    """The refusal of that code. Raises KeyError where the table has none: a code is never made up on the way."""
    reason = REASONS[code]
    return Refusal(status=reason.status, error=ErrorInfo(code=code, title=reason.title))


def by_content(rule: str, *, hold: bool) -> Refusal:
    """The refusal of a text by that content rule: its end, or a wait for a person."""
    return msgspec.structs.replace(refusal("held" if hold else "content_blocked"), rule=rule, held=hold)
