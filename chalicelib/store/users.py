"""Users: found by id and by e-mail address, which nobody shares: both are written in one transaction."""

from collections.abc import Callable
from typing import Final

import msgspec
from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.transactions import TransactWrite

from chalicelib.domain import email_address
from chalicelib.domain.user import User
from chalicelib.settings import settings
from chalicelib.store import dynamo
from chalicelib.store.cached import Cached
from chalicelib.store.page import Cursor, Page
from chalicelib.store.rows import Row, Rows, RowTable

_ATTEMPTS: Final = 5
_HOUSE: Final = "-"  # stands for an account in administrators' rows
NOBODY: Final = "usr_00000000000000000000000000"  # an id that no user has: what is looked up for unknown addresses


class ByAccount(GlobalSecondaryIndex["UserTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_account"
        projection = AllProjection()

    account = UnicodeAttribute(hash_key=True)
    id = UnicodeAttribute(range_key=True)


class UserTable(RowTable):
    class Meta:
        suffix = "users"

    account = UnicodeAttribute()
    by_account = ByAccount()


class UserEmailTable(dynamo.Table):
    """Whose an e-mail address is."""

    class Meta:
        suffix = "user_emails"

    email = UnicodeAttribute(hash_key=True)  # email_address.key
    user = UnicodeAttribute()


_rows: Final = Rows(UserTable, User, lambda user: user.id)


def create(user: User) -> bool:
    """Write the user and its claim to the address, both or neither. False where somebody has the address."""

    def both(transaction: TransactWrite) -> None:
        item = UserTable(user.id, body=_body(user), version=1, account=user.account or _HOUSE)
        transaction.save(item, condition=UserTable.id.does_not_exist())
        transaction.save(_claim(user), condition=UserEmailTable.email.does_not_exist())

    return not dynamo.transact(both)


def get(id_: str) -> User | None:
    """The user, or None."""
    row = _rows.get(id_)
    return row.value if row else None


def versioned(id_: str) -> Row[User] | None:
    """The user as it is this moment, with the version that `change` wants."""
    return _rows.get(id_, consistent=True)


_cached: Final[Cached[str, User]] = Cached(get, lambda: settings().account_cache_seconds)


def cached(id_: str, now_ms: int) -> User | None:
    """The user, at most `account_cache_seconds` old: so long one who was suspended may still work elsewhere."""
    return _cached.get(id_, now_ms)


def by_email(email: str) -> Row[User] | None:
    """Whose address it is, as it is this moment. Takes two reads, also where it is nobody's."""
    try:
        id_ = str(UserEmailTable.get(email_address.key(email), consistent_read=True).user)
    except UserEmailTable.DoesNotExist:
        id_ = NOBODY
    return versioned(id_)


def change(expected_version: int, user: User) -> bool:
    """Write the user over that version. False where somebody changed it since. It keeps account and address."""
    changed = _rows.put(user, expected=expected_version)
    _cached.forget(user.id)
    return changed


def update(id_: str, changed: Callable[[User], User]) -> Row[User] | None:
    """The user as `changed` makes it of what it is this moment, or None where there is none. Raises dynamo.Overloaded.

    What `changed` raises goes on to the caller, and nothing is written.
    """
    for _ in range(_ATTEMPTS):
        row = versioned(id_)
        if row is None:
            return None
        user = changed(row.value)
        if user == row.value:
            return row
        if change(row.version, user):
            return Row(user, row.version + 1)
    raise dynamo.Overloaded(f"user {id_} kept changing")


def change_with_email(held: Row[User], user: User) -> bool:
    """Write the user over that version, with another address. False where somebody has it, or changed the user."""

    def moved(transaction: TransactWrite) -> None:
        row = UserTable(user.id)
        written: list[Action] = [UserTable.body.set(_body(user)), UserTable.version.add(1)]
        transaction.update(row, actions=written, condition=UserTable.version == held.version)
        transaction.delete(_claim(held.value), condition=UserEmailTable.user == user.id)
        transaction.save(_claim(user), condition=UserEmailTable.email.does_not_exist())

    changed = not dynamo.transact(moved)
    _cached.forget(user.id)
    return changed


def delete(held: Row[User]) -> bool:
    """Forget the user and its address, both or neither. False where somebody changed the user since."""

    def both(transaction: TransactWrite) -> None:
        transaction.delete(UserTable(held.value.id), condition=UserTable.version == held.version)
        transaction.delete(_claim(held.value), condition=UserEmailTable.user == held.value.id)

    gone = not dynamo.transact(both)
    _cached.forget(held.value.id)
    return gone


def of_account(account: str | None) -> list[Row[User]]:
    """The account's users, oldest first; None: the administrators. One made a moment ago may be missing yet."""
    found = UserTable.by_account.query(account or _HOUSE)
    return [Row(msgspec.json.decode(item.body, type=User), int(item.version)) for item in found]


def listing(cursor: Cursor | None = None, limit: int = 100) -> Page[Row[User]]:
    """Up to `limit` users of everybody, administrators too, in no particular order."""
    return _rows.listing(cursor, limit)


def _claim(user: User) -> UserEmailTable:
    return UserEmailTable(email_address.key(user.email), user=user.id)


def _body(user: User) -> str:
    return msgspec.json.encode(user).decode()
