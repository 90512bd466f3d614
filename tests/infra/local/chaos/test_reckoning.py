"""The account of a chaos run can tell: each way to be wrong is put before it."""

import msgspec
import pytest

from chalicelib.domain.status import Status
from chalicelib.services.charge import charge
from chalicelib.store import receipt_pointers
from chalicelib.store.receipt_pointers import Pointer
from infra.local.chaos.driver import Done
from infra.local.chaos.load import PRICE_MICROS, Sent, recipient
from infra.local.chaos.plan import Deed
from infra.local.chaos.reckoning import Fate, Reckoning, Run, charged_twice, reckon, submitted_twice
from infra.local.smsc.journal import Taken
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS

pytestmark = pytest.mark.usefixtures("aws")
NUMBER = "34600000001"
AT = 1_000.0


def sent(id_: str = "msg_1", gateway: str = "eager", bundle: str = "B", parts: int = 1) -> Sent:
    return Sent(
        id=id_, to=f"+{NUMBER}", parts=parts, priority="normal", account=ACCOUNT, gateway=gateway, bundle=bundle
    )


def fate(*resent_at: float, charge_micros: int = PRICE_MICROS) -> Fate:
    return Fate(Status.DELIVERED, charge_micros, resent_at)


def taken_twice(gateway: str = "eager", seconds: float = 40.0) -> list[Taken]:
    return [Taken(AT, gateway, NUMBER, 1, "A1"), Taken(AT + seconds, gateway, NUMBER, 1, "A2")]


def done(deed: Deed, after: float) -> Done:
    return Done(deed, AT + after, AT + after)


@pytest.mark.parametrize(
    ("deeds", "resent_at", "gateway", "by"),
    [
        pytest.param([done(Deed.KILL, 0.2)], (), "eager", "bridge killed", id="killed while it was unanswered"),
        pytest.param([done(Deed.CUT, 0.2)], (AT + 0.3,), "eager", "connections cut", id="cut, as the timeline says"),
        pytest.param([done(Deed.CUT, 0.2)], (), "eager", None, id="cut, and the timeline knows of nothing"),
        pytest.param([done(Deed.KILL, -3.0)], (), "eager", "bridge killed", id="read after a silence"),
        pytest.param([], (), "eager", None, id="nothing happened"),
        pytest.param([done(Deed.SILENT, 0.2)], (AT + 0.3,), "eager", None, id="a silence is no reason"),
        pytest.param([done(Deed.KILL, 30.0)], (), "eager", None, id="killed long after the answer"),
        pytest.param([done(Deed.KILL, -30.0)], (), "eager", None, id="killed long before"),
        pytest.param([done(Deed.KILL, 41.0)], (), "eager", None, id="killed after both"),
        pytest.param([done(Deed.KILL, 0.2)], (), "careful", None, id="over a gateway that holds"),
        pytest.param([done(Deed.KILL, 0.2)], (), "mixed", None, id="a normal one over a gateway that goes by priority"),
    ],
)
def test_a_second_submit_is_explained_by_an_unanswered_first_at_a_kill_or_a_cut(
    deeds: list[Done], resent_at: tuple[float, ...], gateway: str, by: str | None
) -> None:
    known = {"msg_1": fate(*resent_at)}
    (found,) = submitted_twice([sent(gateway=gateway)], known, taken_twice(gateway), deeds)
    assert found.by == by


def test_a_first_submit_whose_answer_was_told_explains_nothing() -> None:
    pointer = Pointer(
        gateway="eager", smsc_message_id="A1", account=ACCOUNT, message="msg_1", part=1, parts=1, at_ms=NOW_MS
    )
    receipt_pointers.put([pointer])
    (found,) = submitted_twice([sent()], {"msg_1": fate()}, taken_twice(), [done(Deed.KILL, 0.2)])
    assert found.by is None


def test_parts_of_one_message_and_others_messages_are_not_twice() -> None:
    several = [Taken(AT, "eager", NUMBER, 1, "A1"), Taken(AT, "eager", NUMBER, 2, "A2"), Taken(AT, "x", "1", 1, "A3")]
    assert submitted_twice([sent(parts=2)], {"msg_1": fate()}, several, []) == []


def test_a_bundle_that_paid_its_prices_is_right_and_one_that_paid_more_is_not() -> None:
    world.open_account()
    one, other = world.draft(), world.draft()
    bundle = world.routed(one, other)
    charge([bundle], NOW_MS)
    both = [sent(one.id, bundle=bundle.id), sent(other.id, bundle=bundle.id)]
    known = {message.id: fate() for message in both}
    assert charged_twice(both, known) == []
    assert charged_twice(both[:1], known) == both[:1]
    known[other.id] = fate(charge_micros=0)  # as if its queued fact were missing
    assert charged_twice(both, known) == both


def test_a_message_that_is_not_final_is_lost_and_a_run_that_lost_one_is_not_clean() -> None:
    known = {"msg_1": Fate(Status.SUBMITTED, 0, ())}
    reckoning = reckon(Run([sent(), sent("msg_2")], known, [], []), audit_differences=0)
    assert (reckoning.accepted, reckoning.final, reckoning.lost) == (2, 0, 2)
    assert not reckoning.is_clean


@pytest.mark.parametrize("field", ["lost", "charged_twice", "unexplained", "audit_differences"])
def test_what_must_not_be_makes_a_run_unclean(field: str) -> None:
    clean = Reckoning(
        accepted=9, final=9, lost=0, charged_twice=0, submitted_twice=3, unexplained=0, audit_differences=0
    )
    assert clean.is_clean
    assert not msgspec.structs.replace(clean, **{field: 1}).is_clean


def test_recipients_are_all_different() -> None:
    numbers = [recipient(number, suffix) for number in range(10_000) for suffix in ("", "0001", "0043")]
    assert len(set(numbers)) == len(numbers)
