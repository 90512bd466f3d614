"""What a message's log says of an earlier bridge's work on it."""

from collections.abc import Iterable

import msgspec

from chalicelib.domain.facts import AnyFact, Attempted, Final, Submitted
from chalicelib.wire import Dispatch


class Traces(msgspec.Struct, frozen=True):
    """`over`: the message has left this gateway. Otherwise `done` parts are taken; of the others nobody knows."""

    over: bool
    done: tuple[int, ...]
    attempt: int


def traces(dispatch: Dispatch, facts: Iterable[AnyFact], gateway: str) -> Traces:
    """The facts as far as they are this gateway's."""
    over = False
    done = set(dispatch.done)
    attempt = dispatch.attempt
    for fact in facts:
        match fact:
            case Final():
                over = True
            case Submitted() if fact.gateway == gateway:
                done.add(fact.part)
                over = over or len(done) == fact.parts
            case Attempted() if fact.gateway == gateway:
                attempt = max(attempt, fact.attempt)
                over = over or fact.failed_over
            case _:
                pass
    return Traces(over, tuple(sorted(done)), attempt)
