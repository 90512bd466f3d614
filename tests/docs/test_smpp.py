"""What the guide for SMPP customers says of receipts is what the code does."""

from chalicelib.domain.esme import OWN_ERRORS
from chalicelib.domain.receipt_text import STATE_OF_STATUS, message_state
from chalicelib.domain.status import Status
from smpp_bridge.customers.feed import NOT_NOW
from tests.docs.test_documents import ROOT, _rows

GUIDE = (ROOT / "docs" / "smpp.md").read_text()


def test_the_states_of_receipts_are_the_domains() -> None:
    told = {row[0]: (row[1], int(row[2])) for row in _rows(GUIDE, "what Latin-1 lacks")}
    assert told == {
        status.value: (STATE_OF_STATUS[status].value, message_state(status))
        for status in Status
        if status is not Status.SCHEDULED  # nobody is told of it
    }


def test_the_errors_of_our_own_are_the_domains() -> None:
    assert [(code, err) for err, code in _rows(GUIDE, "`err` is the operator's own code")] == list(OWN_ERRORS.items())


def test_what_means_not_now_is_what_the_feed_takes_for_it() -> None:
    answers = [row[0] for row in _rows(GUIDE, "### What the customer answers")]
    assert answers[1] == ", ".join(f"0x{status:02X}" for status in sorted(NOT_NOW))
