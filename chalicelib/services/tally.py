"""Tally: note what a step learned of jobs' messages, under the names of its bundles, so that a replay notes it anew.

What is noted tells customers how far a job is, and tells a job's pace and end. Each message is noted by its number: of
those that are told of twice, or end twice (an expiry, then a late delivery), the last word that stands counts, once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from chalicelib.domain import ids
from chalicelib.domain.charging import LedgerEntry
from chalicelib.domain.decision import Decision
from chalicelib.domain.marks import CHARGED, LEFT, SUBMITTED
from chalicelib.domain.status import Status
from chalicelib.store import job_tallies
from chalicelib.store.job_tallies import Count
from chalicelib.wire import EndOutcome, OutcomeBundle, RoutedBundle, SubmitOutcome


class _Place(NamedTuple):
    """A run, and the step that tells of it."""

    run: str
    step: str


class _Notes:
    """What is learned of messages, gathered by place."""

    def __init__(self) -> None:
        self._marks: defaultdict[_Place, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))

    def note(self, step: str, message: str, *marks: str) -> None:
        """Jobs' messages have numbers; nothing is noted of others."""
        run = ids.run_of(message)
        if run is not None:
            for mark in marks:
                self._marks[_Place(run, step)][mark].add(ids.number_of(message))

    def counts(self) -> list[Count]:
        return [Count(run=place.run, step=place.step, marks=marks) for place, marks in self._marks.items()]


def tally_charges(bundles: Sequence[RoutedBundle], entries: Mapping[str, LedgerEntry], now_ms: int) -> None:
    """Which of each job's bundle were charged, and how the others ended. One that is held has not ended."""
    notes = _Notes()
    for bundle in bundles:
        verdicts = entries[bundle.id].verdicts
        if ids.run_of(bundle.messages[0].draft.id) is None or verdicts is None:
            continue
        for routed, verdict in zip(bundle.messages, verdicts.each(), strict=True):
            if isinstance(verdict, Decision):
                notes.note(bundle.id, routed.draft.id, CHARGED)
            else:
                notes.note(bundle.id, routed.draft.id, LEFT, *(() if verdict.held else (verdict.status,)))
    job_tallies.put(notes.counts(), now_ms)


def tally_outcomes(
    bundles: Sequence[OutcomeBundle],
    received: Iterable[tuple[int, str]],
    ends: Iterable[tuple[str, Status]],
    now_ms: int,
) -> None:
    """What the outcomes tell of jobs' messages. `received`: each receipt's identity, with the message it is for;
    `ends`: messages that ended, and how.
    """
    notes, messages = _Notes(), dict(received)
    told_in: dict[str, str] = {}  # message → the last bundle that tells of it
    for bundle in bundles:
        for outcome in bundle.outcomes:
            message = messages.get(id(outcome)) or getattr(outcome, "message", None)
            if not isinstance(message, str):
                continue
            told_in[message] = bundle.id
            if isinstance(outcome, SubmitOutcome) and outcome.part == 1:
                notes.note(bundle.id, message, SUBMITTED, LEFT)
            elif isinstance(outcome, EndOutcome):
                notes.note(bundle.id, message, LEFT)
    for message, status in ends:
        if message in told_in:
            notes.note(told_in[message], message, status, LEFT)
    job_tallies.put(notes.counts(), now_ms)
