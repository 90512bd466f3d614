"""Keep contacts: one is made, changed, deleted; put into groups, taken out of them, moved."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from chalicelib.domain.account import Account
from chalicelib.domain.contact import MAX_CONTACTS, BadContact, Contact, Group, attributes_of
from chalicelib.domain.numbers import BadNumber, normalize
from chalicelib.services import record_change
from chalicelib.services.faults import Fault, invalid_field, not_found
from chalicelib.services.keep_groups import check_groups
from chalicelib.services.keep_groups import read as read_group
from chalicelib.store import contacts, groups, memberships
from chalicelib.store.contacts import ContactRow
from chalicelib.store.page import Cursor, Page


class Told(NamedTuple):
    """A contact and the groups that it is in."""

    row: ContactRow
    groups: tuple[Group, ...]


def create(
    account: Account,
    number: str,
    name: str,
    attributes: Mapping[str, str],
    *,
    group_ids: Sequence[str],
    now_ms: int,
) -> Told:
    """A new contact, in these groups. Raises Fault `invalid_request`, `already_exists`, `too_many`."""
    try:
        known = normalize(number, account.default_region)
    except BadNumber as error:
        raise invalid_field("/number", error.code, str(error)) from None
    found = check_groups(account.id, group_ids)
    contact = Contact(
        account=account.id, number=known.e164, created_ms=now_ms, name=name.strip(), attributes=_checked(attributes)
    )
    made = contacts.create([contact], MAX_CONTACTS)
    if made == "exists":
        raise Fault("already_exists", "there is a contact with this number")
    if made == "full":
        raise Fault("too_many", f"an account has at most {MAX_CONTACTS} contacts")
    memberships.put(account.id, [(group.id, contact.number) for group in found])
    _tell(contact.number, None, {"groups": [group.id for group in found]})
    return Told(ContactRow(contact, 1), found)


def change(account: str, number: str, name: str, attributes: Mapping[str, str], version: int) -> Told:
    """The contact with that name and those attributes. Raises Fault."""
    held = read(account, number)
    contact = held.row.contact
    changed = Contact(
        account=account,
        number=contact.number,
        created_ms=contact.created_ms,
        name=name.strip(),
        attributes=_checked(attributes),
    )
    if not contacts.change(changed, version):
        raise Fault("version_conflict", f"the contact is at version {held.row.version}")
    _tell(contact.number, {"version": version}, {"version": version + 1})
    return Told(ContactRow(changed, version + 1), held.groups)


def read(account: str, number: str) -> Told:
    """The contact as it is this moment, and its groups a second late. Raises Fault `not_found`."""
    row = contacts.get(account, _e164(number))
    if row is None:
        raise not_found("contact")
    return Told(row, tuple(groups.among(account, memberships.groups_of(account, row.contact.number))))


def delete(account: str, number: str) -> None:
    """Forget the contact, in all its groups. Raises Fault `not_found`."""
    known = read(account, number).row.contact.number
    memberships.remove((group, known) for group in memberships.groups_of(account, known))
    if not contacts.delete(account, known):
        raise not_found("contact")
    _tell(known, {}, None)


def put_into(account: str, group: str, number: str) -> Told:
    """Have the contact in the group; once more changes nothing. Raises Fault `not_found`."""
    known = _both(account, group, number)
    memberships.put(account, [(group, known)])
    _tell(known, {}, {"put_into": group})
    return read(account, known)


def take_out(account: str, group: str, number: str) -> Told:
    """Have the contact out of the group; once more changes nothing. Raises Fault `not_found`."""
    known = _both(account, group, number)
    memberships.remove([(group, known)])
    _tell(known, {"taken_out_of": group}, {})
    return read(account, known)


def move(account: str, number: str, since: str, to: str) -> Told:
    """Have the contact out of one group and in another; once more changes nothing. Raises Fault `not_found`."""
    if since == to:
        raise invalid_field("/to", "not_allowed", "it is to be moved to another group")
    known = _both(account, since, number)
    read_group(account, to)
    if not memberships.has(since, known) and not memberships.has(to, known):
        raise not_found("contact in that group")
    memberships.move(account, known, since, to)
    _tell(known, {"group": since}, {"group": to})
    return read(account, known)


def of_group(account: str, group: str, cursor: Cursor | None, limit: int) -> Page[ContactRow]:
    """The group's contacts, by number. `cursor` is `{"after": <number>}`. Raises Fault `not_found`."""
    read_group(account, group)
    numbers = list(memberships.numbers_of(group, cursor["after"] if cursor else "", limit + 1))
    found = contacts.among(account, numbers[:limit])
    rows = tuple(found[number] for number in numbers[:limit] if number in found)
    return Page(rows, {"after": numbers[limit - 1]} if len(numbers) > limit else None)


def _tell(number: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    """Tell the audit log, but never a name or an attribute: they are to be forgotten when somebody asks for it."""
    record_change.changed("contact", number, before, after)


def _both(account: str, group: str, number: str) -> str:
    """The number of the contact, where it and the group are there."""
    read_group(account, group)
    row = contacts.get(account, _e164(number))
    if row is None:
        raise not_found("contact")
    return row.contact.number


def _checked(attributes: Mapping[str, str]) -> dict[str, str]:
    try:
        return attributes_of(attributes)
    except BadContact as error:
        raise invalid_field("/attributes", error.code, str(error)) from None


def _e164(number: str) -> str:
    return f"+{number.lstrip('+')}"
