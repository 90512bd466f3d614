"""Whatever happens to sessions, clients and AWS, all is told in the end, and by one bridge no more than once."""

import asyncio
import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from smpp_bridge.customers.outbox import Outbox
from smpp_bridge.protocol.pdu import DeliverSm
from tests.smpp_bridge.customers.outbox_world import MemoryMailbox, Session, bind, clock, ids, lose, receipt, run

STATUSES = (0x08, 0x58, 0x14, 0x65, 0x66, 0x400)
CALLS = ("receive", "delete", "hide", "put_off")
STEPS = ("put", "put", "bind", "bind", "lose", "unwell", "well", "wait")


class Moody:
    """A client that refuses, or leaves unanswered, some of what it is sent while it is in the mood."""

    def __init__(self, seed: int, share: float) -> None:
        self._dice = random.Random(seed)
        self.share = share

    def __call__(self, _: DeliverSm) -> int | None:
        if self._dice.random() >= self.share:
            return 0
        return self._dice.choice((*STATUSES, None))


async def live(seed: int) -> None:
    """A life that follows from its seed. Not drawn step by step: lives that hypothesis likes are too short to meet."""
    dice = random.Random(seed)
    bridges = dice.randint(1, 3)
    mailbox = MemoryMailbox()
    boxes = [Outbox(mailbox, clock=clock()) for _ in range(bridges)]
    bound: list[tuple[Outbox, Session]] = []
    every: list[Session] = []
    moody = Moody(seed, 0.3)
    put = 0

    def come(mood: Moody) -> None:
        session = Session(mood, window=dice.choice((1, 2, 10)), answer_seconds=dice.choice((0.01, 1.0, 5.0)))
        box = dice.choice(boxes)
        bound.append((box, session))
        every.append(session)
        bind(box, session)

    for _ in range(dice.randint(5, 30)):
        match dice.choice(STEPS):
            case "put":
                for _ in range(dice.randint(1, 12)):
                    many = dice.randint(1, 5)
                    mailbox.put(*(receipt(number) for number in range(put, put + many)))
                    put += many
            case "bind":
                come(moody)
            case "lose" if bound:
                lose(*bound.pop(dice.randrange(len(bound))))
            case "unwell":
                mailbox.unwell.add(dice.choice(CALLS))
            case "well":
                mailbox.unwell.clear()
        await asyncio.sleep(dice.choice((0.0, 0.6, 0.6, 3.0, 70.0)))

    moody.share = 0.0
    mailbox.unwell.clear()
    come(moody)
    taken: Counter[str] = Counter()
    for _ in range(100):  # what was put off comes back within a quarter of an hour
        await asyncio.sleep(60)
        taken = Counter(id_ for session in every for id_ in session.ids())
        if len(taken) == put and mailbox.is_empty():
            break
    assert set(taken) == set(ids(*range(put)))
    assert mailbox.is_empty()
    assert mailbox.buried == []
    if bridges == 1:
        assert not put or max(taken.values()) == 1
        assert boxes[0].told.receipts == put
    for box, session in bound:
        lose(box, session)
    for box in boxes:
        await box.stop()
        assert list(box.feeds) == []


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_all_is_told_in_the_end_and_by_one_bridge_once(seed: int) -> None:
    run(live(seed))
