"""Which bridges are there, and which of them holds which session slot of a gateway.

A bridge renews one row of its own, whatever the number of its slots; a slot's row only says whose it is, and is held
for as long as that bridge's row is there. Whoever finds that a bridge renews no more removes its row, on the condition
that it is as it was: from then on the bridge cannot renew, and its slots are free.

At a beat every 2 s that is 1.3 million write units a month and bridge, and as many read units for every 4 KB of rows
(some 40 slots and bridges): about 1 $ a month and bridge. Slots cost a unit when they change hands.
"""

from typing import Final

import msgspec
from pynamodb.attributes import BooleanAttribute, ListAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import DeleteError, PutError
from pynamodb.expressions.condition import Condition

from chalicelib.store import dynamo

Slot = tuple[str, int]  # gateway, number from 0
_SEPARATOR: Final = "#"  # in the keys of slots; a bridge's name has none


class LeaseTable(dynamo.Table):
    class Meta:
        suffix = "leases"

    key = UnicodeAttribute(hash_key=True)
    by = UnicodeAttribute(null=True)
    beat = NumberAttribute(null=True)
    at_ms = NumberAttribute(null=True)
    stays = BooleanAttribute(null=True)
    bound: ListAttribute[str] = ListAttribute(null=True)


class Bridge(msgspec.Struct, frozen=True, kw_only=True):
    """A bridge as its row tells. `beat` is another one at each renewal."""

    id: str
    beat: int
    at_ms: int
    stays: bool = True  # False: it drains, and takes no slot
    bound: frozenset[str] = frozenset()  # gateways of which it has a bound session


class Leases(msgspec.Struct, frozen=True):
    """All there are at one moment."""

    bridges: dict[str, Bridge]
    slots: dict[Slot, str]  # whose each is; that bridge may be gone


def join(bridge: Bridge) -> bool:
    """The bridge is there from now on. False: its name is taken."""
    return _put(_row_of(bridge), LeaseTable.key.does_not_exist())


def renew(bridge: Bridge) -> bool:
    """It is still there. False: others have found it gone, and its slots are theirs to take."""
    return _put(_row_of(bridge), LeaseTable.key.exists())


def leave(bridge: str) -> None:
    """It goes by itself, and its slots are free."""
    LeaseTable(bridge).delete()


def fence(bridge: Bridge) -> bool:
    """Find it gone. False: it has renewed meanwhile, or is gone already."""
    return _delete(bridge.id, LeaseTable.beat == bridge.beat)


def alive(bridge: str) -> bool:
    """Whether the bridge is there, as far as anybody has noticed."""
    return bool(LeaseTable.count(bridge, consistent_read=True))


def take(slot: Slot, by: str, instead_of: str | None) -> bool:
    """Have a slot that nobody holds, or `instead_of` one who is gone. False: somebody else was first."""
    free = LeaseTable.key.does_not_exist() if instead_of is None else LeaseTable.by == instead_of
    return _put(LeaseTable(_key_of(slot), by=by), free)


def release(slot: Slot, by: str) -> None:
    """Let go of a slot; nothing where it is another's."""
    _delete(_key_of(slot), LeaseTable.by == by)


def look() -> Leases:
    """All bridges and slots, read consistently."""
    bridges: dict[str, Bridge] = {}
    slots: dict[Slot, str] = {}
    for row in LeaseTable.scan(consistent_read=True):
        gateway, separator, number = str(row.key).rpartition(_SEPARATOR)
        if separator:
            slots[gateway, int(number)] = str(row.by)
        else:
            bridges[row.key] = _bridge_of(row)
    return Leases(bridges, slots)


def _key_of(slot: Slot) -> str:
    gateway, number = slot
    return f"{gateway}{_SEPARATOR}{number}"


def _row_of(bridge: Bridge) -> LeaseTable:
    bound = sorted(bridge.bound)
    return LeaseTable(bridge.id, beat=bridge.beat, at_ms=bridge.at_ms, stays=bridge.stays, bound=bound)


def _bridge_of(row: LeaseTable) -> Bridge:
    return Bridge(
        id=row.key, beat=int(row.beat), at_ms=int(row.at_ms), stays=bool(row.stays), bound=frozenset(row.bound)
    )


def _put(row: LeaseTable, condition: Condition) -> bool:
    try:
        row.save(condition=condition)
    except PutError as error:
        if not dynamo.condition_failed(error):
            raise
        return False
    return True


def _delete(key: str, condition: Condition) -> bool:
    try:
        LeaseTable(key).delete(condition=condition)
    except DeleteError as error:
        if not dynamo.condition_failed(error):
            raise
        return False
    return True
