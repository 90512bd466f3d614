"""How bridges share slots: evenly, all of them, and without taking what another one still has."""

import pytest

from chalicelib.store.leases import Bridge, Leases, Slot
from smpp_bridge.gateways.sharing import Plan, Watch, plan, share_of


def bridges(*names: str, leaving: tuple[str, ...] = ()) -> dict[str, Bridge]:
    return {name: Bridge(id=name, beat=1, at_ms=0, stays=name not in leaving) for name in names}


@pytest.mark.parametrize("count", range(1, 6))
@pytest.mark.parametrize("slots", range(9))
def test_shares_differ_by_one_at_most_and_together_are_all(count: int, slots: int) -> None:
    there = bridges(*(f"bridge_{number}" for number in range(count)))
    shares = [share_of(name, "gw", slots, there) for name in there]
    assert sum(shares) == slots
    assert max(shares) - min(shares) <= 1


def test_gateways_of_one_session_are_spread() -> None:
    there = bridges("bridge_1", "bridge_2")
    of_one = sum(share_of("bridge_1", f"gateway-{number}", 1, there) for number in range(100))
    assert 30 <= of_one <= 70


def test_a_bridge_that_leaves_has_no_share() -> None:
    there = bridges("bridge_1", "bridge_2", leaving=("bridge_2",))
    assert [share_of(name, "gw", 3, there) for name in there] == [3, 0]


ONE, TWO = ("gw", 0), ("gw", 1)


@pytest.mark.parametrize(
    ("there", "slots", "wanted", "planned"),
    [
        (("me",), {}, {"gw": 2}, Plan(take=((ONE, None), (TWO, None)), shed=())),
        (("me",), {ONE: "dead", TWO: "me"}, {"gw": 2}, Plan(take=((ONE, "dead"),), shed=())),
        (("me", "you"), {}, {"gw": 2}, Plan(take=((ONE, None),), shed=())),
        (("me", "you"), {ONE: "me", TWO: "me"}, {"gw": 2}, Plan(take=(), shed=(TWO,))),
        (("me", "you"), {ONE: "me", TWO: "you"}, {"gw": 2}, Plan(take=(), shed=())),
        (("me", "you"), {ONE: "you", TWO: "you"}, {"gw": 2}, Plan(take=(), shed=())),
        (("me",), {ONE: "me", TWO: "me"}, {"gw": 1}, Plan(take=(), shed=(TWO,))),
        (("me",), {ONE: "me"}, {}, Plan(take=(), shed=(ONE,))),
        (("me", "you"), {}, {}, Plan(take=(), shed=())),
    ],
    ids=[
        "alone",
        "after one who died",
        "half of them",
        "one too many",
        "even",
        "none is free",
        "fewer sessions",
        "gateway gone",
        "nothing wanted",
    ],
)
def test_a_bridge_takes_what_is_free_and_sheds_what_is_above_its_share(
    there: tuple[str, ...], slots: dict[Slot, str], wanted: dict[str, int], planned: Plan
) -> None:
    assert plan(Leases(bridges(*there), slots), "me", wanted) == planned


def test_nothing_is_shed_while_there_is_something_to_take() -> None:
    slots = {("gw", 0): "me", ("gw", 1): "me", ("gw", 2): "dead"}
    assert plan(Leases(bridges("me", "you", "they"), slots), "me", {"gw": 3}).shed == ()


def test_who_does_not_renew_for_the_length_of_a_lease_is_gone_by_the_watcher_s_clock() -> None:
    watch = Watch(8.0)
    row = Bridge(id="you", beat=1, at_ms=-1_000_000_000)  # whatever its own clock says
    assert watch.gone(Leases({"you": row}, {}), 100.0) == []
    assert watch.gone(Leases({"you": row}, {}), 107.9) == []
    assert watch.gone(Leases({"you": row}, {}), 108.0) == [row]
    renewed = Bridge(id="you", beat=2, at_ms=0)
    assert watch.gone(Leases({"you": renewed}, {}), 108.1) == []
    assert watch.gone(Leases({}, {}), 200.0) == []
    assert watch.gone(Leases({"you": renewed}, {}), 300.0) == []  # it is watched anew
