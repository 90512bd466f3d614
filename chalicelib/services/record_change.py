"""Record a change in the audit log: a fact before anything is done, and what became of it after; see decision 0023.

Services tell what they change by `changed`, once it has happened; who does it, the request knows. Outside of a request
(a function, a test) nobody listens, and nothing is recorded.
"""

import logging
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.domain import ids, trail
from chalicelib.domain.trail import Actor, Change, Doing, Stage
from chalicelib.services.faults import Fault
from chalicelib.store import rates
from chalicelib.store import trail as stored
from chalicelib.store.dynamo import Overloaded
from chalicelib.store.rates import Rate

# Who is refused may ask on and on: the same request is noted once in ten minutes and process, and of each actor 300 at
# once, then one in half a minute. All of them are in the API's own log.
REPEATED_MS: Final = 600_000
REFUSALS_BURST: Final = 300
REFUSALS_PER_SECOND: Final = 1 / 30
MAX_REMEMBERED: Final = 10_000  # refusals that a process knows of; then it begins anew
_OF_AWS: Final = (ClientError, BotoCoreError, PynamoDBException, Overloaded)

log: Final = logging.getLogger(__name__)
_noted: Final[dict[tuple[str, str, str, str], int]] = {}
_lock: Final = Lock()


class _Record:
    """What is being done, and what was told of it."""

    def __init__(self, doing: Doing) -> None:
        self.doing = doing
        self.told: list[Change] = []
        self._begun = False

    def begin(self, doing: Doing) -> None:
        stored.put(trail.begun(doing))
        self.doing, self._begun = doing, True

    def end(self, stage: Stage, code: str | None = None) -> None:
        if self._begun:
            _note(self.doing, lambda: stored.put_all(trail.ended(self.doing, stage, self.told, code)))


_record: Final[ContextVar[_Record | None]] = ContextVar("record", default=None)


def changed(
    kind: str,
    id_: str,
    before: msgspec.Struct | Mapping[str, Any] | None = None,
    after: msgspec.Struct | Mapping[str, Any] | None = None,
    *,
    account: str | None = None,
) -> None:
    """Tell that a thing was made (no `before`), changed, or deleted (no `after`); `account` is whose it is.

    What is secret, texts and whole numbers are left out of what is kept. Nothing else has to be left out.
    """
    record = _record.get()
    if record is not None:
        record.told.append(trail.change(kind, id_, before, after, account))


def acting(actor: Actor, account: str | None = None) -> None:
    """Tell who it is, where that shows only now: who has just given the right password. Before anything is changed.

    Raises an error of AWS where that cannot be noted.
    """
    record = _record.get()
    if record is not None and record.doing.actor is None:
        record.begin(msgspec.structs.replace(record.doing, actor=actor, account=account))


@contextmanager
def recording(doing: Doing, refusals: Container[str] = ()) -> Iterator[None]:
    """Record what is done within. Raises an error of AWS where that cannot be noted first: then nothing is done.

    What cannot be noted afterwards stays in the log as unfinished. Where nobody has shown who it is (no `actor`),
    nothing is noted, unless somebody does meanwhile. `refusals` are the codes of faults that mean: you may not.
    """
    record = _Record(doing)
    if doing.actor is not None:
        record.begin(doing)
    token = _record.set(record)
    try:
        yield
    except Fault as fault:
        record.end("refused" if fault.code in refusals else "failed", fault.code)
        raise
    except Exception:
        record.end("failed", "internal_error")
        raise
    else:
        record.end("done")
    finally:
        _record.reset(token)


def recording_command(name: str, by: str, now_ms: int, account: str | None = None) -> AbstractContextManager[None]:
    """Record what somebody does on the command line; `by` is the name that the machine knows it by."""
    actor = Actor(who=f"command:{by}", role="command")
    return recording(Doing(id=ids.new_ulid(now_ms), at_ms=now_ms, actor=actor, operation=name, account=account))


def refused(doing: Doing, code: str) -> None:
    """Note that somebody asked for what it may not; not each time (see above), and never at the cost of the answer."""
    who = (doing.actor or trail.NOBODY).who
    log.warning("refused", extra={"who": who, "operation": doing.operation, "code": code})
    if _is_news((who, doing.operation, code, doing.address), doing.at_ms):
        _note(doing, lambda: _put_refusal(doing, who, code))


def forget_all() -> None:
    """Forget which refusals were noted, as tests do between worlds."""
    _noted.clear()


def _note(doing: Doing, note: Callable[[], None]) -> None:
    """What has happened is not undone because it could not be noted."""
    try:
        note()
    except _OF_AWS:
        log.exception("the audit log lacks a fact", extra={"doing": doing.id, "operation": doing.operation})


def _is_news(asked: tuple[str, str, str, str], now_ms: int) -> bool:
    """Whether this process has not noted the same a few minutes ago."""
    with _lock:
        if 0 <= now_ms - _noted.get(asked, -REPEATED_MS) < REPEATED_MS:
            return False
        if len(_noted) >= MAX_REMEMBERED:
            _noted.clear()
        _noted[asked] = now_ms
    return True


def _put_refusal(doing: Doing, who: str, code: str) -> None:
    rate = Rate(f"refusals/{who}", REFUSALS_PER_SECOND, REFUSALS_BURST)
    if rates.take(rate, 1, doing.at_ms).count:
        stored.put(trail.refused(doing, code))
