"""What goes wrong follows from the seed alone."""

from collections import Counter

import pytest

from infra.local.chaos.load import RESPONSE_TIMEOUT_SECONDS
from infra.local.chaos.plan import Deed, Size, plan

SIZE = Size(messages=100, kills=3, cuts=5, spells=2)


def test_the_same_seed_gives_the_same_steps_and_another_one_others() -> None:
    assert plan("7", SIZE) == plan("7", SIZE) != plan("8", SIZE)


def test_every_deed_is_done_as_often_as_asked_in_the_order_of_the_load() -> None:
    steps = plan("7", SIZE)
    told = {"KILL": 3, "CUT": 5, "SILENT": 2, "SLOW": 2, "THROTTLE": 2}
    assert Counter(step.deed for step in steps) == told
    assert {Deed[name] for name in told} == set(Deed)
    assert steps == sorted(steps)
    assert 0 < steps[0].share <= steps[-1].share < 1


def test_no_spell_lasts_as_long_as_a_gateway_waits_for_an_answer() -> None:
    steps = plan("7", Size(kills=100, cuts=100, spells=100))
    longest = {deed: max(step.seconds for step in steps if step.deed == deed.name) for deed in Deed}
    assert longest[Deed.CUT] == 0.0
    assert all(seconds < RESPONSE_TIMEOUT_SECONDS / 2 for seconds in longest.values())


def test_the_load_lasts_as_long_as_the_steps_whatever_the_size() -> None:
    for size in (SIZE, Size(), Size(messages=10, kills=1, cuts=0, spells=0)):
        assert size.messages / size.messages_per_second == pytest.approx(2.5 * len(plan("7", size)))
