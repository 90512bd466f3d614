"""Marks: whatever steps tell twice, late or out of order, a message counts once, at its highest end."""

import random

import pytest

from chalicelib.domain.marks import CHARGED, LEFT, SUBMITTED, Marks, spans
from chalicelib.domain.status import FINAL, RANK, Status


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([], []),
        ([0], [0, 1]),
        ([6, 3, 4, 4], [3, 2, 1, 1]),
        (list(range(98)), [0, 98]),
        ([999_999, 0], [0, 1, 999_998, 1]),
    ],
)
def test_numbers_are_kept_as_gaps_and_lengths(numbers: list[int], told: list[int]) -> None:
    assert spans(numbers) == told
    marks = Marks()
    marks.add(CHARGED, told)
    assert marks.tally().charged == len(set(numbers))


def test_of_two_ends_the_one_that_stands_over_the_other_counts_in_whatever_order() -> None:
    for one in FINAL:
        for other in FINAL:
            marks = Marks()
            marks.add(one, [5, 1])
            marks.add(other, [5, 1])
            assert marks.tally().ends == {max(one, other, key=RANK.__getitem__): 1}


def test_the_order_and_number_of_times_that_marks_come_in_do_not_matter() -> None:
    told = [
        (CHARGED, [0, 100]),
        (SUBMITTED, [0, 60]),
        (LEFT, [0, 61]),
        (Status.EXPIRED, [10, 30]),
        (Status.DELIVERED, [20, 10, 20, 1]),
        (Status.CANCELED, [60, 1]),
    ]
    for seed in range(20):
        marks, drawn = Marks(), random.Random(seed)
        for mark, numbers in drawn.sample(told, len(told)) + drawn.choices(told, k=5):
            marks.add(mark, numbers)
        tally = marks.tally()
        assert (tally.charged, tally.submitted, tally.left) == (100, 60, 61)
        assert tally.ends == {Status.EXPIRED: 20, Status.DELIVERED: 11, Status.CANCELED: 1}
        assert tally.ended == 32
