"""Numbers that were seen: exact, and of one size."""

import pytest

from chalicelib.domain.seen_numbers import SeenNumbers


def test_each_number_is_new_once() -> None:
    seen = SeenNumbers(20_000)
    numbers = [f"+34{600_000_000 + step}" for step in range(20_000)]
    assert all(seen.add(number) for number in numbers)
    assert not any(seen.add(number) for number in numbers)
    assert seen.add("+34599999999")


def test_it_goes_on_from_what_was_kept_of_it() -> None:
    seen = SeenNumbers(1_000)
    seen.add("+34600000001")
    again = SeenNumbers(1_000, seen.keep())
    assert not again.add("+34600000001")
    assert again.add("+34600000002")


def test_what_was_kept_for_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="another size"):
        SeenNumbers(100_000, SeenNumbers(1_000).keep())


def test_a_million_numbers_take_sixteen_megabytes() -> None:
    assert len(SeenNumbers(1_000_000).keep()) == 16 * 1024 * 1024
