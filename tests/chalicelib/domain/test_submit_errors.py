"""Refusals: the table held against the rules, and what is done next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.rules import ErrorRule
from chalicelib.domain.submit_errors import (
    CONSEQUENCES,
    NO_ANSWER,
    UNLISTED,
    Action,
    Fail,
    FailOver,
    Hold,
    NextStep,
    Retry,
    consequence_of,
    next_step,
    table_of,
)

NEVER = 10**15


@pytest.mark.parametrize(
    ("statuses", "action", "delays", "permanent", "may_fail_over"),
    [
        ([0x58], Action.PAUSE, (1, 2, 4, 8, 16, 30), False, True),
        ([0x0D, 0x0E, 0x0F], Action.PAUSE, (5, 30, 120, 300), False, True),
        ([0x14, 0x64], Action.RETRY, (30, 120, 300), False, True),
        ([0x08], Action.RETRY, (5, 30), False, True),
        ([0x45, 0x02, 0x99, 0x400, 0xFFFFFFFF], Action.FAIL_OVER, (), False, True),
        ([0x0A, 0x15, 0x48, 0x49], Action.FAIL_OVER, (), True, True),
        ([0x0B, 0x01, 0x33, 0x43, 0x61, 0x62, 0x65, 0x66, *range(0xC0, 0xC5)], Action.FINAL, (), True, False),
    ],
)
def test_each_status_has_the_consequence_of_the_table(
    statuses: list[int], action: Action, delays: tuple[int, ...], permanent: bool, may_fail_over: bool
) -> None:
    for status in statuses:
        found = consequence_of(status)
        assert (found.action, found.delays_seconds) == (action, delays), hex(status)
        assert (found.permanent, found.may_fail_over, found.refundable) == (permanent, may_fail_over, True), hex(status)
        assert found.counts_as_attempt is (action is not Action.PAUSE)


def test_codes_are_stable_words_and_titles_are_sentences() -> None:
    for found in [*CONSEQUENCES.values(), UNLISTED, NO_ANSWER]:
        assert found.code.replace("_", "a").isalpha()
        assert found.code.islower()
        assert found.title.endswith(".")


@pytest.mark.parametrize(
    ("status", "first", "steps"),
    [
        (0x14, True, [Retry(30), Retry(120), Retry(300), FailOver(), FailOver()]),
        (0x08, True, [Retry(5), Retry(30), FailOver()]),
        (0x45, True, [FailOver()]),
        (0x58, True, [Retry(1), Retry(2), Retry(4), Retry(8), Retry(16), Retry(30), Retry(30), Retry(30)]),
    ],
)
def test_it_is_tried_again_then_elsewhere(status: int, first: bool, steps: list[NextStep]) -> None:
    for attempt, step in enumerate(steps, 1):
        assert step == next_step(
            consequence_of(status), attempt=attempt, failover_left=first, now_ms=0, valid_until_ms=NEVER
        )


@pytest.mark.parametrize("status", [0x14, 0x08, 0x45, 0x0A, 0x777])
def test_where_no_gateway_is_left_it_fails_with_the_smscs_reason(status: int) -> None:
    step = next_step(consequence_of(status), attempt=9, failover_left=False, now_ms=0, valid_until_ms=NEVER)
    assert isinstance(step, Fail)
    assert (step.code, step.expired, step.refundable) == (consequence_of(status).code, False, True)


@pytest.mark.parametrize("failover_left", [True, False])
def test_what_is_final_goes_nowhere_else(failover_left: bool) -> None:
    step = next_step(consequence_of(0x0B), attempt=1, failover_left=failover_left, now_ms=0, valid_until_ms=NEVER)
    assert step == Fail(
        code="invalid_destination", title="The SMSC finds the destination invalid.", permanent=True, refundable=True
    )


def test_no_answer_is_held_and_not_refunded() -> None:
    assert next_step(NO_ANSWER, attempt=1, failover_left=True, now_ms=0, valid_until_ms=1) == Hold()
    assert not NO_ANSWER.refundable


def test_a_retry_that_would_come_too_late_goes_elsewhere_at_once_or_expires() -> None:
    busy = consequence_of(0x14)
    assert next_step(busy, attempt=1, failover_left=True, now_ms=0, valid_until_ms=30_001) == Retry(30)
    assert next_step(busy, attempt=1, failover_left=True, now_ms=0, valid_until_ms=30_000) == FailOver()
    expired = next_step(busy, attempt=1, failover_left=False, now_ms=0, valid_until_ms=30_000)
    assert isinstance(expired, Fail)
    assert (expired.code, expired.expired, expired.refundable) == ("validity_expired", True, True)


@given(
    st.sampled_from([*CONSEQUENCES, 0x777]),
    st.integers(0, 50),
    st.booleans(),
    st.integers(0, 400_000),
    st.integers(0, 400_000),
)
def test_nothing_is_tried_after_the_validity(status: int, attempt: int, left: bool, now: int, until: int) -> None:
    step = next_step(consequence_of(status), attempt=attempt, failover_left=left, now_ms=now, valid_until_ms=until)
    match step:
        case Retry(after):
            assert after > 0
            assert now + after * 1000 < until
        case FailOver():
            assert left
            assert now < until
        case _:
            assert isinstance(step, Fail)


def test_a_gateways_own_reading_comes_before_the_table() -> None:
    table = table_of(
        (
            ErrorRule(command_status=0x0B, action="retry", code="handset_off", title="The handset is off."),
            ErrorRule(command_status=0x401, action="final", code="blocked", title="Blocked.", refund=False),
            ErrorRule(command_status=0x402, action="pause", code="slow", title="Slower."),
            ErrorRule(command_status=0x403, action="fail_over", code="no_route", title="No route."),
        )
    )
    assert consequence_of(0x0B, table).action is Action.RETRY
    assert consequence_of(0x0B, table).delays_seconds
    blocked = consequence_of(0x401, table)
    assert (blocked.action, blocked.permanent, blocked.refundable) == (Action.FINAL, True, False)
    assert not consequence_of(0x402, table).counts_as_attempt
    assert consequence_of(0x403, table).may_fail_over
    assert consequence_of(0x404, table) is UNLISTED
    assert consequence_of(0x58, table).code == "gateway_throttled"


@pytest.mark.parametrize(
    ("status", "of_gateway"),
    [(0x08, True), (0x14, True), (0x45, True), (0x0777, True), (0x58, False), (0x0A, False), (0x0B, False)],
    ids=["system error", "queue full", "submit failed", "unlisted", "throttled", "sender", "destination"],
)
def test_a_refusal_is_the_gateway_s_fault_or_the_message_s(status: int, of_gateway: bool) -> None:
    assert consequence_of(status).of_gateway is of_gateway
