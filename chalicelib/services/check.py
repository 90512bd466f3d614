"""From what a customer handed over to a message that can be sent, or all that is wrong with it at once."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from chalicelib.domain.account import Account
from chalicelib.domain.concatenation import parts_taken
from chalicelib.domain.content import Category, Content, Mode, Priority, Segment, Source, Tlv
from chalicelib.domain.numbers import BadNumber, BadSender, Number, Sender, normalize, parse_sender
from chalicelib.domain.text import BadText, Encoding, encoding_of, segment, segment_binary
from chalicelib.services.faults import Fault, FieldFault, invalid

T = TypeVar("T")


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it was handed over, by whatever way. Exactly one of `text` and `data` should be there."""

    to: str
    sender: str | None = None
    text: str | None = None
    data: bytes | None = None
    validity_seconds: int | None = None
    priority: Priority = "normal"
    client_ref: str | None = None
    mode: Mode = "live"
    source: Source = "https"
    encoding: Encoding | None = None  # how it must be sent; None: data is binary, and a text says for itself
    login: str = ""
    registered: int = 0
    message_class: int | None = None
    udh: bytes = b""
    segment: Segment | None = None
    segment_ids: tuple[str, ...] = ()
    tlvs: tuple[Tlv, ...] = ()
    callback_url: str = ""
    job: str = ""
    send_at_ms: int | None = None  # not before then
    category: Category | None = None  # None: what the account's traffic is
    data_coding: int | None = None
    by: str = ""  # the user's or API key's id; what comes by an SMPP login is noted with the login


class _Body(msgspec.Struct, frozen=True):
    """A text or data with what it takes to send it."""

    encoding: Encoding
    parts: int
    text: str = ""
    data: bytes = b""


def check(submission: Submission, account: Account, now_ms: int) -> Content:
    """The message's content. Raises Fault: `invalid_request` with each field at fault, or `text_too_long`."""
    faults: list[FieldFault] = []
    number = _tried(faults, lambda: _number(submission, account))
    sender = _tried(faults, lambda: _sender(submission, account))
    body = _tried(faults, lambda: _body(submission))
    validity_seconds = _tried(faults, lambda: _validity(submission, account))
    category = _tried(faults, lambda: _category(submission, account))
    if category is None or number is None or sender is None or body is None or validity_seconds is None:
        raise invalid(*faults)
    if body.parts > account.max_parts:
        told = f"the text takes {body.parts} parts; the account allows {account.max_parts}"
        raise Fault("text_too_long", told, (FieldFault(field=_body_field(submission), code="too_long", detail=told),))
    return Content(
        to=number.e164,
        country=number.country,
        sender=str(sender),
        encoding=body.encoding,
        parts=body.parts,
        valid_until_ms=max(now_ms, submission.send_at_ms or 0) + validity_seconds * 1000,
        text=body.text,
        data=body.data,
        priority=submission.priority,
        client_ref=submission.client_ref,
        mode=submission.mode,
        source=submission.source,
        login=submission.login,
        registered=submission.registered,
        message_class=submission.message_class,
        udh=submission.udh,
        segment=submission.segment,
        segment_ids=submission.segment_ids,
        tlvs=submission.tlvs,
        callback_url=submission.callback_url,
        job=submission.job,
        category=category,
        data_coding=submission.data_coding,
        by=submission.by or submission.login,
    )


def _tried(faults: list[FieldFault], step: Callable[[], T]) -> T | None:
    """The step's result; its fault is noted, so that the customer hears of all at once."""
    try:
        return step()
    except Fault as fault:
        faults.extend(fault.fields)
        return None


def _number(submission: Submission, account: Account) -> Number:
    try:
        return normalize(submission.to, account.default_region)
    except BadNumber as error:
        raise _at("/to", error.code, str(error)) from None


def _sender(submission: Submission, account: Account) -> Sender:
    given = submission.sender if submission.sender is not None else account.default_sender
    if given is None:
        raise _at("/from", "missing", "say who it is from: the account has no default sender")
    try:
        return parse_sender(given)
    except BadSender as error:
        raise _at("/from", error.code, str(error)) from None


def _body(submission: Submission) -> _Body:
    text, data = submission.text, submission.data
    if (text is None) is (data is None):
        raise _at("/text", "missing" if text is None else "not_allowed", "give exactly one of text and data")
    try:
        if submission.udh or submission.segment is not None:
            return _headed_body(submission)
        if data is not None:
            return _Body(Encoding.BINARY, len(segment_binary(data)), data=data)
        segments = segment(text or "", submission.encoding)
    except BadText as error:
        raise _at(_body_field(submission), error.code, str(error)) from None
    if not text:
        raise _at("/text", "too_short", "the text is empty")
    return _Body(segments.encoding, len(segments.parts), text=text)


def _headed_body(submission: Submission) -> _Body:
    """What comes with a user data header of the customer's own; it may consist of the header alone."""
    text, data = submission.text or "", submission.data or b""
    encoding = submission.encoding or (Encoding.BINARY if submission.data is not None else encoding_of(text))
    parts = parts_taken(data or text, encoding, submission.udh, submission.segment)
    return _Body(encoding, parts, text=text, data=data)


def _validity(submission: Submission, account: Account) -> int:
    given = submission.validity_seconds
    if given is not None and given > account.max_validity_seconds and submission.source != "smpp":
        told = f"the account allows a validity of {account.max_validity_seconds} seconds"
        raise _at("/validity_seconds", "out_of_range", told)
    # SMPP's is a wish (3.4, 5.2.16), which clients set without knowing the account: it is cut to what is allowed.
    return min(given, account.max_validity_seconds) if given is not None else account.max_validity_seconds


def _category(submission: Submission, account: Account) -> Category:
    if submission.category == "transactional" and account.traffic != "transactional":
        raise _at("/category", "not_allowed", "the account has no right to send transactional messages")
    return submission.category or account.traffic


def _body_field(submission: Submission) -> str:
    return "/text" if submission.data is None else "/data"


def _at(field: str, code: str, detail: str) -> Fault:
    return invalid(FieldFault(field=field, code=code, detail=detail))
