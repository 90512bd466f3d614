"""What SES tells is read from its own examples, wrapped by SNS or raw; anything else is refused or let be."""

import json
from typing import Any

import pytest

from chalicelib.domain.mail_event import BadEvent, MailEvent, parse

MAIL = {
    "messageId": "0107-ses",
    "destination": ["ana@example.com"],
    "tags": {"mail": ["mal_1"], "ses:from-domain": ["x"]},
}


def event(kind: str, **more: Any) -> str:
    return json.dumps({"eventType": kind, "mail": MAIL, **more})


BOUNCE = {
    "bounceType": "Permanent",
    "bounceSubType": "General",
    "bouncedRecipients": [
        {
            "emailAddress": "ana@example.com",
            "action": "failed",
            "status": "5.1.1",
            "diagnosticCode": "smtp; 550 5.1.1 x",
        }
    ],
    "timestamp": "2026-09-21T14:13:20.000Z",
    "feedbackId": "f",
}
SAID: dict[str, Any] = {"mail": "mal_1", "ses_id": "0107-ses"}


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (event("Send", send={}), MailEvent(kind="sent", **SAID)),
        (event("Delivery", delivery={"recipients": ["a"]}), MailEvent(kind="delivered", **SAID)),
        (
            event("Bounce", bounce=BOUNCE),
            MailEvent(
                kind="bounced",
                for_good=True,
                addresses=("ana@example.com",),
                reason="Permanent/General: smtp; 550 5.1.1 x",
                **SAID,
            ),
        ),
        (
            event(
                "Bounce", bounce={"bounceType": "Transient", "bounceSubType": "MailboxFull", "bouncedRecipients": []}
            ),
            MailEvent(kind="bounced", reason="Transient/MailboxFull: ", **SAID),
        ),
        (
            event(
                "Complaint",
                complaint={"complainedRecipients": [{"emailAddress": "a@b.c"}], "complaintFeedbackType": None},
            ),
            MailEvent(kind="complained", addresses=("a@b.c",), reason="complaint", **SAID),
        ),
        (event("Reject", reject={"reason": "Bad content"}), MailEvent(kind="failed", reason="Bad content", **SAID)),
        (event("Open", open={}), None),
        (event("DeliveryDelay"), None),
        (json.dumps({"eventType": "Send", "mail": {"messageId": "x"}}), None),  # somebody else's mail
    ],
)
def test_an_event_is_read_raw_and_as_sns_wraps_it(body: str, read: MailEvent | None) -> None:
    assert parse(body) == read
    assert parse(json.dumps({"Type": "Notification", "TopicArn": "arn:x", "Message": body})) == read


@pytest.mark.parametrize(
    "body", ["", "x", "[]", "{}", '{"eventType": 7}', '{"Message": "Successfully validated"}', "null"]
)
def test_what_is_no_event_is_refused(body: str) -> None:
    with pytest.raises(BadEvent):
        parse(body)
