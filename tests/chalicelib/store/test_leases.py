"""A bridge is there while it renews; a slot is whose its row says, for as long as that one is there."""

import msgspec

from chalicelib.settings import Settings
from chalicelib.store import leases
from chalicelib.store.leases import Bridge

ONE = Bridge(id="bridge_1", beat=1, at_ms=1_800_000_000_000, bound=frozenset({"gw"}))


def test_a_bridge_joins_renews_and_leaves(aws: Settings) -> None:
    assert leases.join(ONE)
    assert not leases.join(ONE)
    later = msgspec.structs.replace(ONE, beat=2, stays=False, bound=frozenset())
    assert leases.renew(later)
    assert leases.look().bridges == {"bridge_1": later}
    assert leases.alive("bridge_1")
    leases.leave("bridge_1")
    assert not leases.alive("bridge_1")
    assert not leases.renew(later)
    assert leases.look().bridges == {}


def test_who_renews_in_time_is_not_found_gone_and_who_was_can_renew_no_more(aws: Settings) -> None:
    leases.join(ONE)
    renewed = msgspec.structs.replace(ONE, beat=2)
    leases.renew(renewed)
    assert not leases.fence(ONE)
    assert leases.alive("bridge_1")
    assert leases.fence(renewed)
    assert not leases.fence(renewed)
    assert not leases.renew(msgspec.structs.replace(ONE, beat=3))


def test_a_slot_has_one_holder_and_passes_from_one_who_is_gone(aws: Settings) -> None:
    slot = ("a#gateway", 12)
    assert leases.take(slot, "bridge_1", None)
    assert not leases.take(slot, "bridge_2", None)
    assert not leases.take(slot, "bridge_2", "bridge_3")
    assert leases.take(slot, "bridge_2", "bridge_1")
    assert not leases.take(slot, "bridge_3", "bridge_1")
    leases.release(slot, "bridge_1")
    assert leases.look().slots == {slot: "bridge_2"}
    leases.release(slot, "bridge_2")
    assert leases.look().slots == {}
