"""A record in slices: what is claimed together, right before it is submitted, so that little is in doubt after a crash.

A slice's name is the dispatch's id and, but for the first, `#` and the place of its first message. What a bridge hands
on of a record is named in the same way, so that the record and what was handed on of it have one claim between them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from chalicelib.domain.ids import root_of, slice_id, slice_messages
from chalicelib.domain.waiting_order import WaitingOrder
from chalicelib.wire import Dispatch, DispatchBundle
from smpp_bridge.gateways.held import Held


class Slice:
    """Messages of a record that stand next to each other; those that are done with are taken out of `messages`."""

    __slots__ = ("asked_ms", "ends_ms", "held", "messages", "order", "place")

    def __init__(self, held: Held, place: int, messages: Sequence[Dispatch]) -> None:
        self.held = held
        self.place = place  # of the first one, in the dispatch as it was charged
        self.messages = list(messages)
        self.ends_ms = min(one.content.valid_until_ms for one in messages)  # when the first of them expires
        self.asked_ms: int | None = (
            None  # when its claim was first asked for: a claim of another moment is not this one
        )
        self.order: WaitingOrder | None = None  # in whose name that was; None: in the bridge's own, to submit it

    @property
    def name(self) -> str:
        """What is claimed."""
        return slice_id(root_of(self.held.bundle.id), self.place)

    @property
    def shared(self) -> bool:
        """Whether its claim is of several messages, as they were charged: one sent alone has no queue in its name."""
        return "/" in self.held.bundle.id

    def as_bundle(self) -> DispatchBundle:
        """What is left of it as a dispatch of its own; that it is a part, its name says even of the first one."""
        bundle = self.held.bundle
        return msgspec.structs.replace(bundle, id=f"{root_of(bundle.id)}#{self.place}", messages=tuple(self.messages))


class HandedOn:
    """A slice of a record of which others are claimed lies on the queue as a record of its own."""

    def __init__(self, one: Slice) -> None:
        self._one = one

    def kept(self) -> None:
        for _ in self._one.messages:
            self._one.held.kept()

    def lost(self) -> None: ...


def slices_of(held: Held) -> Iterator[Slice]:
    """The record's slices, in order."""
    _, _, place = held.bundle.id.partition("#")
    messages = held.bundle.messages
    size = slice_messages(held.bundle.id)
    for at in range(0, len(messages), size):
        yield Slice(held, int(place or 0) + at, messages[at : at + size])


def by_record(slices: Iterable[Slice]) -> list[tuple[Held, list[Slice]]]:
    """Slices with the record that they are of."""
    records: defaultdict[Held, list[Slice]] = defaultdict(list)
    for one in slices:
        records[one.held].append(one)
    return list(records.items())


def is_whole(held: Held, left: Iterable[Slice]) -> bool:
    """Whether these slices are all of the record."""
    return sum(len(one.messages) for one in left) == len(held.bundle.messages)
