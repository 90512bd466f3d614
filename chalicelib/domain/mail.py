"""Mails: what people are told by e-mail, who is told, and what became of each mail."""

from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Final, Literal

import msgspec

NOBODYS: Final = "-"  # stands for the account of what is told to administrators
HOUSE: Final = "Chasqui"  # what it is called there
MAX_VALUE: Final = 300  # characters of a value
MAX_LINES: Final = 20  # of a value whose name ends in _lines
INSTANT: Final = "_ms"  # such a value's name ends so: an epoch instant, told in the reader's time zone
LINES: Final = "_lines"  # a value of several lines


class Kind(StrEnum):
    """What may be told."""

    USER_CREATED = "user_created"
    EMAIL_CHANGED = "email_changed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - no secret: a word for one
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the same
    PRICE_CHANGED = "price_changed"
    CREDIT_GRANTED = "credit_granted"
    LOW_CREDIT = "low_credit"
    JOB_FINISHED = "job_finished"
    WEBHOOK_FAILING = "webhook_failing"
    GATEWAY_DOWN = "gateway_down"
    SUMMARY_DAILY = "summary_daily"
    SUMMARY_WEEKLY = "summary_weekly"
    FORWARD_CONFIRM = "forward_confirm"


class Module(StrEnum):
    """What a kind is about: notifications are forwarded to further addresses by module."""

    PEOPLE = "people"
    CREDITS = "credits"
    PRICES = "prices"
    JOBS = "jobs"
    WEBHOOKS = "webhooks"
    GATEWAYS = "gateways"
    SUMMARIES = "summaries"


Audience = Literal["user", "account", "administrators", "address"]
Language = Literal["en", "es"]


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to know of a kind. `values` is what its notice may tell, all of them plain text without secrets.

    A token that is to stand in a mail is made where the mail is sent (`has_link`), and nowhere before: then it lies
    in no queue, no log and no dead letter, and a mail that is sent again has a new one.
    """

    module: Module
    audience: Audience  # user: the notice's; account: its users of these roles, and its forwards
    roles: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    is_optional: bool = True  # its reader may decline it
    to_former: bool = False  # it goes to the address that the user had until now, which the notice says
    has_link: bool = False


# Who reads what. Nobody declines what concerns the safety of a login, or asks for an answer.
TOPICS: Final[Mapping[Kind, Topic]] = {
    Kind.USER_CREATED: Topic(
        module=Module.PEOPLE, audience="user", values=("created_by",), is_optional=False, has_link=True
    ),
    Kind.EMAIL_CHANGED: Topic(
        module=Module.PEOPLE, audience="user", values=("changed_ms",), is_optional=False, to_former=True
    ),
    Kind.PASSWORD_CHANGED: Topic(
        module=Module.PEOPLE, audience="user", values=("changed_ms", "from_address"), is_optional=False
    ),
    Kind.PASSWORD_RESET: Topic(
        module=Module.PEOPLE, audience="user", values=("from_address",), is_optional=False, has_link=True
    ),
    Kind.PRICE_CHANGED: Topic(
        module=Module.PRICES, audience="account", roles=("owner",), values=("plan", "starts_ms", "changes_lines")
    ),
    Kind.CREDIT_GRANTED: Topic(
        module=Module.CREDITS, audience="account", roles=("owner",), values=("amount", "balance", "why", "granted_ms")
    ),
    Kind.LOW_CREDIT: Topic(
        module=Module.CREDITS, audience="account", roles=("owner",), values=("balance", "threshold", "since_ms")
    ),
    Kind.JOB_FINISHED: Topic(
        module=Module.JOBS,
        audience="account",
        roles=("owner", "sender"),
        values=("job", "job_name", "status", "messages", "started_ms", "ended_ms"),
    ),
    Kind.WEBHOOK_FAILING: Topic(
        module=Module.WEBHOOKS, audience="account", roles=("owner",), values=("webhook", "url", "since_ms", "reason")
    ),
    Kind.GATEWAY_DOWN: Topic(
        module=Module.GATEWAYS,
        audience="administrators",
        roles=("super", "support", "routing"),
        values=("gateway", "gateway_name", "since_ms", "reason"),
    ),
    Kind.SUMMARY_DAILY: Topic(
        module=Module.SUMMARIES,
        audience="account",
        roles=("owner", "viewer"),
        values=("period", "messages", "parts", "credits", "ends_lines", "countries_lines", "balance"),
    ),
    Kind.SUMMARY_WEEKLY: Topic(
        module=Module.SUMMARIES,
        audience="account",
        roles=("owner", "viewer"),
        values=("period", "messages", "parts", "credits", "ends_lines", "countries_lines", "balance"),
    ),
    Kind.FORWARD_CONFIRM: Topic(
        module=Module.PEOPLE, audience="address", values=("modules",), is_optional=False, has_link=True
    ),
}
OPTIONAL: Final = tuple(kind for kind, topic in TOPICS.items() if topic.is_optional)


def forwarded(audience: Audience) -> tuple[Module, ...]:
    """The modules that may be forwarded of what that audience is told: never what is told to one person."""
    return tuple(dict.fromkeys(topic.module for topic in TOPICS.values() if topic.audience == audience))


FORWARDED: Final = forwarded("account")
FORWARDED_BY_HOUSE: Final = forwarded("administrators")


class BadNotice(ValueError):
    """Whoever told of it broke the table: a mistake in the program, found by its tests."""


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something happened that people are told of. The same `name` of the same kind is told once to each."""

    kind: Kind
    name: str  # of the event: 'gra_01J…', '<gateway>/<since>'; with the kind it names it for ever
    account: str | None = None
    user: str | None = None
    values: dict[str, str] = {}
    forward: str | None = None  # the forward that is to be confirmed
    former: str | None = None  # the user's address until now


