"""What SES tells of a mail (event publishing, as SNS hands it on): sent, delivered, bounced, complained of, rejected.

docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

from typing import Any, Final, Literal

import msgspec

TAG: Final = "mail"  # the message tag under which a mail's id goes out and comes back
MAX_REASON: Final = 300
EventKind = Literal["sent", "delivered", "bounced", "complained", "failed"]
# Of all that SES tells. Opens and clicks are nobody's business; DeliveryDelay ends in one of these.
_KINDS: Final[dict[str, EventKind]] = {
    "Send": "sent",
    "Delivery": "delivered",
    "Bounce": "bounced",
    "Complaint": "complained",
    "Reject": "failed",
}
_PERMANENT: Final = "Permanent"


class BadEvent(ValueError):
    """The record is no event of SES."""


class MailEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that became of a mail. `addresses`: whose mailbox it concerns."""

    kind: EventKind
    mail: str
    ses_id: str
    addresses: tuple[str, ...] = ()
    for_good: bool = False  # of a bounce: there is no such mailbox
    reason: str = ""


class _Mail(msgspec.Struct):
    messageId: str  # noqa: N815 - SES's names
    tags: dict[str, list[str]] = {}


class _Recipient(msgspec.Struct):
    emailAddress: str  # noqa: N815
    status: str = ""
    diagnosticCode: str = ""  # noqa: N815


class _Bounce(msgspec.Struct):
    bounceType: str  # noqa: N815
    bounceSubType: str = ""  # noqa: N815
    bouncedRecipients: tuple[_Recipient, ...] = ()  # noqa: N815


class _Complaint(msgspec.Struct):
    complainedRecipients: tuple[_Recipient, ...] = ()  # noqa: N815
    complaintFeedbackType: str | None = None  # noqa: N815


class _Reject(msgspec.Struct):
    reason: str = ""


class _Told(msgspec.Struct):
    eventType: str  # noqa: N815
    mail: _Mail
    bounce: _Bounce | None = None
    complaint: _Complaint | None = None
    reject: _Reject | None = None


class _Envelope(msgspec.Struct):
    """What SNS puts around it, unless the subscription wants it raw."""

    Message: str = ""


_told: Final = msgspec.json.Decoder(_Told)
_envelope: Final = msgspec.json.Decoder(_Envelope)


def parse(body: str) -> MailEvent | None:
    """The event; None for one of no interest, or of a mail that is not ours. Raises BadEvent."""
    try:
        told = _told.decode(_envelope.decode(body).Message or body)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadEvent(str(error)) from None
    kind = _KINDS.get(told.eventType)
    ids = told.mail.tags.get(TAG, [])
    if kind is None or not ids:
        return None
    return MailEvent(kind=kind, mail=ids[0], ses_id=told.mail.messageId, **_more(told))


def _more(told: _Told) -> dict[str, Any]:
    if told.bounce is not None:
        bounce = told.bounce
        said = next((one.diagnosticCode or one.status for one in bounce.bouncedRecipients), "")
        return {
            "addresses": tuple(one.emailAddress for one in bounce.bouncedRecipients),
            "for_good": bounce.bounceType == _PERMANENT,
            "reason": f"{bounce.bounceType}/{bounce.bounceSubType}: {said}"[:MAX_REASON],
        }
    if told.complaint is not None:
        complaint = told.complaint
        return {
            "addresses": tuple(one.emailAddress for one in complaint.complainedRecipients),
            "reason": complaint.complaintFeedbackType or "complaint",
        }
    return {"reason": told.reject.reason[:MAX_REASON]} if told.reject is not None else {}
