"""Contacts by account and number; by name in an index. How many there are is counted as they come and go, exactly."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.transactions import TransactWrite

from chalicelib.domain.contact import Contact, folded
from chalicelib.store import dynamo, groups
from chalicelib.store.page import Cursor, Page

NEW_AT_ONCE: Final = dynamo.TRANSACTION_ITEMS - 1  # and the count
Created = Literal["created", "exists", "full"]
_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(dict[str, str])


class ByName(GlobalSecondaryIndex["ContactTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_name"
        projection = AllProjection()

    account = UnicodeAttribute(hash_key=True)
    folded = UnicodeAttribute(range_key=True)


class ContactTable(dynamo.Table):
    class Meta:
        suffix = "contacts"

    account = UnicodeAttribute(hash_key=True)
    number = UnicodeAttribute(range_key=True)
    folded = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    attributes = UnicodeAttribute()
    created_ms = NumberAttribute()
    version = NumberAttribute()
    by_name = ByName()


class ContactRow(NamedTuple):
    """A contact with the version that a change must name."""

    contact: Contact
    version: int


def create(contacts: Sequence[Contact], most: int) -> Created:
    """Write new contacts of one account, at most NEW_AT_ONCE: all of them, or none."""

    def all_of_them(transaction: TransactWrite) -> None:
        for contact in contacts:
            transaction.save(_item(contact, 1), condition=ContactTable.number.does_not_exist())
        groups.count(transaction, contacts[0].account, "contacts", len(contacts), most)

    reasons = dynamo.transact(all_of_them)  # in order: the contacts, then the count
    if not reasons:
        return "created"
    return "exists" if any(reasons[: len(contacts)]) else "full"


def change(contact: Contact, expected: int) -> bool:
    """Write the contact over that version. False where it was another."""
    table = ContactTable
    search = folded(contact.name)
    changes: list[Action] = [
        table.attributes.set(_encoder.encode(contact.attributes).decode()),
        table.name.set(contact.name) if contact.name else table.name.remove(),
        table.folded.set(search) if search else table.folded.remove(),
        table.version.add(1),
    ]
    try:
        table(contact.account, contact.number).update(changes, condition=table.version == expected)
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def overwrite(rows: Iterable[ContactRow]) -> None:
    """Write contacts that are there by the batch, over whatever stands there. Raises dynamo.Overloaded."""
    dynamo.put_all(_item(row.contact, row.version) for row in rows)


def delete(account: str, number: str) -> bool:
    """False where there was none."""

    def both(transaction: TransactWrite) -> None:
        transaction.delete(ContactTable(account, number), condition=ContactTable.number.exists())
        groups.count(transaction, account, "contacts", -1, 0)

    return not dynamo.transact(both)


def get(account: str, number: str) -> ContactRow | None:
    """The contact as it is this moment, or None."""
    try:
        return _row(ContactTable.get(account, number, consistent_read=True))
    except DoesNotExist:
        return None


def among(account: str, numbers: Iterable[str]) -> dict[str, ContactRow]:
    """Those of the numbers that are contacts, as they are this moment, 100 a request."""
    found = dynamo.get_pairs(ContactTable, ((account, number) for number in numbers), consistent=True)
    return {row.contact.number: row for row in map(_row, found)}


def by_number(account: str, prefix: str = "", cursor: Cursor | None = None, limit: int = 50) -> Page[ContactRow]:
    """The contacts whose numbers begin so, in order of numbers."""
    begins = ContactTable.number.startswith(prefix) if prefix else None
    found = ContactTable.query(account, begins, limit=limit, last_evaluated_key=cursor)
    return Page(tuple(map(_row, found)), found.last_evaluated_key)


def by_name(account: str, name: str, cursor: Cursor | None = None, limit: int = 50) -> Page[ContactRow]:
    """The contacts whose names begin so, whatever case and accents, in order of names; a second late."""
    found = ContactTable.by_name.query(
        account, ContactTable.folded.startswith(folded(name)), limit=limit, last_evaluated_key=cursor
    )
    return Page(tuple(map(_row, found)), found.last_evaluated_key)


def after(account: str, number: str) -> Iterator[Contact]:
    """The account's contacts behind a number ('': all), in order of numbers, read as they are asked for."""
    behind = ContactTable.number > number if number else None
    for item in ContactTable.query(account, behind):
        yield _row(item).contact


def _item(contact: Contact, version: int) -> ContactTable:
    return ContactTable(
        contact.account,
        contact.number,
        folded=folded(contact.name) or None,
        name=contact.name or None,
        attributes=_encoder.encode(contact.attributes).decode(),
        created_ms=contact.created_ms,
        version=version,
    )


def _row(item: Any) -> ContactRow:
    contact = Contact(
        account=str(item.account),
        number=str(item.number),
        created_ms=int(item.created_ms),
        name=item.name or "",
        attributes=_decoder.decode(item.attributes),
    )
    return ContactRow(contact, int(item.version))