def check(notice: Notice) -> None:
    """Raises BadNotice where it tells what its kind does not, or nobody it could be told to."""
    topic = TOPICS[notice.kind]
    more = set(notice.values) - set(topic.values)
    if more:
        raise BadNotice(f"{notice.kind} has no {', '.join(sorted(more))}")
    if topic.audience == "user" and notice.user is None:
        raise BadNotice(f"{notice.kind} is told to a user")
    if topic.to_former != (notice.former is not None):
        raise BadNotice(f"{notice.kind} is told to the address {'that was' if topic.to_former else 'that is'}")
    if topic.audience in ("account", "address") and notice.account is None:
        raise BadNotice(f"{notice.kind} is told to an account")


MailState = Literal["queued", "sent", "failed", "bounced", "complained"]


class Mail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One mail to one address: what it is made from. It holds no secret, and no text: those are made as it is sent."""

    id: str
    event: str  # the notice's name
    kind: Kind
    address: str
    created_ms: int
    account: str | None = None
    user: str | None = None  # who reads it, or …
    forward: str | None = None  # … which forward of the account
    addressee: str = ""  # the reader's name
    account_name: str = ""
    language: Language = "en"
    time_zone: str = "UTC"
    values: dict[str, str] = {}
    again_of: str | None = None  # the mail that this one repeats


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a mail so far. Instants in epoch ms."""

    state: MailState = "queued"
    attempts: int = 0
    changed_ms: int = 0
    ses_id: str = ""
    delivered_ms: int | None = None  # the reader's server took it
    reason: str = ""  # why it failed, bounced, or waits


class Logged(msgspec.Struct, frozen=True):
    """A line of the mail log."""

    mail: Mail
    fate: Fate


def mail_id(kind: Kind, name: str, address_key: str) -> str:
    """`mal_…`: the same event told to the same mailbox is the same mail."""
    told = "\0".join((kind, name, address_key))
    return f"mal_{sha256(told.encode()).hexdigest()[:32]}"
