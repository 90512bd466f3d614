"""Tally: count what a step learned of jobs' messages, under the names of its bundles, so that a replay counts anew.

Counts are told to customers and tell a job's pace and end. They are not the books: where a message ends twice (an
expiry, then a late delivery) it is counted at both ends; its timeline, and the result file, say which one stands.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from chalicelib.domain import ids
from chalicelib.domain.charging import LedgerEntry
from chalicelib.domain.decision import Decision
from chalicelib.domain.message import Status
from chalicelib.store import job_tallies
from chalicelib.store.job_tallies import Count
from chalicelib.wire import EndOutcome, OutcomeBundle, RoutedBundle, SubmitOutcome

_Place = tuple[str, str]  # a run, and the step that counts


def tally_charges(bundles: Sequence[RoutedBundle], entries: Mapping[str, LedgerEntry], now_ms: int) -> None:
    """How many of each job's bundle were charged, and how the others ended."""
    counts = []
    for bundle in bundles:
        run, verdicts = ids.run_of(bundle.messages[0].draft.id), entries[bundle.id].verdicts
        if run is None or verdicts is None:
            continue
        told = verdicts.each()
        ends = Counter(one.status for one in told if not isinstance(one, Decision))
        charged = len(told) - ends.total()
        counts.append(Count(run=run, step=bundle.id, charged=charged, left=ends.total(), ends=dict(ends)))
    job_tallies.put(counts, now_ms)


def tally_outcomes(
    bundles: Sequence[OutcomeBundle],
    received: Iterable[tuple[int, str]],
    ends: Iterable[tuple[str, Status]],
    now_ms: int,
) -> None:
    """What the outcomes tell of jobs' messages. `received`: each receipt's identity, with the message it is for;
    `ends`: messages that ended, and how.
    """
    messages = dict(received)
    told_in: dict[str, str] = {}  # message → the last bundle that tells of it
    counts: dict[_Place, Counter[str]] = defaultdict(Counter)
    for bundle in bundles:
        for outcome in bundle.outcomes:
            message = messages.get(id(outcome)) or getattr(outcome, "message", None)
            run = ids.run_of(message) if isinstance(message, str) else None
            if run is None or message is None:
                continue
            told_in[message] = bundle.id
            count = counts[run, bundle.id]
            if isinstance(outcome, SubmitOutcome) and outcome.part == 1:
                count["submitted"] += 1
                count["left"] += 1
            elif isinstance(outcome, EndOutcome):
                count["left"] += 1
    by_status: dict[_Place, Counter[Status]] = defaultdict(Counter)
    for message, status in dict.fromkeys(ends):
        run = ids.run_of(message)
        if run is not None and message in told_in:
            by_status[run, told_in[message]][status] += 1
    job_tallies.put(
        (
            Count(
                run=run,
                step=step,
                submitted=count["submitted"],
                left=count["left"],
                ends=dict(by_status[run, step]),
            )
            for (run, step), count in counts.items()
            if count or by_status[run, step]
        ),
        now_ms,
    )
