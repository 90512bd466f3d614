"""A message is the fold of its facts, in whatever order they are known."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.content import Content
from chalicelib.domain.facts import Accepted, AnyFact, Attempted, ErrorInfo, Final, Queued, Receipt, Refunded, Submitted
from chalicelib.domain.message import fold, outcome_of_parts
from chalicelib.domain.status import FINAL, RANK, Status
from chalicelib.domain.text import Encoding

CONTENT = Content(
    to="+34600111222", country="ES", sender="A", encoding=Encoding.GSM7, parts=2, valid_until_ms=9, text="x"
)
ERROR = ErrorInfo(code="c", title="t")


def receipt(part: int, status: Status, parts: int = 2, at_ms: int = 5) -> Receipt:
    return Receipt(
        at_ms=at_ms, part=part, parts=parts, gateway="g", smsc_message_id="1", status=status, state=status.upper()
    )


ACCEPTED = Accepted(at_ms=1, content=CONTENT)
QUEUED = Queued(
    at_ms=2,
    content=CONTENT,
    gateway="g",
    route="r",
    operator="o",
    price_micros=1,
    charge_micros=2,
    rules=1,
    bundle="B",
    why="w",
)
SUBMITTED = Submitted(at_ms=3, part=1, parts=2, gateway="g", smsc_message_id="1", session="s")
ATTEMPTED = Attempted(at_ms=3, attempt=1, part=2, gateway="g", error=ERROR, next="retry in 5 s")
EXPIRED = Final(at_ms=6, status=Status.EXPIRED, error=ERROR)
DELIVERED = Final(at_ms=7, status=Status.DELIVERED)


def test_there_is_no_message_without_facts() -> None:
    assert fold("msg_1", []) is None


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ([ACCEPTED], Status.ACCEPTED),
        ([ACCEPTED, QUEUED], Status.QUEUED),
        ([ACCEPTED, QUEUED, ATTEMPTED], Status.QUEUED),
        ([QUEUED, SUBMITTED], Status.SUBMITTED),
        ([SUBMITTED, receipt(1, Status.DELIVERED)], Status.SUBMITTED),
        ([ACCEPTED, QUEUED, SUBMITTED, EXPIRED], Status.EXPIRED),
        ([QUEUED, EXPIRED, DELIVERED], Status.DELIVERED),
        ([ATTEMPTED], Status.ACCEPTED),
    ],
)
def test_the_status_is_the_highest_whatever_the_order(facts: list[AnyFact], status: Status) -> None:
    assert {message.status for order in permutations(facts) if (message := fold("m", order))} == {status}


def test_the_fold_gathers_what_the_facts_know() -> None:
    again = Submitted(at_ms=4, part=1, parts=2, gateway="h", smsc_message_id="2", session="s")
    message = fold("msg_1", [EXPIRED, Refunded(at_ms=8, refund_micros=2), again, SUBMITTED, QUEUED])
    assert message is not None
    assert (message.content, message.queued, message.error) == (CONTENT, QUEUED, ERROR)
    assert (message.created_ms, message.updated_ms, message.parts_submitted, message.refund_micros) == (2, 8, 1, 2)
    assert message.final


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ([(1, Status.DELIVERED)], None),
        ([(1, Status.DELIVERED), (2, Status.SUBMITTED)], None),
        ([(1, Status.DELIVERED), (2, Status.DELIVERED)], Status.DELIVERED),
        ([(1, Status.DELIVERED), (2, Status.UNDELIVERED)], Status.UNDELIVERED),
        ([(1, Status.EXPIRED), (2, Status.UNDELIVERED)], Status.EXPIRED),
        ([(1, Status.EXPIRED), (1, Status.DELIVERED), (2, Status.DELIVERED)], Status.DELIVERED),
        ([], None),
    ],
)
def test_the_worst_part_decides_once_all_are_decided(told: list[tuple[int, Status]], outcome: Status | None) -> None:
    for order in permutations(told):
        decided = outcome_of_parts([receipt(part, status) for part, status in order])
        assert (decided.status if decided else None) is outcome


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(sorted(FINAL))), min_size=1, max_size=8))
def test_a_further_receipt_never_lowers_the_outcome(told: list[tuple[int, Status]]) -> None:
    receipts = [receipt(part, status, parts=3) for part, status in told]
    ranks = [
        RANK[decided.status]
        for upto in range(1, len(receipts) + 1)
        if (decided := outcome_of_parts(receipts[:upto])) is not None
    ]
    assert ranks == sorted(ranks)


def test_facts_of_a_message_have_names_of_their_own() -> None:
    facts: list[AnyFact] = [ACCEPTED, QUEUED, SUBMITTED, ATTEMPTED, receipt(1, Status.DELIVERED), EXPIRED, DELIVERED]
    assert [fact.key for fact in facts] == [
        "accepted",
        "queued",
        "submitted#001",
        "attempted#g#002#001",
        "receipt#001#delivered",
        "final#expired",
        "final#delivered",
    ]
