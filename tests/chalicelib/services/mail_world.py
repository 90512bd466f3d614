"""People to be mailed, the mails' function's work done on the spot, and what came out at SES (moto)."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from chalicelib.domain.account import Account
from chalicelib.domain.mail import Kind, Logged, Notice
from chalicelib.domain.user import User, UserRole
from chalicelib.services.post_mail import post
from chalicelib.settings import settings
from chalicelib.store import accounts, mails, queues, users
from chalicelib.wire import MailBundle, decode
from tests.world import REGION

NOW_MS = 1_790_000_000_000  # 2026-09-21, a Monday, 14:13 UTC
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
ACCOUNT = Account(id="acc_one", name="Acme", created_ms=NOW_MS, time_zone="Europe/Madrid")
FROM = "Chasqui <no-reply@chasqui.example>"
GRANTED = Notice(Kind.CREDIT_GRANTED, "01GRANT", account=ACCOUNT.id, values={"amount": "5", "balance": "7.5"})


def set_up(monkeypatch: pytest.MonkeyPatch, **more: str) -> None:
    """An account without anybody in it, a stage that sends mails, and an SES that has sent none."""
    given = {"MAIL_FROM": FROM, "PUBLIC_URL": "https://api.example", "PANEL_URL": "https://panel.example", **more}
    for name, value in given.items():
        monkeypatch.setenv(f"CHASQUI_{name}", value)
    settings.cache_clear()
    accounts.create(ACCOUNT)
    _backend().sent_messages.clear()
    _backend().create_email_identity_v2("chasqui.example", None, None, None)


def person(email: str, role: UserRole = "owner", *, account: str | None = ACCOUNT.id, **more: Any) -> User:
    """A user, kept."""
    id_ = f"usr_{email.partition('@')[0]}"
    given = {"name": "Ana Ruíz", "password_hash": "x", **more}
    user = User(id=id_, account=account, role=role, email=email, created_ms=NOW_MS, **given)
    assert users.create(user)
    return user


def pump(now_ms: int = NOW_MS) -> int:
    """Do what lies on ⟨mails⟩, and what that brings; how many records that was. What is put off is let lie."""
    done = 0
    while records := queues.receive(queues.MAILS, wait_seconds=0):
        bundles = [bundle for record in records if isinstance(bundle := decode(record.body), MailBundle)]
        post(bundles, now_ms)
        queues.delete_many(queues.MAILS, [record.handle for record in records])
        done += len(records)
    return done


def bodies() -> list[str]:
    """What lies on ⟨mails⟩, as it is; it stays."""
    records = queues.receive(queues.MAILS, wait_seconds=0)
    queues.hide(queues.MAILS, [record.handle for record in records], 0)
    return [record.body for record in records]


def inbox() -> list[EmailMessage]:
    """What SES sent, oldest first."""
    return [_read(one.raw_data) for one in _backend().sent_messages]


def text_of(message: EmailMessage) -> str:
    """The plain text of a message."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def _read(raw: str) -> EmailMessage:
    message = message_from_bytes(raw.encode(), policy=policy.SMTP)
    assert isinstance(message, EmailMessage)
    return message


def _backend() -> Any:
    return ses_backends[DEFAULT_ACCOUNT_ID][REGION]


def logged() -> list[Logged]:
    """The account's mails, newest first."""
    return list(mails.of_account(ACCOUNT.id, None, 100).items)


def the_mail() -> Logged:
    (one,) = logged()
    return one


def state() -> tuple[str, str]:
    one = the_mail()
    return one.fate.state, one.fate.reason
