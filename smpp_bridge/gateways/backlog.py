"""What is ready to be submitted, in the order in which it goes; and what is put off until later."""

import heapq
from collections import deque
from collections.abc import Iterator
from itertools import count
from typing import Final

from chalicelib.domain.content import Priority
from smpp_bridge.gateways.held import Submission

ORDER: Final[tuple[Priority, ...]] = ("high", "normal", "bulk")  # a password never waits behind a campaign


class Backlog:
    """Bounded by who fills it: the intake takes from the queues only what fits."""

    def __init__(self) -> None:
        self._lines: dict[Priority, deque[Submission]] = {priority: deque() for priority in ORDER}
        self._in_order = tuple(self._lines[priority] for priority in ORDER)
        self._put_off: list[tuple[float, int, Submission, int]] = []
        self._ties = count()  # so that the heap never compares submissions

    def __len__(self) -> int:
        """Messages ready to go."""
        return sum(map(len, self._in_order))

    def ready(self, *, bulk: bool) -> int:
        """Messages that would go before another one of this kind."""
        return len(self) if bulk else len(self._lines["high"]) + len(self._lines["normal"])

    @property
    def put_off(self) -> int:
        """Parts that wait for their time."""
        return len(self._put_off)

    def put(self, submission: Submission) -> None:
        """At the end of its line."""
        if not submission.queued:
            submission.queued = True
            self._lines[submission.dispatch.content.priority].append(submission)

    def put_first(self, submission: Submission, index: int) -> None:
        """A part again, before all others of its kind."""
        submission.todo.insert(0, index)
        if not submission.queued:
            submission.queued = True
            self._lines[submission.dispatch.content.priority].appendleft(submission)

    def first(self) -> Submission | None:
        """The message to go next; those with nothing left to send are dropped from their line."""
        for line in self._in_order:
            while line:
                submission = line[0]
                if submission.todo:
                    return submission
                line.popleft().queued = False
        return None

    def later(self, submission: Submission, index: int, due: float) -> None:
        """A part again at `due`."""
        submission.put_off.add(index)
        heapq.heappush(self._put_off, (due, next(self._ties), submission, index))

    def next_due(self) -> float | None:
        """When the first part that is put off has its turn."""
        return self._put_off[0][0] if self._put_off else None

    def bring_due(self, now: float) -> None:
        """Parts whose time has come, to the front of their lines."""
        while self._put_off and self._put_off[0][0] <= now:
            _, _, submission, index = heapq.heappop(self._put_off)
            if index in submission.put_off:  # else the message has ended meanwhile
                submission.put_off.remove(index)
                self.put_first(submission, index)

    def all(self) -> Iterator[Submission]:
        """Every message with a part ready or put off, each once."""
        seen: set[int] = set()
        waiting = (submission for _, _, submission, _ in self._put_off)
        for submission in (*(s for line in self._in_order for s in line), *waiting):
            if id(submission) not in seen and (submission.todo or submission.put_off):
                seen.add(id(submission))
                yield submission

    def tidy(self) -> None:
        """Drop those with nothing left to send, wherever they stand."""
        for line in self._in_order:
            if any(not submission.todo for submission in line):
                left = [submission for submission in line if submission.todo]
                for submission in line:
                    submission.queued = bool(submission.todo)
                line.clear()
                line.extend(left)
        if any(index not in submission.put_off for _, _, submission, index in self._put_off):
            self._put_off = [one for one in self._put_off if one[3] in one[2].put_off]
            heapq.heapify(self._put_off)
