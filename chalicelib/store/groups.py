"""Groups of contacts, and beside an account's groups how many groups and contacts it has, which transactions count."""

from typing import Any, Final, Literal

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.transactions import TransactWrite

from chalicelib.domain.contact import Group
from chalicelib.store import dynamo
from chalicelib.store.page import Cursor, Page

_COUNTS: Final = "#"  # comes before every group
Counted = Literal["groups", "contacts"]


class GroupTable(dynamo.Table):
    class Meta:
        suffix = "groups"

    account = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute(null=True)
    created_ms = NumberAttribute(null=True)
    groups = NumberAttribute(null=True)  # of the counts only
    contacts = NumberAttribute(null=True)


def count(transaction: TransactWrite, account: str, what: Counted, by: int, most: int) -> None:
    """Have the transaction count so many more; it fails where there would be more than `most`."""
    counted = getattr(GroupTable, what)
    condition = (counted.does_not_exist() | (counted <= most - by)) if by > 0 else None
    transaction.update(GroupTable(account, _COUNTS), [counted.add(by)], condition=condition)


def create(group: Group, most: int) -> bool:
    """False where the account has `most` groups already."""

    def both(transaction: TransactWrite) -> None:
        transaction.save(_item(group), condition=GroupTable.id.does_not_exist())
        count(transaction, group.account, "groups", 1, most)

    return not dynamo.transact(both)


def get(account: str, id_: str) -> Group | None:
    """The group as it is this moment, or None."""
    try:
        return _group(GroupTable.get(account, id_, consistent_read=True))
    except DoesNotExist:
        return None


def among(account: str, ids: list[str]) -> list[Group]:
    """Those of the groups that are there, in order of their ids."""
    found = dynamo.get_pairs(GroupTable, [(account, id_) for id_ in ids], consistent=True)
    return sorted(map(_group, found), key=lambda group: group.id)


def rename(account: str, id_: str, name: str) -> bool:
    """False where there is no such group."""
    try:
        GroupTable(account, id_).update([GroupTable.name.set(name)], condition=GroupTable.id.exists())
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def delete(account: str, id_: str) -> bool:
    """False where there was none."""

    def both(transaction: TransactWrite) -> None:
        transaction.delete(GroupTable(account, id_), condition=GroupTable.id.exists())
        count(transaction, account, "groups", -1, 0)

    return not dynamo.transact(both)


def listing(account: str, cursor: Cursor | None, limit: int) -> Page[Group]:
    """The account's groups, oldest first. `cursor` is `{"after": <group id>}`."""
    after = cursor["after"] if cursor else _COUNTS
    found = [_group(item) for item in GroupTable.query(account, GroupTable.id > after, limit=limit + 1)]
    return Page(tuple(found[:limit]), {"after": found[limit - 1].id} if len(found) > limit else None)


def _item(group: Group) -> GroupTable:
    return GroupTable(group.account, group.id, name=group.name, created_ms=group.created_ms)


def _group(item: Any) -> Group:
    return Group(account=str(item.account), id=str(item.id), name=str(item.name), created_ms=int(item.created_ms))
