"""Opt-outs: who has left which account's service. Coming back is noted too, so that late news cannot undo newer."""

from collections.abc import Iterable
from typing import Final, Literal

import msgspec
from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from chalicelib.store import dynamo
from chalicelib.store.page import Cursor, Page

Way = Literal["keyword", "api", "import"]
BACK_KEPT_SECONDS: Final = 30 * 86_400  # after that nothing older can come any more
_READ_AT_ONCE: Final = 500


class OptOutTable(dynamo.Table):
    class Meta:
        suffix = "opt_outs"

    account = UnicodeAttribute(hash_key=True)
    number = UnicodeAttribute(range_key=True)
    left = BooleanAttribute()
    at_ms = NumberAttribute()
    way = UnicodeAttribute()
    word = UnicodeAttribute(null=True)
    expires = NumberAttribute(null=True)


class OptOut(msgspec.Struct, frozen=True, kw_only=True):
    """A recipient's last word to an account: it left (or came back), when and how."""

    account: str
    number: str  # E.164 with +
    left: bool
    at_ms: int
    way: Way
    word: str | None = None  # that it wrote


def note(opt_out: OptOut) -> bool:
    """Note what the recipient said, unless something newer is known: then False."""
    table = OptOutTable
    item = _item(opt_out)
    changes: list[Action] = [
        table.left.set(opt_out.left),
        table.at_ms.set(opt_out.at_ms),
        table.way.set(opt_out.way),
        table.word.set(opt_out.word) if opt_out.word else table.word.remove(),
        table.expires.set(item.expires) if item.expires else table.expires.remove(),
    ]
    try:
        item.update(changes, condition=table.at_ms.does_not_exist() | (table.at_ms <= opt_out.at_ms))
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def put_many(opt_outs: Iterable[OptOut]) -> None:
    """Write them by the batch over whatever is known, as an import does. Raises dynamo.Overloaded."""
    dynamo.put_all(_item(one) for one in opt_outs)


def get(account: str, number: str) -> OptOut | None:
    """The recipient's opt-out as it is this moment; None where it has not left, or has come back."""
    try:
        item = OptOutTable.get(account, number, consistent_read=True)
    except OptOutTable.DoesNotExist:
        return None
    return _read(item) if item.left else None


def forget_word(account: str, number: str) -> bool:
    """Keep no more of the number's opt-out than that it left, and when. False where it has not."""
    table = OptOutTable
    try:
        table(account, number).update([table.word.remove()], condition=table.left == True)  # noqa: E712 - as below
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def listing(account: str, prefix: str = "", cursor: Cursor | None = None, limit: int = 100) -> Page[OptOut]:
    """Up to `limit` of those who have left, by number, of those that begin so."""
    begins = OptOutTable.number.startswith(prefix) if prefix else None
    found = OptOutTable.query(
        account,
        begins,
        filter_condition=OptOutTable.left == True,  # noqa: E712 - PynamoDB's way to say it
        limit=limit,
        page_size=_READ_AT_ONCE,
        last_evaluated_key=cursor,
    )
    return Page(tuple(_read(item) for item in found), found.last_evaluated_key)


def _item(one: OptOut) -> OptOutTable:
    expires = None if one.left else one.at_ms // 1000 + BACK_KEPT_SECONDS
    return OptOutTable(
        one.account, one.number, left=one.left, at_ms=one.at_ms, way=one.way, word=one.word, expires=expires
    )


def _read(item: OptOutTable) -> OptOut:
    return OptOut(
        account=str(item.account),
        number=str(item.number),
        left=bool(item.left),
        at_ms=int(item.at_ms),
        way=msgspec.convert(item.way, Way),
        word=item.word,
    )
