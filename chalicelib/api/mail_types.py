"""Mails and forwards as the API tells of them."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.instants import instant
from chalicelib.domain.email_address import MAX_ADDRESS
from chalicelib.domain.forward import Forward, ForwardState
from chalicelib.domain.mail import FORWARDED, FORWARDED_BY_HOUSE, TOPICS, Kind, Language, Logged, MailState, Module
from chalicelib.domain.user import User
from chalicelib.mails.compose import HIDDEN_PASS, text_of

ForwardId = Annotated[str, Meta(pattern="^fwd_[0-7][0-9A-HJKMNP-TV-Z]{25}$(?!\\n)", description="A forward's id.")]
MailId = Annotated[str, Meta(pattern="^mal_[0-9a-f]{32}$(?!\\n)", description="A mail's id.")]
Address = Annotated[
    str, Meta(min_length=3, max_length=MAX_ADDRESS, description="An e-mail address.", examples=["ana@example.com"])
]
Forwardable = Literal["credits", "prices", "jobs", "webhooks", "summaries"]
Modules = Annotated[
    tuple[Forwardable, ...], Meta(min_length=1, max_length=len(FORWARDED), description="What it is told of.")
]

HouseModules = Annotated[
    tuple[Literal["gateways"], ...],
    Meta(min_length=1, max_length=len(FORWARDED_BY_HOUSE), description="What it is told of."),
]


class MailChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of mail that you are told by."""

    kind: Kind
    module: Module
    wanted: bool
    optional: Annotated[bool, Meta(description="False: nobody declines it.")]


class MailChoices(msgspec.Struct, frozen=True, kw_only=True):
    """All kinds of mails for somebody in your role."""

    mails: tuple[MailChoice, ...]


class MailsOff(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The kinds that you do not want; all others you do."""

    off: Annotated[tuple[Kind, ...], Meta(max_length=len(Kind))]


class ForwardSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is forwarded, and in which language."""

    modules: Modules
    language: Language = "en"


class NewForward(ForwardSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address to forward notifications to."""

    address: Address


class HouseForwardSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of administrators' notifications is forwarded, and in which language."""

    modules: HouseModules
    language: Language = "en"


class NewHouseForward(HouseForwardSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address to forward administrators' notifications to."""

    address: Address


class ForwardView(msgspec.Struct, frozen=True, kw_only=True):
    """A further reader of your notifications."""

    id: str
    address: str
    modules: tuple[Module, ...]
    language: Language
    state: Annotated[
        ForwardState,
        Meta(description="pending: it has not said yes, and gets nothing; stopped: its reader wants no more."),
    ]
    asked: Annotated[int, Meta(description="How often it was asked for its yes.")]
    asked_at: datetime | None
    created_at: datetime


class LinkToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the link in a mail carries."""

    token: Annotated[str, Meta(min_length=1, max_length=300)]


class LinkHeeded(msgspec.Struct, frozen=True, kw_only=True):
    """What the link's reader wanted is so."""

    state: ForwardState
    modules: tuple[Module, ...]


class MailView(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the mail log."""

    id: str
    kind: Kind
    state: MailState
    address: str
    account: str | None
    user: str | None
    forward: str | None
    subject: str
    reason: Annotated[
        str | None, Meta(description="Why it failed, bounced, or waits: SES's word, held_back, no_reader, no_sender.")
    ]
    attempts: int
    created_at: datetime
    changed_at: datetime
    delivered_at: Annotated[datetime | None, Meta(description="When its reader's server took it, as far as SES knows.")]
    again_of: Annotated[str | None, Meta(description="The mail that this one repeats.")]


class MailWithText(MailView, frozen=True, kw_only=True):
    """A mail with its text. What let its reader do something, a link or a token, is nowhere kept: it is left out."""

    language: Language
    time_zone: str
    ses_id: str | None
    text: str


def choices_of(user: User, kinds: tuple[Kind, ...]) -> MailChoices:
    """What the user has chosen, of these kinds."""
    return MailChoices(
        mails=tuple(
            MailChoice(
                kind=kind,
                module=TOPICS[kind].module,
                wanted=kind not in user.mails_off,
                optional=TOPICS[kind].is_optional,
            )
            for kind in kinds
        )
    )


def forward_view(forward: Forward) -> ForwardView:
    """The forward without what confirms or ends it."""
    return ForwardView(
        id=forward.id,
        address=forward.address,
        modules=forward.modules,
        language=forward.language,
        state=forward.state,
        asked=forward.asked,
        asked_at=instant(forward.asked_ms) if forward.asked_ms else None,
        created_at=instant(forward.created_ms),
    )


def mail_view(logged: Logged) -> MailView:
    """The mail as a line."""
    return MailView(**_fields(logged))


def mail_with_text(logged: Logged) -> MailWithText:
    """The mail as it reads, made anew from what is kept."""
    mail = logged.mail
    text = text_of(mail, HIDDEN_PASS if TOPICS[mail.kind].has_link else None)
    return MailWithText(
        **_fields(logged),
        language=mail.language,
        time_zone=mail.time_zone,
        ses_id=logged.fate.ses_id or None,
        text=text.plain,
    )


def _fields(logged: Logged) -> dict[str, Any]:
    mail, fate = logged.mail, logged.fate
    return {
        "id": mail.id,
        "kind": mail.kind,
        "state": fate.state,
        "address": mail.address,
        "account": mail.account,
        "user": mail.user,
        "forward": mail.forward,
        "subject": text_of(mail).subject,
        "reason": fate.reason or None,
        "attempts": fate.attempts,
        "created_at": instant(mail.created_ms),
        "changed_at": instant(fate.changed_ms),
        "delivered_at": instant(fate.delivered_ms),
        "again_of": mail.again_of,
    }
