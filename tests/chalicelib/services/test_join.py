"""Parts of a customer's message become one, whatever order and bridge they come by, and whatever dies in between."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, get_args

import msgspec
import pytest

from chalicelib.domain import gsm, ids
from chalicelib.domain.account import Account
from chalicelib.domain.content import Segment
from chalicelib.domain.text import Encoding
from chalicelib.services.check import Submission
from chalicelib.services.faults import Fault
from chalicelib.services.join import LEFT_BEHIND_MS, CutPart, Taken, end_group, sweep, take_part
from chalicelib.settings import Settings
from chalicelib.store import queues, segments
from chalicelib.store.segments import State
from chalicelib.wire import Draft
from smpp_bridge.customers.submits import ReadSubmit, read_submit
from smpp_bridge.protocol.messages import SubmitSm
from smpp_bridge.protocol.tlvs import segment_tlvs
from tests.chalicelib.services.test_accept_many import bundles, opened
from tests.chalicelib.services.world import ACCOUNT, NOW_MS
from tests.functions.lambda_runs import Killed, Tracer, When
from tests.smpp_bridge.customers.test_submits import LOGIN

JOIN_MS = 15_000
TEXT = "La primera parte, {con llaves}, y la segunda con €, y la tercera."
CUTS = (19, 50)  # the first between an escape and what it escapes, in septets


def cut(octets: bytes, *at: int, **given: Any) -> list[CutPart]:
    """The octets as a customer's parts."""
    borders = (0, *at, len(octets))
    pieces = [octets[start:end] for start, end in pairwise(borders)]
    return [part(piece, number, len(pieces), **given) for number, piece in enumerate(pieces, 1)]


def part(
    octets: bytes,
    number: int,
    total: int,
    *,
    reference: int = 7,
    data_coding: int = 0,
    session: str = "one",
    registered: int = 1,
    to: str = "34600111222",
) -> CutPart:
    pdu = SubmitSm(
        source_addr="ACME",
        source_addr_ton=5,
        destination_addr=to,
        dest_addr_ton=1,
        data_coding=data_coding,
        registered_delivery=registered,
        short_message=octets,
        tlvs=segment_tlvs(reference, total, number),
    )
    read: ReadSubmit = read_submit(pdu, LOGIN, NOW_MS)
    return CutPart(read.submission, read.octets, read.data_coding, session)


def take(account: Account, one: CutPart, at_ms: int = NOW_MS) -> Taken:
    taken = take_part(account, one, at_ms)
    assert isinstance(taken, Taken)
    return taken


def take_all(account: Account, parts: Sequence[CutPart], at_ms: int = NOW_MS) -> list[str]:
    return [take(account, one, at_ms).id for one in parts]


def drafts() -> list[Draft]:
    """What was sent, each once, however often it was."""
    sent: dict[str, tuple[Draft, ...]] = {}
    for bundle in bundles():
        assert sent.setdefault(bundle.id, bundle.messages) == bundle.messages
    return [draft for messages in sent.values() for draft in messages]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_parts_become_one_message_in_whatever_order_they_come(aws: Settings, order: tuple[int, ...]) -> None:
    account = opened()
    parts = cut(gsm.encode(TEXT), *CUTS)
    names = {place: take(account, parts[place]).id for place in order}
    (draft,) = drafts()
    content = draft.content
    assert (draft.id, content.segment_ids) == (names[0], (names[0], names[1], names[2]))
    assert (content.text, content.encoding, content.parts, content.segment) == (TEXT, Encoding.GSM7, 1, None)
    assert ids.part_id(names[2], 1) == names[0]


def test_a_part_is_durable_before_the_next_one_comes(aws: Settings) -> None:
    first, _ = cut(gsm.encode("one two"), 4)
    taken = take(opened(), first)
    assert not drafts()
    assert taken.waits is not None
    group = segments.get(taken.waits.key)
    assert group is not None
    assert group.parts[1].octets == b"one "


def test_receipts_go_to_the_parts_that_asked(aws: Settings) -> None:
    account = opened()
    parts = [part(b"one", 1, 3, registered=0), part(b"two", 2, 3, registered=0), part(b"three", 3, 3, registered=2)]
    names = take_all(account, parts)
    (draft,) = drafts()
    assert (draft.content.registered, draft.content.segment_ids) == (2, (names[2],))


def test_messages_of_other_references_and_recipients_are_others(aws: Settings) -> None:
    account = opened()
    others: list[dict[str, Any]] = [{"reference": 1}, {"reference": 2}, {"to": "34600111223"}]
    for other in others:
        take_all(account, cut(gsm.encode("one two"), 4, **other))
    assert [draft.content.text for draft in drafts()] == ["one two"] * 3


def test_what_is_wrong_with_a_part_is_told_and_nothing_is_kept(aws: Settings) -> None:
    account = opened(credit_parts=0)
    fault = take_part(account, part(b"one", 1, 2), NOW_MS)
    assert isinstance(fault, Fault)
    assert fault.code == "no_credit"
    too_many = take_part(account, part(b"one", 1, account.max_parts + 1), NOW_MS)
    assert isinstance(too_many, Fault)
    assert too_many.code == "text_too_long"
    assert not list(segments.overdue(NOW_MS + 10 * JOIN_MS))


# --- again, late, other


def test_a_part_that_comes_again_before_the_others_has_the_id_that_it_had(aws: Settings) -> None:
    account = opened()
    first, second = cut(gsm.encode("one two"), 4)
    name = take(account, first).id
    assert take(account, msgspec.structs.replace(first, session="two")).id == name
    take(account, second)
    assert len(drafts()) == 1


