"""Which contacts are in which groups: a row each, by group and number. One whose contact is gone means nothing."""

from collections.abc import Iterable, Iterator
from itertools import islice

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.transactions import TransactWrite

from chalicelib.store import dynamo


class ByContact(GlobalSecondaryIndex["MembershipTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_contact"
        projection = KeysOnlyProjection()

    contact = UnicodeAttribute(hash_key=True)
    group = UnicodeAttribute(range_key=True)


class MembershipTable(dynamo.Table):
    class Meta:
        suffix = "memberships"

    group = UnicodeAttribute(hash_key=True)
    number = UnicodeAttribute(range_key=True)
    contact = UnicodeAttribute()
    by_contact = ByContact()


def put(account: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Have the contacts in the groups, given as (group, number), 25 a request. Raises dynamo.Overloaded."""
    dynamo.put_all(_item(account, group, number) for group, number in pairs)


def remove(pairs: Iterable[tuple[str, str]]) -> None:
    """Have them out of the groups, there or not. Raises dynamo.Overloaded."""
    dynamo.delete_all(MembershipTable(group, number) for group, number in pairs)


def move(account: str, number: str, since: str, to: str) -> None:
    """Have the contact out of one group and in another, at once."""

    def both(transaction: TransactWrite) -> None:
        transaction.delete(MembershipTable(since, number))
        transaction.save(_item(account, to, number))

    dynamo.transact(both)


def has(group: str, number: str) -> bool:
    """Whether the contact is in the group this moment."""
    return MembershipTable.count(group, MembershipTable.number == number, consistent_read=True) > 0


def groups_of(account: str, number: str) -> list[str]:
    """The ids of the groups that a contact is in, oldest first; a second late."""
    return [str(item.group) for item in MembershipTable.by_contact.query(f"{account}#{number}")]


def numbers_of(group: str, after: str = "", most: int | None = None) -> Iterator[str]:
    """The numbers in a group behind that one ('': all), in their order, as they are this moment."""
    behind = MembershipTable.number > after if after else None
    items = MembershipTable.query(group, behind, consistent_read=True, page_size=most)
    return (str(item.number) for item in islice(items, most))


def _item(account: str, group: str, number: str) -> MembershipTable:
    return MembershipTable(group, number, contact=f"{account}#{number}")
