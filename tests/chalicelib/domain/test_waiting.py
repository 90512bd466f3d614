"""Waiting: each message is looked at at each age, and has ended when it is said to have."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from chalicelib.domain import ids
from chalicelib.domain.content import Content
from chalicelib.domain.facts import Accepted, AnyFact, Final, Queued, Submitted
from chalicelib.domain.message import Message, fold
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding
from chalicelib.domain.waiting import GRACE_MS, LOOKS_MS, MINUTE_MS, STEP_MS, Care, care_of, ends_by_ms, windows

MADE_MS = 1_760_000_000_000
VALID_MS = 60 * MINUTE_MS
CONTENT = Content(
    to="+34600111222", country="ES", sender="A", encoding=Encoding.GSM7, parts=1, valid_until_ms=MADE_MS + VALID_MS
)
ACCEPTED = Accepted(at_ms=MADE_MS, content=CONTENT)
QUEUED = Queued(
    at_ms=MADE_MS, content=CONTENT, gateway="g", route="r", operator="o", price_micros=1, charge_micros=1, rules=1,
    bundle="b", why="w",
)  # fmt: skip
SUBMITTED = Submitted(at_ms=MADE_MS, part=1, parts=1, gateway="g", smsc_message_id="1", session="s")
EXPIRED = Final(at_ms=MADE_MS, status=Status.EXPIRED)


def message(*facts: AnyFact) -> Message:
    folded = fold(ids.new_message_id(MADE_MS), facts)
    assert folded is not None
    return folded


@pytest.mark.parametrize(
    ("facts", "after_ms", "care"),
    [
        pytest.param([ACCEPTED], 10 * MINUTE_MS, Care.SEND_AGAIN, id="accepted and never queued"),
        pytest.param([ACCEPTED], VALID_MS, None, id="accepted, and now its validity is over: not sent again"),
        pytest.param([ACCEPTED], VALID_MS + GRACE_MS, Care.END, id="accepted, and the grace is over too"),
        pytest.param([ACCEPTED, QUEUED], VALID_MS - 1, None, id="queued: it waits for its gateway"),
        pytest.param([QUEUED], VALID_MS + GRACE_MS, Care.END, id="queued past its validity"),
        pytest.param([QUEUED, SUBMITTED], VALID_MS + GRACE_MS - 1, None, id="submitted: a receipt may still come"),
        pytest.param([QUEUED, SUBMITTED], VALID_MS + GRACE_MS, Care.END, id="submitted, and no receipt came"),
        pytest.param([QUEUED, SUBMITTED, EXPIRED], 2 * VALID_MS, None, id="it has ended"),
        pytest.param([SUBMITTED], 2 * VALID_MS, None, id="nothing says until when it was valid"),
    ],
)
def test_what_a_waiting_message_needs(facts: list[AnyFact], after_ms: int, care: Care | None) -> None:
    assert care_of(message(*facts), MADE_MS + after_ms) is care


def rounds(first_ms: int, last_ms: int) -> range:
    """When rounds begin, a little after the clock's fives."""
    return range(first_ms - first_ms % STEP_MS + 700, last_ms, STEP_MS)


@hypothesis_settings(max_examples=30, deadline=None)
@given(made_ms=st.integers(MADE_MS, MADE_MS + 86_400_000))
def test_every_message_is_looked_at_once_at_each_age_but_twice_at_the_first(made_ms: int) -> None:
    seen = [
        now_ms - made_ms
        for now_ms in rounds(made_ms, made_ms + 9 * 86_400_000)
        for window in windows(now_ms)
        if window.since_ms <= made_ms < window.until_ms
    ]
    expected = [look for look in LOOKS_MS if look < 8 * 86_400_000]
    assert len(seen) == len(expected)
    assert all(look <= age <= look + STEP_MS + 1000 for look, age in zip(expected, seen, strict=True))
    assert all(10 * MINUTE_MS <= age <= 21 * MINUTE_MS for age in seen[:2])


@hypothesis_settings(max_examples=50, deadline=None)
@given(made_ms=st.integers(MADE_MS, MADE_MS + 86_400_000), valid_seconds=st.integers(10, 30 * 86_400))
def test_a_message_that_never_ends_is_ended_by_the_time_that_is_said(made_ms: int, valid_seconds: int) -> None:
    valid_until_ms = made_ms + 1000 * valid_seconds
    by_ms = ends_by_ms(made_ms, valid_until_ms)
    looks = [
        now_ms
        for look in LOOKS_MS
        for now_ms in rounds(made_ms + look, made_ms + look + 2 * STEP_MS)
        if any(window.since_ms <= made_ms < window.until_ms for window in windows(now_ms))
    ]
    ended = next(now_ms for now_ms in looks if now_ms >= valid_until_ms + GRACE_MS)
    assert ended <= by_ms


@pytest.mark.parametrize(("minutes", "lag_minutes"), [(5, 10), (60, 10), (1440, 10), (2880, 10), (43_200, 10)])
def test_a_usual_validity_is_followed_by_a_look_at_once(minutes: int, lag_minutes: int) -> None:
    valid_until_ms = MADE_MS + minutes * MINUTE_MS
    assert ends_by_ms(MADE_MS, valid_until_ms) <= valid_until_ms + GRACE_MS + lag_minutes * MINUTE_MS