def test_parts_that_come_again_from_another_session_after_the_message_was_sent_are_not_sent_again(
    aws: Settings,
) -> None:
    account = opened()
    parts = cut(gsm.encode("one two"), 4)
    names = take_all(account, parts)
    again = [msgspec.structs.replace(one, session="two") for one in parts]
    assert take_all(account, again, NOW_MS + 1000) == names
    assert len(drafts()) == 1


def test_the_same_message_again_in_the_same_session_is_another_one(aws: Settings) -> None:
    account = opened()
    parts = cut(gsm.encode("one two"), 4)
    assert take_all(account, parts) != take_all(account, parts, NOW_MS + 10)
    assert [draft.content.text for draft in drafts()] == ["one two"] * 2


def test_another_message_with_the_reference_of_an_unfinished_one_ends_that(aws: Settings) -> None:
    account = opened()
    lost = take(account, part(b"lost ", 1, 2)).id
    take_all(account, cut(gsm.encode("one two"), 4))
    told = {draft.id: (draft.content.text, draft.content.segment) for draft in drafts()}
    assert told.pop(lost) == ("lost ", Segment(7, 2, 1))
    assert list(told.values()) == [("one two", None)]


def test_parts_that_stay_alone_go_on_as_they_are_when_they_are_due(aws: Settings) -> None:
    account = opened()
    parts = cut(gsm.encode(TEXT), *CUTS)
    first, third = take(account, parts[0]), take(account, parts[2])
    assert first.waits is not None
    assert first.waits == third.waits
    assert first.waits.due_ms == NOW_MS + JOIN_MS
    end_group(first.waits.key, first.waits.root, first.waits.due_ms)
    one, three = drafts()
    assert (one.id, one.content.segment, one.content.parts) == (first.id, Segment(7, 3, 1), 1)
    assert (three.id, three.content.segment) == (third.id, Segment(7, 3, 3))
    assert one.content.data == parts[0].octets  # it ends with an escape: as text it would be another
    assert three.content.text == gsm.decode(parts[2].octets)
    late = take(account, parts[1], NOW_MS + JOIN_MS + 1)
    assert late.waits is not None
    assert late.waits.root != first.waits.root


def test_a_late_part_finds_its_group_ended_even_where_no_timer_did(aws: Settings) -> None:
    account = opened()
    first, second = cut(gsm.encode("one two"), 4)
    name = take(account, first).id
    take(account, second, NOW_MS + JOIN_MS)
    assert [draft.id for draft in drafts()] == [name]


def test_two_bridges_that_end_a_group_send_it_once(aws: Settings) -> None:
    taken = take(opened(), part(b"one", 1, 2))
    assert taken.waits is not None
    for _ in range(2):
        end_group(taken.waits.key, taken.waits.root, taken.waits.due_ms)
    assert len(bundles()) == 1


# --- whatever dies


@contextmanager
def dying(at: int, when: When) -> Iterator[list[str]]:
    """The process is gone before its `at`-th AWS call is sent, or when AWS has done it; the calls so far."""

    def die() -> None:
        raise Killed

    queues.forget()
    with Tracer(at=at, when=when, strike=die).watching() as tracer:
        yield tracer.calls


ANYWHERE = [(at, when) for at in range(1, 5) for when in get_args(When)]


@pytest.mark.parametrize("then", ["again", "sweep", "timer"])
def test_a_bridge_that_dies_at_any_call_of_the_last_part_leaves_one_message(aws: Settings, then: str) -> None:
    account = opened()
    for reference, (at, when) in enumerate(ANYWHERE):
        parts = cut(gsm.encode(TEXT), *CUTS, reference=reference)
        names = take_all(account, parts[:2])
        (key,) = segments.overdue(NOW_MS + JOIN_MS)
        group = segments.get(key)
        assert group is not None
        with dying(at, when) as calls, pytest.raises(Killed):
            take_part(account, parts[2], NOW_MS + 10)
        assert calls == ["UpdateItem", "GetQueueUrl", "SendMessageBatch", "UpdateItem"][:at]
        lost = (at, when) == (1, "before")
        if then == "again" or lost:  # the customer sends it again, by another session
            took = take(account, msgspec.structs.replace(parts[2], session="two"), NOW_MS + 20).id
            assert took == ids.part_id(names[0], 3)
        if then == "timer":
            end_group(group.key, group.root, group.due_ms)
        sweep(NOW_MS + JOIN_MS + LEFT_BEHIND_MS)
        (draft,) = drafts()
        assert (draft.id, draft.content.text) == (names[0], TEXT)
        ended = segments.get(key)
        assert ended is not None
        assert ended.state is State.SENT
    assert not list(segments.overdue(NOW_MS + 10 * JOIN_MS))


def test_a_bridge_that_dies_while_it_ends_a_group_leaves_its_parts_to_the_rounds(aws: Settings) -> None:
    account = opened()
    for reference, (at, when) in enumerate(ANYWHERE):  # close, the queue's name, send, sent
        parts = cut(gsm.encode(TEXT), *CUTS, reference=reference)
        names = take_all(account, parts[:2])
        waits = take(account, parts[0]).waits
        assert waits is not None
        with dying(at, when), pytest.raises(Killed):
            end_group(waits.key, waits.root, waits.due_ms)
        sweep(waits.due_ms + LEFT_BEHIND_MS)
        assert [draft.id for draft in drafts()] == names


def test_the_rounds_leave_alone_what_bridges_still_wait_for(aws: Settings) -> None:
    take(opened(), part(b"one", 1, 2))
    assert sweep(NOW_MS + JOIN_MS) == 0
    assert not drafts()


def test_submissions_are_not_parts_without_a_segment() -> None:
    with pytest.raises(ValueError, match="not a part"):
        take_part(
            Account(id=ACCOUNT, name="", created_ms=0), CutPart(Submission(to="1", text="x"), b"x", 0, "one"), NOW_MS
        )
