"""Address a notice: who is to read it, in which language and time zone; a mail in the log for each."""

import logging
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from chalicelib.domain import email_address, ids
from chalicelib.domain.forward import Forward
from chalicelib.domain.mail import HOUSE, NOBODYS, TOPICS, Audience, Mail, Notice, Topic, mail_id
from chalicelib.domain.user import User
from chalicelib.services.summarize import summarized
from chalicelib.store import accounts, forwards, mails, queues, users
from chalicelib.wire import MailBundle

log: Final = logging.getLogger(__name__)


class _Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a mail goes to: a user, or a forward of the account."""

    address: str
    name: str = ""
    language: str = "en"
    time_zone: str | None = None  # None: the account's
    user: str | None = None
    forward: str | None = None


def address(notice: Notice, at_ms: int, now_ms: int) -> int:
    """Write a mail for each reader, and send them on their way; how many. Done twice, it is the same mails."""
    told = summarized(notice, now_ms)
    made = [] if told is None else _mails(told, at_ms, now_ms)
    for mail in made:
        mails.add(mail)
    send_on([mail.id for mail in made], notice.account, now_ms)
    return len(made)


def send_on(found: list[str], account: str | None, now_ms: int) -> None:
    """Put mails of the log on ⟨mails⟩, to be sent; those that were sent are known there."""
    if found:
        whose = account or NOBODYS
        bundles = [MailBundle(id=ids.new_ulid(now_ms), account=whose, at_ms=now_ms, mail=one) for one in found]
        queues.send_many(queues.MAILS, bundles)


def _mails(notice: Notice, at_ms: int, now_ms: int) -> list[Mail]:
    """The mails of a notice, one an address."""
    of_house = notice.account in (None, NOBODYS)
    account = None if of_house else accounts.cached(notice.account or "", now_ms)
    if account is None and not of_house:
        return []
    topic = TOPICS[notice.kind]
    by_mailbox = {email_address.key(reader.address): reader for reader in _READERS[topic.audience](notice, topic)}
    return [
        Mail(
            id=mail_id(notice.kind, notice.name, mailbox),
            event=notice.name,
            kind=notice.kind,
            address=reader.address,
            created_ms=at_ms,
            account=account.id if account else None,
            user=reader.user,
            forward=reader.forward,
            addressee=reader.name,
            account_name=account.name if account else HOUSE,
            language="es" if reader.language == "es" else "en",
            time_zone=reader.time_zone or (account.time_zone if account else "UTC"),
            values=notice.values,
        )
        for mailbox, reader in by_mailbox.items()
    ]


def _named(notice: Notice, _topic: Topic) -> Iterator[_Reader]:
    row = users.versioned(notice.user) if notice.user else None
    if row is not None and row.value.state == "active":
        reader = _of_user(row.value)
        yield msgspec.structs.replace(reader, address=notice.former or reader.address)


def _of_account(notice: Notice, topic: Topic) -> Iterator[_Reader]:
    if notice.account is not None:
        yield from _told(notice.account, notice, topic)


def _administrators(notice: Notice, topic: Topic) -> Iterator[_Reader]:
    yield from _told(None, notice, topic)


def _told(account: str | None, notice: Notice, topic: Topic) -> Iterator[_Reader]:
    """Further readers first, so that a user with the same address is the one who stays."""
    for forward in forwards.get(account or NOBODYS).forwards:
        if forward.state == "confirmed" and topic.module in forward.modules:
            yield _of_forward(forward)
    for row in users.of_account(account):
        user = row.value
        wants = notice.kind not in user.mails_off or not topic.is_optional
        if user.state == "active" and user.role in topic.roles and wants:
            yield _of_user(user)


def _asked(notice: Notice, _topic: Topic) -> Iterator[_Reader]:
    """A forward that is asked whether it wants to be one."""
    forward = forwards.get(notice.account).get(notice.forward) if notice.account and notice.forward else None
    if forward is not None and forward.state != "confirmed":
        yield _of_forward(forward)


def _of_user(user: User) -> _Reader:
    return _Reader(address=user.email, name=user.name, language=user.language, time_zone=user.time_zone, user=user.id)


def _of_forward(forward: Forward) -> _Reader:
    return _Reader(address=forward.address, language=forward.language, forward=forward.id)


_READERS: Final[dict[Audience, Callable[[Notice, Topic], Iterator[_Reader]]]] = {
    "user": _named,
    "account": _of_account,
    "administrators": _administrators,
    "address": _asked,
}
