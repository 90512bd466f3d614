"""Numbers that were seen: exact, and small while they are few."""

import pytest

from chalicelib.domain.seen_numbers import SeenNumbers


def test_each_number_is_new_once() -> None:
    seen = SeenNumbers()
    numbers = [f"+34{600_000_000 + step}" for step in range(20_000)]
    assert all(seen.add(number) for number in numbers)
    assert not any(seen.add(number) for number in numbers)
    assert seen.add("+34599999999")


@pytest.mark.parametrize("before", [1, 511, 512, 513, 3_000])
def test_it_goes_on_from_what_was_kept_of_it(before: int) -> None:
    numbers = [f"+34{600_000_000 + step}" for step in range(before + 3_000)]
    seen = SeenNumbers()
    assert all(seen.add(number) for number in numbers[:before])
    again = SeenNumbers(seen.keep())
    assert again.keep() == seen.keep()
    assert not any(again.add(number) for number in numbers[:before])
    assert all(again.add(number) for number in numbers[before:])
    assert not any(again.add(number) for number in numbers)


def test_what_is_no_whole_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no whole table"):
        SeenNumbers(SeenNumbers().keep()[:-8])


@pytest.mark.parametrize(("count", "kilobytes"), [(0, 8), (511, 8), (512, 16), (65_535, 1024), (65_536, 2048)])
def test_what_is_kept_grows_with_the_numbers_by_a_load_of_a_quarter_to_a_half(count: int, kilobytes: int) -> None:
    seen = SeenNumbers()
    for step in range(count):
        seen.add(str(34_600_000_000 + step))
    assert len(seen.keep()) == kilobytes * 1024
