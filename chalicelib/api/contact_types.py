"""Groups and contacts as customers write and read them."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.instants import instant
from chalicelib.api.job_settings import GroupId
from chalicelib.api.number_lists import Cursor, WrittenNumber
from chalicelib.domain.contact import MAX_ATTRIBUTE, MAX_ATTRIBUTES, MAX_NAME, Contact, Group
from chalicelib.services.keep_contacts import Told

MAX_GROUPS_AT_ONCE: Final = 50

GroupName = Annotated[str, Meta(min_length=1, max_length=MAX_NAME, pattern="\\S")]
ContactName = Annotated[str, Meta(max_length=MAX_NAME)]
GroupIds = Annotated[tuple[GroupId, ...], Meta(max_length=MAX_GROUPS_AT_ONCE)]
Attributes = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=64)], Annotated[str, Meta(max_length=MAX_ATTRIBUTE)]],
    Meta(max_length=MAX_ATTRIBUTES, description="What placeholders name; empty ones are not kept."),
]


class NewGroup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group's name."""

    name: GroupName


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """A group."""

    id: str
    name: str
    created_at: datetime


class NewContact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody to write to."""

    number: WrittenNumber
    name: ContactName = ""
    attributes: Attributes = {}
    group_ids: GroupIds = ()


class ChangedContact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A contact as it is to be. Its groups stay."""

    version: Annotated[int, Meta(ge=1, description="The version that this change was made from.")]
    name: ContactName = ""
    attributes: Attributes = {}


class Move(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From which group to which."""

    since: GroupId = msgspec.field(name="from")
    to: GroupId


class ListedContact(msgspec.Struct, frozen=True, kw_only=True):
    """A contact, without its groups."""

    number: str
    name: str
    attributes: dict[str, str]
    created_at: datetime
    version: int


class ContactView(ListedContact, frozen=True, kw_only=True):
    """A contact."""

    groups: Annotated[tuple[GroupView, ...], Meta(description="May be a second behind.")]


class AddressBookQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which page."""

    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


def group_view(group: Group) -> GroupView:
    """The group as it is told."""
    return GroupView(id=group.id, name=group.name, created_at=instant(group.created_ms))


def listed(contact: Contact, version: int) -> ListedContact:
    """The contact as listings tell it."""
    return ListedContact(
        number=contact.number,
        name=contact.name,
        attributes=dict(contact.attributes),
        created_at=instant(contact.created_ms),
        version=version,
    )


def contact_view(told: Told) -> ContactView:
    """The contact with its groups."""
    contact, version = told.row
    return ContactView(
        number=contact.number,
        name=contact.name,
        attributes=dict(contact.attributes),
        created_at=instant(contact.created_ms),
        version=version,
        groups=tuple(map(group_view, told.groups)),
    )
