"""Contacts: an account's address book, one by one. By the file: contact_files."""

from typing import Annotated, Final

from msgspec import Meta

from chalicelib.api.admin.types import Deleted
from chalicelib.api.contact_types import (
    AddressBookQuery,
    ChangedContact,
    ContactView,
    ListedContact,
    Move,
    NewContact,
    contact_view,
    listed,
)
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import CustomerCall, Endpoints
from chalicelib.api.number_lists import Digits, KnownNumber, begins
from chalicelib.services import keep_contacts as keep
from chalicelib.services.faults import invalid_field
from chalicelib.store import contacts

endpoints: Final = Endpoints(__name__, tag="Contacts", role="customer")


class ContactQuery(AddressBookQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which contacts to list."""

    prefix: Digits | None = None
    name: (
        Annotated[str, Meta(min_length=1, max_length=100, description="How names begin, whatever case and accents.")]
        | None
    ) = None


@endpoints.post("/v1/contacts", status=201, faults=("already_exists", "too_many", "not_found"))
def create_contact(call: CustomerCall, body: NewContact) -> ContactView:
    """Make a contact, in some groups or none. Its number is its name: it is not changed, and stands for one contact."""
    made = keep.create(
        call.caller.account, body.number, body.name, body.attributes, group_ids=body.group_ids, now_ms=call.now_ms
    )
    return contact_view(made)


@endpoints.get("/v1/contacts", faults=("invalid_cursor",))
def list_contacts(call: CustomerCall, query: ContactQuery) -> Listing[ListedContact]:
    """List your contacts by number, or search them by the beginning of number or name."""
    account = call.caller.account.id
    if query.prefix is not None and query.name is not None:
        raise invalid_field("name", "not_allowed", "search by prefix or by name, not both")
    listing = f"contacts {query.prefix} {query.name}"
    cursor = unseal(call, listing, query.cursor)
    if query.name is not None:
        page = contacts.by_name(account, query.name, cursor, query.limit)
    else:
        page = contacts.by_number(account, begins(query.prefix), cursor, query.limit)
    return Listing(data=tuple(listed(*row) for row in page.items), next_cursor=seal(call, listing, page.cursor))


@endpoints.get("/v1/contacts/{msisdn}")
def read_contact(call: CustomerCall, msisdn: KnownNumber) -> ContactView:
    """Read a contact, and which groups it is in."""
    return contact_view(keep.read(call.caller.account.id, msisdn))


@endpoints.put("/v1/contacts/{msisdn}", faults=("version_conflict",))
def change_contact(call: CustomerCall, msisdn: KnownNumber, body: ChangedContact) -> ContactView:
    """Change a contact: it has this name and these attributes then, and no others."""
    return contact_view(keep.change(call.caller.account.id, msisdn, body.name, body.attributes, body.version))


@endpoints.delete("/v1/contacts/{msisdn}")
def delete_contact(call: CustomerCall, msisdn: KnownNumber) -> Deleted:
    """Delete a contact, in all its groups."""
    keep.delete(call.caller.account.id, msisdn)
    return Deleted(id=msisdn)


@endpoints.post("/v1/contacts/{msisdn}/move")
def move_contact(call: CustomerCall, msisdn: KnownNumber, body: Move) -> ContactView:
    """Move a contact from one group to another, at once."""
    return contact_view(keep.move(call.caller.account.id, msisdn, body.since, body.to))
