"""Which ends are paid back: the whole table, so that no end of any policy is left to chance."""

from typing import get_args

import pytest

from chalicelib.domain.account import RefundPolicy
from chalicelib.domain.refunds import EndedBy, is_refunded
from chalicelib.domain.status import FINAL, Status

# never: nothing but what was not sent at all, at the customer's own word. rejected: before or by the SMSC.
# not_delivered: whatever is known not to have arrived. Unknown may have arrived.
PAID_BACK = {
    ("never", EndedBy.PLATFORM): {"canceled"},
    ("never", EndedBy.RECEIPT): set(),
    ("never", EndedBy.SILENCE): set(),
    ("rejected", EndedBy.PLATFORM): {"canceled", "rejected", "failed", "expired"},
    ("rejected", EndedBy.RECEIPT): {"rejected"},
    ("rejected", EndedBy.SILENCE): set(),
    ("not_delivered", EndedBy.PLATFORM): {"canceled", "rejected", "failed", "expired"},
    ("not_delivered", EndedBy.RECEIPT): {"canceled", "rejected", "failed", "expired", "undelivered"},
    ("not_delivered", EndedBy.SILENCE): {"expired"},
}


def test_the_table_knows_every_policy_and_whoever_may_end_a_message() -> None:
    assert set(PAID_BACK) == {(policy, by) for policy in get_args(RefundPolicy) for by in EndedBy}


@pytest.mark.parametrize(("policy", "by"), PAID_BACK)
def test_an_end_is_paid_back_as_the_policy_says_and_no_other(policy: RefundPolicy, by: EndedBy) -> None:
    assert {str(status) for status in Status if is_refunded(policy, by, status)} == PAID_BACK[policy, by]


@pytest.mark.parametrize(("policy", "by"), PAID_BACK)
def test_nothing_is_paid_back_that_arrived_may_have_arrived_or_is_still_on_its_way(
    policy: RefundPolicy, by: EndedBy
) -> None:
    kept = {Status.DELIVERED, Status.UNKNOWN} | (set(Status) - FINAL)
    assert not any(is_refunded(policy, by, status) for status in kept)
