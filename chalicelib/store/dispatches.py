"""Claims: whoever names a dispatch first, a bridge or cancel, has it; the other finds out and lets go."""

from collections.abc import Iterable
from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError

from chalicelib.domain.waiting_order import CANCEL, NEVER_SENT, fate_in
from chalicelib.store import dynamo

__all__ = ["CANCEL", "KEPT_SECONDS", "Claim", "claim", "is_taken", "mark", "marked", "taken"]
KEPT_SECONDS: Final = 15 * 86_400  # longer than a queue keeps a record (14 days): a claim outlives what it guards


class DispatchTable(dynamo.Table):
    class Meta:
        suffix = "dispatches"

    id = UnicodeAttribute(hash_key=True)
    by = UnicodeAttribute()
    at_ms = NumberAttribute()
    expires = NumberAttribute()


class Claim(msgspec.Struct, frozen=True):
    """Who has a dispatch, since when, and whether this very call gave it."""

    by: str
    at_ms: int
    fresh: bool


def taken(ids: Iterable[str]) -> set[str]:
    """Those of the dispatches that a bridge has claimed, whether or not it got to submit anything."""
    claims = dynamo.get_all(DispatchTable, ids, consistent=True)
    return {str(claim.id) for claim in claims if fate_in(str(claim.by)) is None}


def is_taken(id_: str) -> bool:
    """Whether a bridge has claimed it, as of now, or may have claimed what was moved on from there."""
    try:
        return DispatchTable.get(id_, consistent_read=True).by not in NEVER_SENT
    except DispatchTable.DoesNotExist:
        return False


def marked(account: str, message_ids: Iterable[str]) -> set[str]:
    """Those of the messages that `mark` has marked, read consistently."""
    names = {_marker(account, message_id): message_id for message_id in message_ids}
    return {names[str(item.id)] for item in dynamo.get_all(DispatchTable, names, consistent=True)}


def mark(account: str, message_id: str, now_ms: int) -> Claim:
    """Say that a message is canceled that shares its claim with others: as it stands, by this call or before.

    Whoever claims the slice looks for marks afterwards; so a slice that is unclaimed once the mark stands goes without
    the message.
    """
    return claim(_marker(account, message_id), CANCEL, now_ms)


def _marker(account: str, message_id: str) -> str:
    return f"{CANCEL}/{account}/{message_id}"


def claim(id_: str, by: str, now_ms: int) -> Claim:
    """Claim the dispatch for `by` (a bridge instance's id, or CANCEL): the claim that stands, ours or another's."""
    item = DispatchTable(id_, by=by, at_ms=now_ms, expires=now_ms // 1000 + KEPT_SECONDS)
    try:
        item.save(condition=DispatchTable.id.does_not_exist())
    except PutError as error:
        if not dynamo.condition_failed(error):
            raise
        stands = DispatchTable.get(id_, consistent_read=True)
        return Claim(str(stands.by), int(stands.at_ms), fresh=False)
    return Claim(by, now_ms, fresh=True)
