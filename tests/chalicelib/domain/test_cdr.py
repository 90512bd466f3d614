"""A message's record: one flat line of what its facts say, in whatever order they came."""

import itertools
from typing import Any

import msgspec
import pytest

from chalicelib.domain import ids
from chalicelib.domain.cdr import DESCRIPTIONS, TYPES, Cdr, cdr_of, text_hash
from chalicelib.domain.content import Content
from chalicelib.domain.day_summary import MAX_LINES, OTHERS, DaySummary, line_of
from chalicelib.domain.facts import Accepted, AnyFact, ErrorInfo, Final, Queued, Receipt, Refunded, Submitted
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding
from chalicelib.domain.texts import ERASED, erased, hashed, without_number, without_texts

AT_MS = 1_760_000_000_000
ID = ids.new_message_id(AT_MS)
KEY = b"key"
REFUSED = ErrorInfo(code="no_route", title="No route.", gateway_code="12")


def content(**more: Any) -> Content:
    given: dict[str, Any] = {"to": "+34600111222", "country": "ES", "sender": "ACME", "encoding": Encoding.GSM7}
    return Content(**{**given, "parts": 2, "valid_until_ms": AT_MS, "text": "cafe\u0301", "by": "usr_1", **more})


def queued(of: Content, after_ms: int = 1000) -> Queued:
    return Queued(at_ms=AT_MS + after_ms, content=of, gateway="gtw_a", route="rte", operator="Op", price_micros=40,
                  charge_micros=80, rules=7, bundle="b", why="x", cost_micros=15)  # fmt: skip


def submitted(part: int, gateway: str = "gtw_b") -> Submitted:
    return Submitted(at_ms=AT_MS + 2000 + part, part=part, parts=2, gateway=gateway, smsc_message_id=f"S{part}",
                     session="s")  # fmt: skip


def receipt(part: int, done_ms: int) -> Receipt:
    return Receipt(at_ms=AT_MS + 9000, part=part, parts=2, gateway="gtw_b", smsc_message_id=f"S{part}",
                   status=Status.DELIVERED, state="DELIVRD", done_at_ms=done_ms)  # fmt: skip


DELIVERED: tuple[AnyFact, ...] = (
    queued(content()),
    submitted(2),
    submitted(1),
    receipt(1, AT_MS + 60_000),
    receipt(2, AT_MS),
    Final(at_ms=AT_MS + 5000, status=Status.EXPIRED),
    Final(at_ms=AT_MS + 9000, status=Status.DELIVERED),
)


def record(*facts: AnyFact) -> Cdr:
    made = cdr_of(ID, "acc", facts, KEY)
    assert made is not None
    return made


