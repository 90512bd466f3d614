"""What goes wrong follows from the seed alone."""

from collections import Counter

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
