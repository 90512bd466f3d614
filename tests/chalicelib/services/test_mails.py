"""What happened is mailed once to each who is to know, whoever dies in between; and to no mailbox that is no good."""

from typing import Any

import msgspec
import pytest

from chalicelib.domain.mail import TOPICS, BadNotice, Kind, Notice
from chalicelib.domain.mail_event import MailEvent
from chalicelib.domain.user import UserState
from chalicelib.services import send_mail
from chalicelib.services.address_notice import send_on
from chalicelib.services.note_mail_event import note
from chalicelib.services.notify import notify
from chalicelib.services.post_mail import post
from chalicelib.services.resend_mail import resend
from chalicelib.store import aws, mails, ses, users
from chalicelib.wire import MailBundle
from tests.chalicelib.services.mail_world import (
    ACCOUNT,
    GRANTED,
    MINUTE_MS,
    NOW_MS,
    bodies,
    inbox,
    logged,
    person,
    pump,
    set_up,
    state,
    text_of,
    the_mail,
)


@pytest.fixture(autouse=True)
def stage(aws: object, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch)


def test_an_event_told_twice_is_mailed_once_to_each_owner_and_to_nobody_else() -> None:
    person("ana@example.com")
    person("eva@example.com", language="es", name="Eva")
    person("viewer@example.com", "viewer")
    person("gone@example.com", state="suspended")
    person("off@example.com", mails_off=("credit_granted",))
    person("other@example.com", account="acc_two")
    for _ in range(2):
        notify(GRANTED, NOW_MS)
    pump()
    notify(GRANTED, NOW_MS + 1)
    pump()
    assert [(one["To"], one["Subject"]) for one in sorted(inbox(), key=lambda one: str(one["To"]))] == [
        ("Ana Ruíz <ana@example.com>", "Credit for Acme: 5"),
        ("Eva <eva@example.com>", "Crédito para Acme: 5"),
    ]
    assert {one.fate.state for one in logged()} == {"sent"}


def test_administrators_are_told_of_gateways_by_their_role() -> None:
    person("root@example.com", "super", account=None)
    person("routing@example.com", "routing", account=None)
    person("billing@example.com", "billing", account=None)
    person("ana@example.com")
    notify(Notice(Kind.GATEWAY_DOWN, "gtw/1", values={"gateway": "gtw", "gateway_name": "G"}), NOW_MS)
    pump()
    assert sorted(str(one["To"]) for one in inbox()) == [
        "Ana Ruíz <root@example.com>",
        "Ana Ruíz <routing@example.com>",
    ]


def test_a_changed_address_is_told_to_the_one_before_again_too() -> None:
    user = person("new@example.com", language="es")
    told = Notice(
        Kind.EMAIL_CHANGED, "usr/2", ACCOUNT.id, user.id, {"changed_ms": str(NOW_MS)}, former="old@example.com"
    )
    notify(told, NOW_MS)
    pump()
    resend(the_mail().mail.id, "1", NOW_MS)
    pump()
    assert [str(one["To"]) for one in inbox()] == ["Ana Ruíz <old@example.com>"] * 2


@pytest.mark.parametrize(
    "notice",
    [
        Notice(Kind.EMAIL_CHANGED, "x", user="usr_ana"),
        Notice(Kind.PASSWORD_CHANGED, "x", user="usr_ana", former="old@example.com"),
        Notice(Kind.PASSWORD_RESET, "x", user="usr_ana", values={"token": "hunter2"}),
        Notice(Kind.PASSWORD_RESET, "x"),
        Notice(Kind.LOW_CREDIT, "x"),
    ],
)
def test_a_notice_says_what_its_kind_does_and_to_somebody(notice: Notice) -> None:
    with pytest.raises(BadNotice):
        notify(notice, NOW_MS)


def test_no_kind_has_a_value_that_could_be_a_secret() -> None:
    for topic in TOPICS.values():
        assert not {"token", "password", "link", "secret"} & set(topic.values)


