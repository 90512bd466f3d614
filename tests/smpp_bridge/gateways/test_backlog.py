"""What goes first, and when what was put off has its turn."""

from chalicelib.domain.concatenation import Part
from chalicelib.domain.content import Priority
from smpp_bridge.gateways.backlog import Backlog
from smpp_bridge.gateways.held import Held, Submission
from tests.smpp_bridge.gateways.world import bundle, dispatch


def submission(priority: Priority = "normal", parts: int = 1) -> Submission:
    message = dispatch(priority=priority)
    held = Held(bundle(message), "h", bulk=False, visible_until=0.0, through=lambda _: None)
    return Submission(held, message, tuple(Part(b"x", number + 1, parts) for number in range(parts)), ())


def drain(backlog: Backlog) -> list[tuple[Submission, int]]:
    order = []
    while (first := backlog.first()) is not None:
        order.append((first, first.todo.pop(0)))
    return order


def test_high_goes_before_normal_and_normal_before_bulk_each_in_its_order() -> None:
    backlog = Backlog()
    made = [submission(priority) for priority in ("bulk", "normal", "bulk", "high", "normal")]
    for one in made:
        backlog.put(one)
    assert [one for one, _ in drain(backlog)] == [made[3], made[1], made[4], made[0], made[2]]


def test_a_message_s_parts_go_together() -> None:
    backlog = Backlog()
    first, second = submission(parts=3), submission(parts=2)
    backlog.put(first)
    backlog.put(second)
    assert drain(backlog) == [(first, 0), (first, 1), (first, 2), (second, 0), (second, 1)]


def test_a_part_again_goes_before_the_others_of_its_kind() -> None:
    backlog = Backlog()
    waiting, again = submission(), submission()
    backlog.put(again)
    again.todo.clear()
    backlog.first()
    backlog.put(waiting)
    backlog.put_first(again, 0)
    assert drain(backlog) == [(again, 0), (waiting, 0)]


def test_what_is_put_off_comes_when_it_is_due_and_not_before() -> None:
    backlog = Backlog()
    soon, late = submission(), submission()
    for one, due in ((late, 20.0), (soon, 10.0)):
        one.todo.clear()
        backlog.later(one, 0, due)
    assert (backlog.next_due(), backlog.put_off) == (10.0, 2)
    backlog.bring_due(9.9)
    assert backlog.first() is None
    backlog.bring_due(10.0)
    assert drain(backlog) == [(soon, 0)]
    backlog.bring_due(100.0)
    assert drain(backlog) == [(late, 0)]
    assert backlog.next_due() is None


def test_a_part_of_a_message_that_has_ended_meanwhile_does_not_come() -> None:
    backlog = Backlog()
    ended = submission()
    ended.todo.clear()
    backlog.later(ended, 0, 10.0)
    ended.put_off.clear()
    backlog.bring_due(11.0)
    assert backlog.first() is None


def test_all_tells_each_message_once() -> None:
    backlog = Backlog()
    both, ready = submission(parts=2), submission("high")
    backlog.put(both)
    backlog.put(ready)
    both.todo.remove(1)
    backlog.later(both, 1, 5.0)
    assert list(backlog.all()) == [ready, both]


def test_what_has_nothing_left_to_send_is_dropped_wherever_it_stands() -> None:
    backlog = Backlog()
    both, ready, stays = submission(parts=2), submission(), submission()
    for one in (both, ready, stays):
        backlog.put(one)
    both.todo.remove(1)
    backlog.later(both, 1, 5.0)
    backlog.later(stays, 0, 6.0)
    for one in (both, ready):
        one.todo.clear()
        one.put_off.clear()
    backlog.tidy()
    assert (list(backlog.all()), len(backlog), backlog.put_off, backlog.next_due()) == ([stays], 1, 1, 6.0)
    assert (both.queued, ready.queued, stays.queued) == (False, False, True)
