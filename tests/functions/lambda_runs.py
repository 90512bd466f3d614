"""The queue functions as Lambda runs them, and what may go wrong: a run ends, or is overtaken, at any AWS call."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from botocore.exceptions import ReadTimeoutError

from chalicelib import wire
from chalicelib.store import aws, queues, rules
from functions import dead_letters, records
from functions.records import RecordsFailed
from tests.snapshots import Snapshot, take
from tests.world import forget

Event = dict[str, Any]
Handler = Callable[[Event, object], None]
When = Literal["before", "done"]
POISON = "{}"  # a record that no function can read: it must not stop its neighbours


class Killed(BaseException):
    """The process is gone; nothing in the code under test can catch it."""


@dataclass
class Tracer:
    """Sees each AWS call of a run, and calls `strike` before the `at`-th is sent, or when AWS has done it."""

    at: int = 0  # 0: never
    when: When = "before"
    strike: Callable[[], None] = field(default=lambda: None)
    look: Callable[[], None] = field(default=lambda: None)  # called before each
    calls: list[str] = field(default_factory=list)

    @contextmanager
    def watching(self) -> Iterator["Tracer"]:
        """Watch all calls that are made meanwhile."""
        if _tell_tracers not in aws._watchers:
            aws.watch(_tell_tracers)
            aws.forget_clients()  # those made before tell nobody
        _tracers.append(self)
        try:
            yield self
        finally:
            _tracers.remove(self)

    def before(self, name: str) -> None:
        """A call of that name is about to be sent."""
        self.calls.append(name)
        self.look()
        self._meet("before")

    def done(self) -> None:
        """AWS has done it, and the client is about to hear."""
        self._meet("done")

    def _meet(self, when: When) -> None:
        if when == self.when and len(self.calls) == self.at:
            self.at = 0  # once
            self.strike()


_tracers: list[Tracer] = []


def _tell_tracers(client: Any) -> None:
    """Have the client tell whoever watches at the time: a new client for each run takes longer than the run."""

    def before(model: Any, **_: Any) -> None:
        for tracer in list(_tracers):
            tracer.before(model.name)

    def done(**_: Any) -> None:
        for tracer in list(_tracers):
            tracer.done()

    client.meta.events.register("before-call", before)
    client.meta.events.register_last("before-send", done)  # where moto, registered earlier, does the work


def kill() -> None:
    """A strike that ends the process."""
    raise Killed


def lose_the_answer() -> None:
    """A strike after which the client waits in vain, and then asks again."""
    raise ReadTimeoutError(endpoint_url="https://aws.example")


@dataclass
class Function:
    """One of the queue functions, with the clock that its runs read."""

    handler: Handler
    queue: str
    monkeypatch: pytest.MonkeyPatch

    def event(self, *bundles: wire.Bundle, poison: bool = True) -> Event:
        """The bundles, and with them a poisonous record, sent to the function's queue and received from it."""
        for body in (*map(wire.encode, bundles), *([POISON] if poison else [])):
            queues._sqs().send_message(QueueUrl=queues.url(self.queue), MessageBody=body)
        received: list[queues.Record] = []
        while more := queues.receive(self.queue, wait_seconds=0):
            received += more
        received.sort(key=lambda record: record.sent_ms)
        return {
            "Records": [{"messageId": one.id, "receiptHandle": one.handle, "body": one.body} for one in received],
        }

    def run(self, event: Event, now_ms: int) -> None:
        """One invocation."""
        for module in (records, dead_letters):
            self.monkeypatch.setattr(module, "time", _Clock(now_ms))
        with suppress(RecordsFailed):  # of the poison; what else failed is missed in the world
            self.handler(event, None)

    def run_cold(self, event: Event, now_ms: int) -> list[str]:
        """The same in a new process; the AWS calls that it made."""
        forget()
        with Tracer().watching() as tracer:
            self.run(event, now_ms)
        forget()
        return tracer.calls

    def run_looked_at(self, event: Event, now_ms: int) -> list[Snapshot]:
        """What AWS held before each call of a new process, which is all that is left of one that ends there."""
        forget()
        held: list[Snapshot] = []
        with Tracer(look=lambda: held.append(take())).watching():
            self.run(event, now_ms)
        forget()
        return held

    def run_killed(self, event: Event, now_ms: int, before: int) -> bool:
        """A new process that ends before its call of that number. False: it came through with fewer."""
        forget()
        try:
            with Tracer(before, "before", kill).watching():
                self.run(event, now_ms)
        except Killed:
            return True
        finally:
            forget()
        return False

    def run_unanswered(self, event: Event, now_ms: int, at: int) -> None:
        """A run whose `at`-th call is done by AWS without the client hearing of it, which therefore does it again."""
        forget()
        with Tracer(at, "done", lose_the_answer).watching():
            self.run(event, now_ms)
        forget()

    def run_overtaken(self, event: Event, now_ms: int, at: int) -> bool:
        """A run that waits before its `at`-th call until another run of the same event has come through whole.

        False: it came through with fewer.
        """
        forget()
        with Tracer(strike=lambda: self.run(event, now_ms)).watching() as tracer:
            rules.current(now_ms)  # read under a lock that both runs, being in one process here, would wait for
            tracer.calls.clear()
            tracer.at = at
            self.run(event, now_ms)
        forget()
        return tracer.at == 0


@dataclass(frozen=True)
class _Clock:
    """Stands in for the module `time` where functions.records reads it."""

    now_ms: int

    def time_ns(self) -> int:
        return self.now_ms * 1_000_000

    def perf_counter(self) -> float:
        return time.perf_counter()


def bodies(queue: str) -> Sequence[wire.Bundle]:
    """What waits on a queue; duplicates included. It is taken off."""
    taken: list[wire.Bundle] = []
    while found := queues.receive(queue, wait_seconds=0):
        taken += [wire.decode(record.body) for record in found if record.body != POISON]
    return taken