def test_a_token_stands_in_the_mail_and_nowhere_else(capsys: pytest.CaptureFixture[str], caplog: Any) -> None:
    caplog.set_level("DEBUG", logger="chalicelib")
    ana = person("ana@example.com")
    notify(Notice(Kind.PASSWORD_RESET, f"{ana.id}/1", account=ACCOUNT.id, user=ana.id), NOW_MS)
    queued = bodies()
    pump()
    (message,) = inbox()
    (line,) = [
        line for line in text_of(message).splitlines() if line.startswith("https://panel.example/password?token=")
    ]
    secret = line.partition("?token=")[2].rpartition(".")[2]
    assert len(secret) >= 32
    table = aws.client("dynamodb").scan(TableName="chq-test-mails")["Items"]
    resets = aws.client("dynamodb").scan(TableName="chq-test-password_resets")["Items"]
    for kept in (queued, table, resets, caplog.text, capsys.readouterr().out):
        assert secret not in str(kept)


def test_a_reset_that_is_sent_again_has_a_new_token_and_the_old_one_is_over() -> None:
    ana = person("ana@example.com")
    notify(Notice(Kind.PASSWORD_RESET, f"{ana.id}/1", account=ACCOUNT.id, user=ana.id), NOW_MS)
    pump()
    first = the_mail()
    resent = resend(first.mail.id, "twice", NOW_MS + MINUTE_MS)
    assert resend(first.mail.id, "twice", NOW_MS + MINUTE_MS).mail.id == resent.mail.id
    pump(NOW_MS + MINUTE_MS)
    assert len(inbox()) == 2
    assert text_of(inbox()[0]) != text_of(inbox()[1])
    assert resent.mail.again_of == first.mail.id


def test_it_goes_again_to_the_address_that_the_user_has_now() -> None:
    ana = person("ana@example.com")
    notify(GRANTED, NOW_MS)
    pump()
    row = users.versioned(ana.id)
    assert row is not None
    users.change_with_email(row, msgspec.structs.replace(row.value, email="new@example.com"))
    resend(the_mail().mail.id, "x", NOW_MS)
    pump()
    assert inbox()[1]["To"] == "Ana Ruíz <new@example.com>"


@pytest.mark.parametrize("state_now", ["suspended", None])
def test_whoever_was_put_out_meanwhile_gets_nothing_any_more(state_now: UserState | None) -> None:
    ana = person("ana@example.com")
    notify(GRANTED, NOW_MS)
    pump()
    again = resend(the_mail().mail.id, "again", NOW_MS + MINUTE_MS)  # it waits
    held = users.versioned(ana.id)
    assert held is not None
    if state_now is None:
        assert users.delete(held)
    else:
        assert users.change(held.version, msgspec.structs.replace(ana, state=state_now))
    pump(NOW_MS + MINUTE_MS)
    assert len(inbox()) == 1
    fate = next(one.fate for one in logged() if one.mail.id == again.mail.id)
    assert (fate.state, fate.reason) == ("failed", "no_reader")


def test_nobody_gets_a_reset_who_is_nobody() -> None:
    notify(Notice(Kind.PASSWORD_RESET, "x/1", user=users.NOBODY), NOW_MS)
    assert pump() == 1
    assert not inbox()
    assert not mails.of_account(None, None, 10).items


