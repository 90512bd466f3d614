"""Resend: a mail of the log once more, as a mail of its own. What it carried a link for gets a new one at sending."""

import msgspec

from chalicelib.domain import email_address
from chalicelib.domain.bad_mailbox import is_held_back
from chalicelib.domain.mail import TOPICS, Logged, Mail, mail_id
from chalicelib.services import record_change
from chalicelib.services.address_notice import send_on
from chalicelib.services.faults import Fault, not_found
from chalicelib.store import bad_mailboxes, mails, users


def read(id_: str) -> Logged:
    """The mail. Raises Fault `not_found`."""
    logged = mails.get(id_)
    if logged is None:
        raise not_found("mail")
    return logged


def resend(id_: str, name: str, now_ms: int) -> Logged:
    """The mail once more, on its way; the same `name` does it once. To a user's present address, if that changed.

    Raises Fault `not_found`; `not_resendable` where the address is held back.
    """
    first = read(id_).mail
    address = _address_of(first)
    if is_held_back(first.kind, bad_mailboxes.of(address)):
        raise Fault("not_resendable", "the address bounced, or its reader complained: lift that first")
    event = f"{first.event}/again/{name}"
    again = msgspec.structs.replace(
        first,
        id=mail_id(first.kind, event, email_address.key(address)),
        event=event,
        address=address,
        created_ms=now_ms,
        again_of=first.id,
    )
    if mails.add(again):
        record_change.changed("mail", again.id, None, {"again_of": first.id, "kind": first.kind}, account=first.account)
    send_on([again.id], again.account, now_ms)
    return read(again.id)


def lift(address: str) -> None:
    """Mail goes to the address again. Raises Fault `not_found` where it was not held back."""
    known = bad_mailboxes.of(address)
    if known is None or not bad_mailboxes.lift(address):
        raise not_found("address that is held back")
    record_change.changed("bad_mailbox", email_address.mask(known.id), {"trouble": known.trouble}, None)


def _address_of(mail: Mail) -> str:
    row = users.versioned(mail.user) if mail.user and not TOPICS[mail.kind].to_former else None
    return row.value.email if row else mail.address