def test_a_delivered_message_of_two_parts_says_all_of_it_in_any_order() -> None:
    told = record(*DELIVERED)
    assert {record(*some) for some in itertools.islice(itertools.permutations(DELIVERED), 0, 5040, 97)} == {told}
    assert (told.status, told.description) == ("delivered", DESCRIPTIONS[Status.DELIVERED])
    assert (told.at_ms, told.charged_ms, told.created_ms) == (AT_MS + 1000, AT_MS + 1000, AT_MS)
    assert (told.submitted_ms, told.submitted_to, told.smsc_ids) == (AT_MS + 2001, "gtw_b", ("S1", "S2"))
    assert (told.done_ms, told.handset_ms, told.delivered_ms) == (AT_MS + 9000, AT_MS + 60_000, 8000)
    assert (told.gateway, told.credit_micros, told.cost_micros) == ("gtw_a", 80, 30)
    assert (told.message_type, told.message_length, told.by) == ("gsm7", 5, "usr_1")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ((Accepted(at_ms=AT_MS, content=content()),), {"status": "accepted", "at_ms": AT_MS, "charged_ms": None}),
        (
            (Accepted(at_ms=AT_MS, content=content()), Final(at_ms=AT_MS + 9, status=Status.REJECTED, error=REFUSED)),
            {"status": "rejected", "at_ms": AT_MS + 9, "error_code": "no_route", "gateway_code": "12",
             "description": "No route.", "credit_micros": 0, "gateway": "", "cost_micros": None},
        ),
        (
            (queued(content()), Refunded(at_ms=AT_MS + 5, refund_micros=80)),
            {"refunded_micros": 80, "credit_micros": 80, "status": "queued", "delivered_ms": None},
        ),
        (
            (queued(content(encoding=Encoding.BINARY, text="", data=b"\0\1", message_class=0)),),
            {"message_type": "binary", "message_length": 2, "flash": True},
        ),
        ((queued(hashed(content(), KEY)),), {"message_length": 5, "text_hash": text_hash(content(), KEY)}),
        ((queued(erased(content())),), {"mobile_number": ERASED, "text_hash": "", "message_length": 5}),
        ((queued(content(text="caf\xe9")),), {"text_hash": text_hash(content(), KEY)}),
    ],
)  # fmt: skip
def test_each_kind_of_message_has_its_record(facts: tuple[AnyFact, ...], expected: dict[str, Any]) -> None:
    told = record(*facts)
    assert {name: getattr(told, name) for name in expected} == expected


def test_facts_without_a_content_make_no_record_and_without_a_key_no_hash() -> None:
    assert cdr_of(ID, "acc", (Final(at_ms=AT_MS, status=Status.DELIVERED),)) is None
    bare = cdr_of(ID, "acc", (queued(content()),))
    assert bare is not None
    assert bare.text_hash == ""
    assert set(TYPES) == set(Encoding)
    assert set(DESCRIPTIONS) == set(Status)


def test_what_may_not_be_kept_goes_and_what_is_paid_for_stays() -> None:
    made = content(client_ref="Ana", callback_url="https://a.example", udh=b"\1")
    gone = erased(made)
    assert msgspec.structs.replace(gone, to=made.to, text=made.text, udh=made.udh, client_ref="Ana", text_length=0,
                                   callback_url=made.callback_url) == made  # fmt: skip
    assert hashed(hashed(made, KEY), b"other") == hashed(made, KEY)
    assert erased(gone) == gone


def test_json_of_any_kind_loses_the_number_and_what_stands_beside_it() -> None:
    told = {"a": [{"to": "+1", "text": "x", "valid_until_ms": 9, "parts": 2}, {"to": "+2", "text": "y"}], "v": "+1x"}
    assert without_number(told, "+1") == {
        "a": [{"to": ERASED, "text": "", "valid_until_ms": 0, "parts": 2}, {"to": "+2", "text": "y"}],
        "v": "+1x",
    }
    assert without_texts(told)["a"][0] == {"to": "+1", "text": "", "valid_until_ms": 0, "parts": 2}


def test_a_summary_adds_up_by_the_hour_and_stays_bounded_whatever_senders_are_called() -> None:
    one = line_of(record(*DELIVERED))
    assert (one.hour, one.messages, one.parts, one.ends, sum(one.latency)) == (8, 1, 2, {"delivered": 1}, 1)
    refused = line_of(record(Accepted(at_ms=AT_MS, content=content()),
                             Final(at_ms=AT_MS, status=Status.REJECTED, error=REFUSED)))  # fmt: skip
    assert (refused.messages, refused.refused, refused.ends, refused.errors) == (0, 1, {}, {"no_route": 1})
    summary = DaySummary([one, one, refused])
    assert [(line.gateway, line.records) for line in summary.lines] == [("", 1), ("gtw_a", 2)]
    many = DaySummary(msgspec.structs.replace(one, sender=f"S{number}") for number in range(MAX_LINES + 50))
    assert len(many.lines) == MAX_LINES + 1
    assert sum(line.records for line in many.lines if line.sender == OTHERS) == 50
