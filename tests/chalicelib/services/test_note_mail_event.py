"""What SES tells of a mail is noted whenever it comes, and nothing goes to a mailbox that is no good."""

from typing import Any

import pytest

from chalicelib.domain.mail import Kind, Notice
from chalicelib.domain.mail_event import MailEvent
from chalicelib.services.faults import Fault
from chalicelib.services.note_mail_event import note
from chalicelib.services.notify import notify
from chalicelib.services.resend_mail import resend
from chalicelib.store import bad_mailboxes
from tests.chalicelib.services.mail_world import (
    ACCOUNT,
    GRANTED,
    NOW_MS,
    logged,
    person,
    pump,
    set_up,
    state,
    the_mail,
)


@pytest.fixture(autouse=True)
def stage(aws: object, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch)


@pytest.mark.parametrize(
    ("event", "ends", "held_back", "reset"),
    [
        ({"kind": "bounced", "for_good": True}, "bounced", True, False),
        ({"kind": "bounced", "for_good": False}, "bounced", False, True),
        ({"kind": "complained"}, "complained", True, True),
        ({"kind": "failed"}, "failed", False, True),
    ],
)
def test_what_ses_tells_is_noted_and_holds_back_what_it_should(
    event: dict[str, Any], ends: str, held_back: bool, reset: bool
) -> None:
    """`held_back`: notifications to the address; `reset`: whether a password can be reset by mail all the same."""
    ana = person("Ana@example.com")
    notify(GRANTED, NOW_MS)
    pump()
    first = the_mail()
    told = MailEvent(mail=first.mail.id, ses_id="s", reason="550 no such user", addresses=("ana@example.com",), **event)
    for one in (told, MailEvent(kind="sent", mail=first.mail.id, ses_id="s"), told):
        note(one, NOW_MS)
    assert state() == (ends, "550 no such user")
    notify(Notice(Kind.LOW_CREDIT, "2", account=ACCOUNT.id, values={"balance": "1", "threshold": "2"}), NOW_MS + 1)
    notify(Notice(Kind.PASSWORD_RESET, "3", account=ACCOUNT.id, user=ana.id), NOW_MS + 2)
    pump()
    fates = {one.mail.kind: (one.fate.state, one.fate.reason) for one in logged()}
    assert fates[Kind.LOW_CREDIT] == (("failed", "held_back") if held_back else ("sent", ""))
    assert fates[Kind.PASSWORD_RESET] == (("sent", "") if reset else ("failed", "held_back"))
    if held_back:
        with pytest.raises(Fault, match="lift"):
            resend(first.mail.id, "x", NOW_MS)
        assert bad_mailboxes.lift("ana@EXAMPLE.com")
        assert resend(first.mail.id, "x", NOW_MS).fate.state == "queued"


def test_a_complaint_stands_over_a_bounce_whichever_comes_first() -> None:
    person("ana@example.com")
    notify(GRANTED, NOW_MS)
    pump()
    mail = the_mail().mail.id
    for kind in ("complained", "bounced"):
        note(MailEvent(kind=kind, mail=mail, ses_id="s", for_good=True), NOW_MS)
    assert state()[0] == "complained"
    known = bad_mailboxes.of("ana@example.com")
    assert known is not None
    assert known.trouble == "bounced"  # which holds back more


def test_a_delivery_is_told_of() -> None:
    person("ana@example.com")
    notify(GRANTED, NOW_MS)
    pump()
    note(MailEvent(kind="delivered", mail=the_mail().mail.id, ses_id="s"), NOW_MS + 5)
    assert the_mail().fate.delivered_ms == NOW_MS + 5
    note(MailEvent(kind="delivered", mail="mal_unknown", ses_id="s"), NOW_MS)
    note(MailEvent(kind="bounced", mail="mal_unknown", ses_id="s"), NOW_MS)
