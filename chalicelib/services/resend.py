"""Decide what becomes of a dead letter: send it again to the queue that it failed on, or drop it."""

import logging
from typing import Final

import msgspec

from chalicelib.domain.dead_letter import DeadLetter, DeadLetterState
from chalicelib.services.faults import Fault, not_found
from chalicelib.store import dead_letters, queues

log: Final = logging.getLogger(__name__)


def resend(letter_id: str, who: str, now_ms: int) -> DeadLetter:
    """The letter, sent again; each step stands a record that it has had before, so asking twice does no harm.

    Sent first and noted then: where this dies in between, it still waits. Raises Fault `not_found`, `not_resendable`.
    """
    letter = read(letter_id)
    if letter.state == "resent":
        return letter
    if not letter.whole:
        raise Fault("not_resendable", "the record was too long to be kept whole")
    if letter.queue is None:
        raise Fault("not_resendable", "nobody knows which queue it was on")
    try:
        queues.send_again(letter.queue, letter.body)
    except queues.NoQueue:
        raise Fault("not_resendable", f"there is no queue {letter.queue} any more") from None
    return _settled(letter, "resent", who, now_ms)


def drop(letter_id: str, who: str, now_ms: int) -> DeadLetter:
    """The letter, which waits no more; it can be looked at until it expires. Raises Fault `not_found`."""
    letter = read(letter_id)
    if letter.state == "dropped":
        return letter
    return _settled(letter, "dropped", who, now_ms)


def read(letter_id: str) -> DeadLetter:
    """The letter as it is this moment. Raises Fault `not_found`."""
    letter = dead_letters.get(letter_id)
    if letter is None:
        raise not_found("dead letter")
    return letter


def _settled(letter: DeadLetter, state: DeadLetterState, who: str, now_ms: int) -> DeadLetter:
    if not dead_letters.settle(letter, state, who, now_ms):
        return read(letter.id)  # it has failed once more in the meantime: it waits for another decision
    log.info("dead letter settled", extra={"dead_letter": letter.id, "queue": letter.queue, "state": state, "by": who})
    return msgspec.structs.replace(letter, state=state, settled_by=who, settled_ms=now_ms)
