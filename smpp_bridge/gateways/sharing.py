"""How bridges share the session slots of gateways: pure functions of what the leases tell."""

from collections.abc import Mapping
from zlib import crc32

import msgspec

from chalicelib.store.leases import Bridge, Leases, Slot


class Plan(msgspec.Struct, frozen=True):
    """What a bridge is to do now. `take` says whose each slot was: None where nobody's."""

    take: tuple[tuple[Slot, str | None], ...]
    shed: tuple[Slot, ...]


def share_of(bridge: str, gateway: str, slots: int, bridges: Mapping[str, Bridge]) -> int:
    """How many of a gateway's slots the bridge should hold: as many as the others, and together all.

    What cannot be divided goes to other bridges for other gateways, so that gateways of one session are spread, too.
    """
    staying = sorted(id_ for id_, one in bridges.items() if one.stays)
    if bridge not in staying:
        return 0
    turn = (staying.index(bridge) + crc32(gateway.encode())) % len(staying)
    return slots // len(staying) + (turn < slots % len(staying))


def plan(leases: Leases, me: str, wanted: Mapping[str, int]) -> Plan:
    """`wanted`: the gateways in force and their numbers of slots.

    Of what is above its share a bridge sheds one slot a gateway at a time, and only when no slot is without a holder.
    """
    take: list[tuple[Slot, str | None]] = []
    shed = [slot for slot, by in leases.slots.items() if by == me and slot[1] >= wanted.get(slot[0], 0)]
    for gateway, count in wanted.items():
        slots: list[Slot] = [(gateway, number) for number in range(count)]
        mine = [slot for slot in slots if leases.slots.get(slot) == me]
        free = [slot for slot in slots if leases.slots.get(slot, "") not in leases.bridges]
        share = share_of(me, gateway, count, leases.bridges)
        take += [(slot, leases.slots.get(slot)) for slot in free[: max(0, share - len(mine))]]
        if not free and len(mine) > share:
            shed.append(mine[-1])
    return Plan(tuple(take), tuple(shed))


class Watch:
    """Finds bridges that renew no more, by the watcher's own monotonic clock: others' clocks may be wrong."""

    def __init__(self, lease_seconds: float) -> None:
        self._lease_seconds = lease_seconds
        self._beats: dict[str, tuple[int, float]] = {}  # last one seen, and when it was first

    def gone(self, leases: Leases, now: float) -> list[Bridge]:
        """Those whose lease is over. `now` is a moment after the leases were read."""
        self._beats = {
            id_: known if (known := self._beats.get(id_)) and known[0] == one.beat else (one.beat, now)
            for id_, one in leases.bridges.items()
        }
        return [one for id_, one in leases.bridges.items() if now - self._beats[id_][1] >= self._lease_seconds]