def test_who_dies_before_sending_on_is_made_up_for_by_the_record_that_comes_again(monkeypatch: Any) -> None:
    person("ana@example.com")
    bundle = MailBundle(id="1", account=ACCOUNT.id, at_ms=NOW_MS, notice=GRANTED)

    def dies(*_: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as cut:
        cut.setattr("chalicelib.services.address_notice.send_on", dies)
        with pytest.raises(RuntimeError):
            post([bundle], NOW_MS)
    assert state() == ("queued", "")
    post([bundle], NOW_MS)
    pump()
    assert len(inbox()) == 1


def test_who_dies_after_ses_took_it_is_made_up_for_by_the_event_of_ses(monkeypatch: Any) -> None:
    person("ana@example.com")
    notify(GRANTED, NOW_MS)
    with monkeypatch.context() as cut:
        cut.setattr("chalicelib.store.mails.sent", lambda *_: (_ for _ in ()).throw(RuntimeError("power cut")))
        with pytest.raises(RuntimeError):
            pump()
    one = the_mail()
    send_mail.send(one.mail.id, NOW_MS + MINUTE_MS)  # the claim still holds
    note(MailEvent(kind="sent", mail=one.mail.id, ses_id="ses-1"), NOW_MS)
    send_mail.send(one.mail.id, NOW_MS + 3 * MINUTE_MS)
    assert state() == ("sent", "")
    assert len(inbox()) == 1


def test_without_that_event_it_is_sent_again_once_the_claim_is_over(monkeypatch: Any) -> None:
    person("ana@example.com")
    notify(GRANTED, NOW_MS)
    with monkeypatch.context() as cut:
        cut.setattr("chalicelib.store.ses.send", lambda *_: (_ for _ in ()).throw(RuntimeError("power cut")))
        with pytest.raises(RuntimeError):
            pump()
    send_on([the_mail().mail.id], None, NOW_MS)
    pump(NOW_MS + 3 * MINUTE_MS)
    assert state() == ("sent", "")


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("TooManyRequestsException", ("queued", "TooManyRequestsException")),
        ("MessageRejected", ("failed", "MessageRejected")),
    ],
)
def test_what_ses_does_not_take_now_is_put_off_and_what_it_never_takes_has_failed(
    monkeypatch: Any, code: str, ends: tuple[str, str]
) -> None:
    person("ana@example.com")
    notify(GRANTED, NOW_MS)

    def refuses(*_: Any) -> str:
        raise ses.NotTaken(code, for_good=code == "MessageRejected")

    monkeypatch.setattr("chalicelib.store.ses.send", refuses)
    pump()
    assert state() == ends
    assert mails.claim(the_mail().mail.id, NOW_MS + 30_000, NOW_MS + 60_000) is None


def test_at_last_it_has_failed(monkeypatch: Any) -> None:
    person("ana@example.com")
    notify(GRANTED, NOW_MS)

    def refuses(*_: Any) -> str:
        raise ses.NotTaken("SendingPausedException", for_good=False)

    monkeypatch.setattr("chalicelib.store.ses.send", refuses)
    monkeypatch.setattr(send_mail, "WAITS_SECONDS", (60, 60))
    pump()
    for minute in (2, 4):
        send_mail.send(the_mail().mail.id, NOW_MS + minute * MINUTE_MS)
    assert state() == ("failed", "SendingPausedException")
    assert not mails.waiting(NOW_MS + 60 * MINUTE_MS, 10)


def test_a_stage_without_a_sender_says_so_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch, MAIL_FROM="")
    person("ana@example.com")
    notify(GRANTED, NOW_MS)
    pump()
    assert state() == ("failed", send_mail.NO_SENDER)


def test_a_name_with_line_breaks_is_no_header_and_an_address_never_has_any() -> None:
    person("ana@example.com", name="Ana\r\nBcc: eve@evil.example\r\n\r\nBuy")
    notify(
        Notice(
            Kind.JOB_FINISHED,
            "j",
            account=ACCOUNT.id,
            values={"job_name": "x\r\nBcc: eve@evil.example", "status": "completed"},
        ),
        NOW_MS,
    )
    pump()
    (message,) = inbox()
    assert message["Bcc"] is None
    assert [address.addr_spec for address in message["To"].addresses] == ["ana@example.com"]
    assert "\n" not in str(message["Subject"])
    assert set(message.keys()) == {
        "From",
        "To",
        "Subject",
        "Date",
        "X-Chasqui-Mail",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    }
