"""Who is told of what over SMPP: registered_delivery to the bit, and what a receipt says of its message."""

from typing import Any

import pytest

from chalicelib.domain.content import Content
from chalicelib.domain.esme import EsmeReceipt, err_of, network_error_of, receipts_of
from chalicelib.domain.facts import AnyFact, ErrorInfo, Final, Receipt, Submitted
from chalicelib.domain.news import Heard, News
from chalicelib.domain.status import FINAL, Status
from chalicelib.domain.text import Encoding

AT_MS, SUBMITTED_MS = 1_760_000_060_000, 1_760_000_000_000
MESSAGE = "msg_01K8XAMPLE"


def told(
    fact: AnyFact, registered: int = 1, login: str = "acme", message: str = MESSAGE, **content: Any
) -> list[EsmeReceipt]:
    made = Content(
        to="+34600111222",
        country="ES",
        sender="ACME",
        encoding=content.pop("encoding", Encoding.GSM7),
        parts=1,
        valid_until_ms=0,
        login=login,
        registered=registered,
        **{"text": "hello", **content},
    )
    return list(receipts_of(Heard(News(account="acc", message=message, fact=fact), made), SUBMITTED_MS))


def end(status: Status, error: ErrorInfo | None = None) -> Final:
    return Final(at_ms=AT_MS, status=status, error=error)


def operators(status: Status, part: int = 1, parts: int = 1) -> Receipt:
    return Receipt(
        at_ms=AT_MS, part=part, parts=parts, gateway="g", smsc_message_id="1", status=status, state="X", done_at_ms=7
    )


BITS = [
    (0x00, frozenset()),
    (0x01, FINAL),
    (0x02, FINAL - {Status.DELIVERED}),
    (0x03, frozenset({Status.DELIVERED})),
    (0x10, frozenset()),
    (0x11, FINAL),
    (0x0C, frozenset()),  # acknowledgements of the handset are nothing that the platform could give
    (0xE1, FINAL),
]


@pytest.mark.parametrize(("registered", "ends"), BITS)
def test_the_ends_asked_for_are_told_and_no_others(registered: int, ends: frozenset[Status]) -> None:
    assert {status for status in FINAL if told(end(status), registered)} == ends


@pytest.mark.parametrize(
    ("registered", "is_told"), [(0x10, True), (0x11, True), (0x12, True), (0x01, False), (0, False)]
)
def test_what_is_not_final_is_told_to_who_asked_for_it(registered: int, is_told: bool) -> None:
    receipts = told(operators(Status.SUBMITTED), registered)
    assert [(one.intermediate, one.status, one.done_ms) for one in receipts] == [(True, Status.SUBMITTED, 7)] * is_told


@pytest.mark.parametrize("status", sorted(FINAL))
def test_an_operators_final_receipt_of_a_part_is_not_told_as_the_messages_end(status: Status) -> None:
    assert told(operators(status, part=1, parts=3), 0x1F) == []


def test_that_the_smsc_took_a_part_is_not_told() -> None:
    fact = Submitted(at_ms=AT_MS, part=1, parts=1, gateway="g", smsc_message_id="1", session="s")
    assert told(fact, 0x11) == []


def test_a_message_that_did_not_come_by_smpp_is_told_to_nobody() -> None:
    assert told(end(Status.DELIVERED), login="") == []


def test_each_id_that_was_answered_for_a_joined_message_has_its_receipt() -> None:
    receipts = told(end(Status.DELIVERED), segment_ids=(MESSAGE, "msg_2", "msg_3"))
    assert [one.id for one in receipts] == [MESSAGE, "msg_2", "msg_3"]
    assert len({one.name for one in receipts}) == 3


def test_messages_that_share_the_id_that_was_answered_have_receipts_apart() -> None:
    """As those of a submit_multi do."""
    receipts = [told(end(Status.DELIVERED), message=one, segment_ids=("msg_1",))[0] for one in ("msg_1", "msg_2")]
    assert {one.id for one in receipts} == {"msg_1"}
    assert len({one.name for one in receipts}) == 2


def test_the_same_news_makes_the_same_name_and_a_better_end_another() -> None:
    names = [told(end(status), 0x11)[0].name for status in (Status.EXPIRED, Status.EXPIRED, Status.DELIVERED)]
    assert names[0] == names[1] != names[2]
    assert told(operators(Status.SUBMITTED), 0x11)[0].name not in names


def test_a_receipt_says_when_of_whom_and_what() -> None:
    (receipt,) = told(end(Status.DELIVERED), text="Hola, tu código es 123456. No lo compartas.")
    assert (receipt.submitted_ms, receipt.done_ms) == (SUBMITTED_MS, AT_MS)
    assert (receipt.sender, receipt.to) == ("ACME", "+34600111222")
    assert receipt.text == "Hola, tu código es 1"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"text": "two\r\nlines\tand\x1b more"}, "two  lines and  more"),
        ({"encoding": Encoding.BINARY, "text": "", "data": b"\0\1\2"}, ""),
        ({"encoding": Encoding.UCS2, "text": "añ😀" * 10}, "añ😀añ😀añ😀añ😀añ😀añ😀añ"),
    ],
)
def test_the_text_is_quoted_on_one_line(content: dict[str, Any], text: str) -> None:
    assert told(end(Status.DELIVERED), **content)[0].text == text


def error(code: str, gateway_code: str | None = None) -> ErrorInfo:
    return ErrorInfo(code=code, title="t", gateway_code=gateway_code)


@pytest.mark.parametrize(
    ("given", "err", "number"),
    [
        pytest.param(None, "000", None, id="none"),
        pytest.param(error("not_delivered", "1"), "001", 1, id="the operator's, in three digits"),
        pytest.param(error("not_delivered", "021"), "021", 21, id="as it wrote it"),
        pytest.param(error("not_delivered", "0A1"), "0A1", None, id="with letters"),
        pytest.param(error("not_delivered", "70000"), "70000", None, id="more than the TLV holds"),
        pytest.param(error("not_delivered", "a b"), "900", None, id="no word"),
        pytest.param(error("not_delivered", "½"), "900", None, id="no ASCII"),
        pytest.param(error("not_delivered", "0xZZ"), "0xZZ", None, id="that only looks like a status"),
        pytest.param(error("sender_refused", "0x0A"), "010", None, id="command_status"),
        pytest.param(error("gateway_error", "0x0403"), "1027", None, id="a vendor's command_status"),
        pytest.param(error("no_credit"), "904", None, id="refused here"),
        pytest.param(error("validity_expired"), "906", None, id="ended here"),
        pytest.param(error("anything_else"), "900", None, id="of no number"),
    ],
)
def test_err_is_the_operators_code_or_one_of_our_own(given: ErrorInfo | None, err: str, number: int | None) -> None:
    assert (err_of(given), network_error_of(given)) == (err, number)
