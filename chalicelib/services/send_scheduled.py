"""Send scheduled messages on their way: by the queue's own delay, to the second."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from math import ceil
from typing import Final

from chalicelib.domain.content import Content
from chalicelib.domain.facts import Accepted, Scheduled
from chalicelib.services.keep_texts import noted
from chalicelib.store import accounts, messages, queues, scheduled
from chalicelib.store.messages import Noted
from chalicelib.store.scheduled import Due
from chalicelib.wire import AcceptedBundle

AHEAD_MS: Final = 90_000  # the tick after this one may be late by so much and still be in time
MOST: Final = 2_000  # a tick: some seconds of a function's 20; the rest is the next one's


def schedule(bundle: AcceptedBundle, due_ms: int, now_ms: int) -> None:
    """Have the bundle of one message routed then. Done again, it changes nothing."""
    draft = bundle.messages[0]
    if due_ms - now_ms <= AHEAD_MS:
        queues.send(queues.ACCEPTED, bundle, delay_seconds=max(0, ceil((due_ms - now_ms) / 1000)))
    else:
        scheduled.put(Due(bundle, due_ms))
    fact = Scheduled(at_ms=draft.at_ms, content=noted(bundle.account, draft.content, now_ms), due_ms=due_ms)
    days = accounts.retention_days(bundle.account, now_ms)
    messages.put_facts([Noted(bundle.account, draft.id, fact, days)])


def send_due(now_ms: int) -> int:
    """Send what is due within AHEAD_MS, each with its own delay; how many.

    What its customer may still change is taken first: the index is behind the table, and from then on it stays so.
    """
    found = [
        due
        for one in islice(scheduled.due(now_ms + AHEAD_MS), MOST)
        if (due := _taken(one, now_ms + AHEAD_MS)) is not None
    ]
    hand_over(found, now_ms)
    return len(found)


def hand_over(found: Sequence[Due], now_ms: int) -> None:
    """Send these, each with its own delay.

    Sent twice, where this died in between, a bundle is charged and claimed once: it has its one name.
    """
    by_delay: dict[int, list[Due]] = defaultdict(list)
    for one in found:
        by_delay[max(0, ceil((one.due_ms - now_ms) / 1000))].append(one)
    for delay_seconds, due in sorted(by_delay.items()):
        queues.send_many(queues.ACCEPTED, [one.bundle for one in due], delay_seconds=delay_seconds)
        _note(due, now_ms)
        scheduled.forget_many(one.message for one in due)


def _taken(one: Due, until_ms: int) -> Due | None:
    """Only SMPP has customers change what waits (replace_sm); the others are spared the write."""
    return scheduled.take(one.message, until_ms) if one.bundle.messages[0].content.source == "smpp" else one


def _content(due: Due) -> Content:
    return due.bundle.messages[0].content


def _note(due: Sequence[Due], now_ms: int) -> None:
    """From now on they are looked after like any accepted message."""
    messages.put_facts(
        Noted(
            one.bundle.account,
            one.message,
            Accepted(at_ms=max(one.due_ms, now_ms), content=noted(one.bundle.account, _content(one), now_ms)),
            accounts.retention_days(one.bundle.account, now_ms),
        )
        for one in due
    )
