"""Messages that a content rule holds until a person has looked at them, or their validity is over."""

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.domain.content import Content
from chalicelib.store import dynamo
from chalicelib.store.page import Cursor, Page

HeldState = Literal["waiting", "released", "dropped"]
KEPT_SECONDS: Final = 30 * 86_400  # after the validity: to see what was decided
_decoder: Final = msgspec.json.Decoder(Content)


class ByState(GlobalSecondaryIndex["HeldTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_state"
        projection = AllProjection()

    state = UnicodeAttribute(hash_key=True)
    message = UnicodeAttribute(range_key=True)


class HeldTable(dynamo.Table):
    class Meta:
        suffix = "held"

    message = UnicodeAttribute(hash_key=True)
    state = UnicodeAttribute()
    account = UnicodeAttribute()
    rule = UnicodeAttribute()
    body = UnicodeAttribute()
    accepted_ms = NumberAttribute()
    held_ms = NumberAttribute()
    settled_by = UnicodeAttribute(null=True)
    settled_ms = NumberAttribute(null=True)
    expires = NumberAttribute()
    by_state = ByState()


class HeldMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A held message, by which rule, and what somebody has decided of it."""

    message: str
    account: str
    rule: str
    content: Content
    accepted_ms: int
    held_ms: int
    state: HeldState = "waiting"
    settled_by: str | None = None
    settled_ms: int | None = None


def keep(held: HeldMessage) -> bool:
    """Keep it, waiting; False where it is kept already, whatever has become of it."""
    item = HeldTable(
        held.message,
        state=held.state,
        account=held.account,
        rule=held.rule,
        body=msgspec.json.encode(held.content).decode(),
        accepted_ms=held.accepted_ms,
        held_ms=held.held_ms,
        expires=held.content.valid_until_ms // 1000 + KEPT_SECONDS,
    )
    try:
        item.save(condition=HeldTable.message.does_not_exist())
    except PutError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def settle(message: str, state: HeldState, by: str, now_ms: int) -> bool:
    """Note what was decided of a waiting one. False where it does not wait (any more)."""
    table = HeldTable
    changes: list[Action] = [table.state.set(state), table.settled_by.set(by), table.settled_ms.set(now_ms)]
    try:
        table(message).update(changes, condition=table.state == "waiting")
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def change(message: str, changed: Callable[[Content], Content]) -> bool:
    """Change what is kept of the message's content. False where it is not there (any more)."""
    found = get(message)
    if found is None:
        return False
    body = msgspec.json.encode(changed(found.content)).decode()
    try:
        HeldTable(message).update([HeldTable.body.set(body)], condition=HeldTable.message.exists())
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def get(message: str) -> HeldMessage | None:
    """The held message as it is this moment, or None."""
    try:
        return _read(HeldTable.get(message, consistent_read=True))
    except HeldTable.DoesNotExist:
        return None


def listing(
    state: HeldState, account: str | None = None, cursor: Cursor | None = None, limit: int = 100
) -> Page[HeldMessage]:
    """Held messages in that state, those made last first."""
    found = HeldTable.by_state.query(
        state,
        filter_condition=None if account is None else HeldTable.account == account,
        scan_index_forward=False,
        limit=limit,
        page_size=limit if account is None else 1_000,
        last_evaluated_key=cursor,
    )
    return Page(tuple(_read(item) for item in found), found.last_evaluated_key)


def _read(item: Any) -> HeldMessage:
    return HeldMessage(
        message=str(item.message),
        account=str(item.account),
        rule=str(item.rule),
        content=_decoder.decode(item.body),
        accepted_ms=int(item.accepted_ms),
        held_ms=int(item.held_ms),
        state=msgspec.convert(item.state, HeldState),
        settled_by=item.settled_by,
        settled_ms=None if item.settled_ms is None else int(item.settled_ms),
    )
