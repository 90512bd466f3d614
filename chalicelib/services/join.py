"""Join the parts of messages that SMPP customers cut; what does not come together in time is sent on as it is.

Each part is durable before it is answered, so that a customer who waits for each answer is not held up. Whatever dies
in between, the group says what is to be sent, always under the same names.
"""

import logging
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.content import Content
from chalicelib.domain.parts import HeldPart, join
from chalicelib.services.accept_many import judge_many, send_drafts
from chalicelib.services.check import Submission
from chalicelib.services.faults import Fault
from chalicelib.store import queues, segments
from chalicelib.store.segments import Group, State
from chalicelib.wire import Draft

JOIN_SECONDS: Final = 15.0
LEFT_BEHIND_MS: Final = 30_000  # overdue for so long: no bridge has it in hand
_TRIES: Final = 6  # of one part, while others change the group

log: Final = logging.getLogger(__name__)


class CutPart(msgspec.Struct, frozen=True):
    """A part as it came: `submission` is how it would be sent alone, its `segment` which part it is."""

    submission: Submission
    octets: bytes
    data_coding: int
    session: str


class Taken(msgspec.Struct, frozen=True):
    """The part is durable under that id. `waits`: the group that others are missing of, to be ended when it is due."""

    id: str
    waits: "Waits | None" = None


class Waits(msgspec.Struct, frozen=True):
    """An open group, and when it is given up."""

    key: str
    root: str
    due_ms: int


class Crowded(Exception):
    """Others kept changing the group; to send the part again is safe."""


def take_part(account: Account, part: CutPart, now_ms: int, join_seconds: float = JOIN_SECONDS) -> Taken | Fault:
    """The part's id, once it is durable; with the last part the message is sent.

    Raises what AWS raises, and Crowded: then the part may be durable nevertheless, and sending it again gives the same
    id. A fault is one of `accept`'s: nothing was kept.
    """
    segment = part.submission.segment
    if segment is None:
        raise ValueError("not a part")
    if segment.total > account.max_parts:
        return Fault("text_too_long", f"the message has {segment.total} parts; the account allows {account.max_parts}")
    (judged,) = judge_many(account, [part.submission], now_ms)
    if isinstance(judged, Fault):
        return judged
    content = judged.draft.content
    held = HeldPart(content, part.octets, part.data_coding, part.session, part.submission.send_at_ms)
    key = "#".join((account.id, content.login, content.sender, content.to, str(segment.reference), str(segment.total)))
    root = ids.part_id(ids.new_message_id(now_ms, account.shards), 0)
    due_ms = now_ms + int(join_seconds * 1000)
    fresh = Group(key=key, root=root, account=account.id, total=segment.total, began_ms=now_ms, due_ms=due_ms)
    for _ in range(_TRIES):
        group = segments.add(fresh, segment.number, held)
        if group is None:
            before = segments.get(key)
            if before is None:
                continue
            if _comes_again(before, segment.number, held, now_ms):
                return _taken(before, segment.number)
            if before.state is not State.SENT:
                end(before, now_ms)
                continue
            group = segments.begin_anew(before, fresh, segment.number, held)
        if group is not None:
            return _kept(group, segment.number, now_ms)
    raise Crowded(key)


def end_group(key: str, root: str, now_ms: int) -> None:
    """Send what there is of an open group whose time is over; one that is not open any more is somebody else's."""
    group = segments.close(key, root)
    if group is not None:
        _send(group, now_ms)


def end(group: Group, now_ms: int) -> None:
    """Send what there is of a group that is not sent, be it closed or open. Doing it again changes nothing."""
    if group.state is State.OPEN and not group.complete:
        closed = segments.close(group.key, group.root)
        if closed is None:
            return  # somebody else did: they send it, or it is found closed
        group = closed
    _send(group, now_ms)


def sweep(now_ms: int) -> int:
    """Send what bridges that died have left behind; how many groups it was."""
    swept = 0
    for key in segments.overdue(now_ms - LEFT_BEHIND_MS):
        group = segments.get(key)
        if group is not None and group.state is not State.SENT and group.due_ms <= now_ms - LEFT_BEHIND_MS:
            end(group, now_ms)
            swept += 1
    return swept


def _kept(group: Group, number: int, now_ms: int) -> Taken:
    if not group.complete:
        return Taken(ids.part_id(group.root, number), Waits(group.key, group.root, group.due_ms))
    try:
        _send(group, now_ms)
    except Exception:  # the part is durable, and that is what is answered; the group is sent when it is due
        log.exception("a message of parts was not sent yet", extra={"message_id": ids.part_id(group.root, 1)})
        return Taken(ids.part_id(group.root, number), Waits(group.key, group.root, group.due_ms))
    return Taken(ids.part_id(group.root, number))


def _comes_again(group: Group, number: int, part: HeldPart, now_ms: int) -> bool:
    """Whether the part is there already, and not another message's that has the same reference.

    In a group that has been sent, the same octets from the same session are another message: its sender knows that we
    have the first one. From another session they come again, from who did not hear our answer before it broke off.
    """
    held = group.parts.get(number)
    if held is None or (held.octets, held.data_coding) != (part.octets, part.data_coding):
        return False
    if group.state is State.OPEN:
        return now_ms < group.due_ms
    return held.session != part.session and now_ms < group.due_ms


def _taken(group: Group, number: int) -> Taken:
    waits = Waits(group.key, group.root, group.due_ms) if group.state is State.OPEN else None
    return Taken(ids.part_id(group.root, number), waits)


def _send(group: Group, now_ms: int) -> None:
    """Joined where it is whole, else each part as a message of its own; the same each time for the same parts."""
    numbers = sorted(group.parts)
    names = [ids.part_id(group.root, number) for number in numbers]
    parts = [group.parts[number] for number in numbers]
    joined = join(parts, names) if group.complete else None
    contents: list[Content] = [joined] if joined is not None else [part.content for part in parts]
    drafts = [
        Draft(id=name, at_ms=group.began_ms, content=content)
        for name, content in zip(names, contents, strict=False)  # a joined message has the first one's
    ]
    bundle = ids.bundle_of_single(names[0] if len(drafts) == 1 else group.root)
    scheduled_ms = parts[0].scheduled_ms
    delay_seconds = (
        0 if scheduled_ms is None else max(0, min((scheduled_ms - now_ms) // 1000, queues.MAX_DELAY_SECONDS))
    )
    send_drafts(group.account, drafts, now_ms, bundle_id=bundle, delay_seconds=delay_seconds)
    segments.sent(group)
