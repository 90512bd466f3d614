"""How long who failed must wait, and what counts as one place."""

import pytest

from chalicelib.domain.lockout import FORGOTTEN_MS, FREE_OF_EMAIL, MAX_WAIT_MS, Failures, name_of, place_of, wait_ms

NOW_MS = 1_760_000_000_000


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (4, 0), (5, 5), (6, 10), (7, 20), (12, 640), (13, 900), (1_000, 900)],
)
def test_each_failure_over_the_free_ones_doubles_the_wait(failures: int, seconds: int) -> None:
    assert wait_ms(Failures(failures, NOW_MS), FREE_OF_EMAIL, NOW_MS) == seconds * 1000


def test_the_wait_runs_off_and_the_failures_are_forgotten_after_a_day() -> None:
    held = Failures(6, NOW_MS)
    assert wait_ms(held, FREE_OF_EMAIL, NOW_MS + 9_000) == 1_000
    assert wait_ms(held, FREE_OF_EMAIL, NOW_MS + 10_000) == 0
    assert wait_ms(Failures(99, NOW_MS), FREE_OF_EMAIL, NOW_MS + MAX_WAIT_MS - 1) == 1
    assert wait_ms(Failures(99, NOW_MS), 5, NOW_MS + FORGOTTEN_MS) == 0


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_a_site_of_ipv6_is_one_place(address: str, place: str) -> None:
    assert place_of(address) == place


def test_what_was_typed_cannot_be_read_from_its_name() -> None:
    assert "hunter2" not in name_of("hunter2")
    assert name_of("a@x.es") != name_of("b@x.es")
