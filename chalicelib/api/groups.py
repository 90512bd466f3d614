"""Groups of contacts, and who is in them."""

from typing import Final

from chalicelib.api.admin.types import Deleted
from chalicelib.api.contact_types import (
    AddressBookQuery,
    ContactView,
    GroupView,
    ListedContact,
    NewGroup,
    contact_view,
    group_view,
    listed,
)
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import CustomerCall, Endpoints
from chalicelib.api.job_settings import GroupId
from chalicelib.api.number_lists import KnownNumber
from chalicelib.services import keep_contacts, keep_groups
from chalicelib.store import groups

endpoints: Final = Endpoints(__name__, tag="Contacts", role="customer")


@endpoints.post("/v1/groups", status=201, faults=("too_many",))
def create_group(call: CustomerCall, body: NewGroup) -> GroupView:
    """Make a group of contacts."""
    return group_view(keep_groups.create(call.caller.account.id, body.name.strip(), call.now_ms))


@endpoints.get("/v1/groups", faults=("invalid_cursor",))
def list_groups(call: CustomerCall, query: AddressBookQuery) -> Listing[GroupView]:
    """List your groups, oldest first."""
    page = groups.listing(call.caller.account.id, unseal(call, "groups", query.cursor), query.limit)
    return Listing(data=tuple(map(group_view, page.items)), next_cursor=seal(call, "groups", page.cursor))


@endpoints.get("/v1/groups/{group}")
def read_group(call: CustomerCall, group: GroupId) -> GroupView:
    """Read a group."""
    return group_view(keep_groups.read(call.caller.account.id, group))


@endpoints.put("/v1/groups/{group}")
def rename_group(call: CustomerCall, group: GroupId, body: NewGroup) -> GroupView:
    """Give a group another name."""
    return group_view(keep_groups.rename(call.caller.account.id, group, body.name.strip()))


@endpoints.delete("/v1/groups/{group}")
def delete_group(call: CustomerCall, group: GroupId) -> Deleted:
    """Delete a group. Its contacts stay."""
    keep_groups.delete(call.caller.account.id, group)
    return Deleted(id=group)


@endpoints.get("/v1/groups/{group}/contacts", faults=("invalid_cursor",))
def list_contacts_of_group(call: CustomerCall, group: GroupId, query: AddressBookQuery) -> Listing[ListedContact]:
    """List the contacts of a group, by number."""
    name = f"contacts of {group}"
    page = keep_contacts.of_group(call.caller.account.id, group, unseal(call, name, query.cursor), query.limit)
    return Listing(data=tuple(listed(*row) for row in page.items), next_cursor=seal(call, name, page.cursor))


@endpoints.put("/v1/groups/{group}/contacts/{msisdn}")
def add_contact_to_group(call: CustomerCall, group: GroupId, msisdn: KnownNumber) -> ContactView:
    """Put a contact into a group. It may be in many; doing it again changes nothing."""
    return contact_view(keep_contacts.put_into(call.caller.account.id, group, msisdn))


@endpoints.delete("/v1/groups/{group}/contacts/{msisdn}")
def remove_contact_from_group(call: CustomerCall, group: GroupId, msisdn: KnownNumber) -> ContactView:
    """Take a contact out of a group."""
    return contact_view(keep_contacts.take_out(call.caller.account.id, group, msisdn))
