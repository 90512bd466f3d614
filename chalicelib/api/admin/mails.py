"""The mail log: what people were told, what became of it, once more; and addresses that nothing is sent to."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import AccountId, PageQuery
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.api.mail_types import Address, MailId, MailView, MailWithText, mail_view, mail_with_text
from chalicelib.domain import ids
from chalicelib.domain.bad_mailbox import Trouble
from chalicelib.domain.mail import Kind, Logged, MailState
from chalicelib.services import resend_mail
from chalicelib.services.faults import invalid_field
from chalicelib.store import bad_mailboxes, mails
from chalicelib.store.page import Page

endpoints: Final = Endpoints(__name__, tag="Mails", role="admin")
Month = Annotated[
    str,
    Meta(pattern="^20[0-9]{2}-(0[1-9]|1[0-2])$(?!\\n)", description="Of all mails: the UTC month; this one."),
]


class MailQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which mails to list: an account's, those to an address, or all of a month."""

    account: Annotated[AccountId, Meta(description="`-`: those to administrators.")] | None = None
    address: Address | None = None
    month: Month | None = None
    state: MailState | None = None
    kind: Kind | None = None
    cursor: (
        Annotated[str, Meta(min_length=1, max_length=2000, description="`next_cursor` of the page before.")] | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class BadMailboxView(msgspec.Struct, frozen=True, kw_only=True):
    """An address that nothing is sent to, or after a complaint only what its login needs."""

    address: str
    trouble: Trouble
    reason: str
    since: datetime
    mail: str


class Mailbox(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address."""

    address: Address


@endpoints.get("/v1/admin/mails", faults=("invalid_cursor",))
def list_mails(call: AdminCall, query: MailQuery) -> Listing[MailView]:
    """List mails, newest first. A page may be short where `state` or `kind` is asked for.

    They are kept for 180 days.
    """
    if query.account and query.address:
        raise invalid_field("address", "excluded", "ask by account or by address")
    month = query.month or datetime.fromtimestamp(call.now_ms / 1000, UTC).strftime("%Y-%m")
    name = f"mails {query.account or ''} {query.address or ''} {month} {query.state or ''} {query.kind or ''}"
    page = _page(query, month, unseal(call, name, query.cursor))
    found = tuple(mail_view(one) for one in page.items if _asked_for(query, one))
    return Listing(data=found, next_cursor=seal(call, name, page.cursor))


@endpoints.get("/v1/admin/mails/{mail}")
def read_mail(call: AdminCall, mail: MailId) -> MailWithText:
    """Read a mail as it was written."""
    return mail_with_text(resend_mail.read(mail))


@endpoints.post("/v1/admin/mails/{mail}/resend", status=202, faults=("not_resendable",), idempotent=True)
def resend_a_mail(call: AdminCall, mail: MailId) -> MailView:
    """Send a mail once more, as a mail of its own.

    A link or token that it carried is made anew, and the one before works no more. It goes to the address that the user
    has now.
    """
    name = call.idempotency_key or ids.new_ulid(call.now_ms)
    return mail_view(resend_mail.resend(mail, name, call.now_ms))


@endpoints.get("/v1/admin/bad-mailboxes", faults=("invalid_cursor",))
def list_bad_mailboxes(call: AdminCall, query: PageQuery) -> Listing[BadMailboxView]:
    """List addresses that mail is not sent to, in no particular order."""
    page = bad_mailboxes.listing(unseal(call, "bad mailboxes", query.cursor), query.limit)
    data = tuple(
        BadMailboxView(
            address=row.value.id,
            trouble=row.value.trouble,
            reason=row.value.reason,
            since=instant(row.value.since_ms),
            mail=row.value.mail,
        )
        for row in page.items
    )
    return Listing(data=data, next_cursor=seal(call, "bad mailboxes", page.cursor))


@endpoints.post("/v1/admin/bad-mailboxes/lift", faults=("not_found",))
def lift_a_bad_mailbox(call: AdminCall, body: Mailbox) -> Mailbox:
    """Send mail to an address again, which bounced, or whose reader complained."""
    resend_mail.lift(body.address)
    return body


def _page(query: MailQuery, month: str, cursor: Any) -> Page[Logged]:
    if query.account:
        return mails.of_account(query.account, cursor, query.limit)
    if query.address:
        return mails.to_address(query.address, cursor, query.limit)
    return mails.of_month(month, cursor, query.limit)


def _asked_for(query: MailQuery, one: Logged) -> bool:
    return query.state in (None, one.fate.state) and query.kind in (None, one.mail.kind)
