"""Feed a job: its recipients become bundles, a step at a time and only a little ahead of what gateways submit.

So pause and stop need not look far. A step's messages and bundles have names that follow from the run and their
numbers: doing a step again changes nothing.
"""

import logging
from math import ceil
from typing import Final

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.job import CHUNK_ROWS, Job, Step, Tally, rate_of
from chalicelib.domain.numbers import parse_sender
from chalicelib.domain.schedule import closes_at, open_from
from chalicelib.domain.waiting import GRACE_MS
from chalicelib.services.route import route
from chalicelib.services.start_job import HEAL_MS, LEAST_STEP, PACED_SECONDS, await_next, send_feed
from chalicelib.services.survey_recipients import content_for
from chalicelib.store import accounts, job_files, job_tallies, jobs, queues
from chalicelib.store.jobs import JobRow
from chalicelib.wire import MAX_BUNDLE_BYTES, MAX_BUNDLE_MESSAGES, AcceptedBundle, Draft

AHEAD_SECONDS: Final = 10.0  # of what gateways take of it: so much may wait there
LEAST_AHEAD: Final = 2 * LEAST_STEP
_FULL_MS: Final = 1_000  # until it is looked again whether there is room
_BUNDLES_AT_ONCE: Final = 10  # routed and sent together: what is in memory
_WATCH_MS: Final = (1_000, 2_000, 5_000, 10_000)  # between looks whether all has ended, once all is sent
_WATCH_AFTER_MS: Final = 30_000

log: Final = logging.getLogger(__name__)


def feed(account_id: str, job_id: str, first: int, now_ms: int) -> None:
    """Send the step that the job stands at, if that is the one beginning with `first`, and see that it goes on."""
    row, account = jobs.get(account_id, job_id), accounts.cached(account_id, now_ms)
    if row is None or account is None or row.job.status != "running" or row.step is None or row.job.survey is None:
        return
    if row.step.first != first:
        return  # another record has brought it further
    if first >= row.job.survey.valid:
        _watch(row, account, now_ms)
        return
    tally = job_tallies.of_runs(row.job.present_runs)
    ahead = int(AHEAD_SECONDS * _taken_per_second(row, tally, now_ms))
    wait_ms = _wait_ms(row, tally, max(LEAST_AHEAD, ahead), now_ms)
    if wait_ms:
        _come_again(row, wait_ms, now_ms)
        return
    _send(row.job, row.step, account, now_ms)
    following = _next_step(row.job, row.step, max(LEAST_STEP, ahead // 2))
    if not jobs.advance(account_id, job_id, row.step, following, now_ms + HEAL_MS):
        return
    send_feed(account_id, job_id, following.first)


def _send(job: Job, step: Step, account: Account, now_ms: int) -> None:
    """The step's messages, decided and on ⟨billing⟩: routing is pure, so it needs no queue of its own here."""
    recipients = job_files.recipients(job.account, job.folder, step.first // CHUNK_ROWS)
    begins = step.first % CHUNK_ROWS
    sender = str(parse_sender(job.sender or account.default_sender or ""))
    drafts = [
        Draft(
            id=ids.run_message_id(step.run, step.first + number),
            at_ms=now_ms,
            content=content_for(job, sender, recipient, account, now_ms),
        )
        for number, recipient in enumerate(recipients[begins : begins + step.count])
    ]
    size = _bundle_size(job, recipients)
    bundles = [
        AcceptedBundle(
            id=ids.run_bundle_id(step.run, step.first + at), account=job.account, messages=tuple(drafts[at : at + size])
        )
        for at in range(0, len(drafts), size)
    ]
    for at in range(0, len(bundles), _BUNDLES_AT_ONCE):
        route(bundles[at : at + _BUNDLES_AT_ONCE], now_ms)
    log.info("job fed", extra={"job": job.id, "run": step.run, "first": step.first, "messages": len(drafts)})


def _bundle_size(job: Job, recipients: tuple[object, ...]) -> int:
    """How many messages fit a bundle: the same number for each bundle of a chunk, by its longest text."""
    longest = max((len(getattr(one, "text", "")) for one in recipients), default=0)
    return max(1, min(MAX_BUNDLE_MESSAGES, MAX_BUNDLE_BYTES // (1_000 + 6 * longest)))


def _next_step(job: Job, step: Step, most: int) -> Step:
    """What comes after the step: within one chunk, by the newest run's name."""
    survey = job.survey
    if survey is None:
        raise ValueError(f"{job.id} has no survey")
    first, rate = step.first + step.count, rate_of(job)
    count = most if rate is None else min(most, max(1, int(rate * PACED_SECONDS)))
    left_in_chunk = CHUNK_ROWS - first % CHUNK_ROWS
    return Step(first, max(0, min(count, left_in_chunk, survey.valid - first)), job.runs[-1])


def _taken_per_second(row: JobRow, tally: Tally, now_ms: int) -> float:
    """How many of its messages gateways have taken a second since it began to be fed."""
    if row.pace is None or now_ms <= row.pace.at_ms:
        return 0.0
    return max(0, tally.left - row.pace.first) * 1000 / (now_ms - row.pace.at_ms)


def _wait_ms(row: JobRow, tally: Tally, most_ahead: int, now_ms: int) -> int:
    """For how long the step is to wait: for its hours, its turn by the job's rate, or room; 0: it may go."""
    job, step, pace, rate = row.job, row.step, row.pace, rate_of(row.job)
    hours = job.timing.hours
    opens_ms = open_from(hours, job.timing.zone, now_ms)
    if opens_ms > now_ms:
        return opens_ms - now_ms
    if rate is not None and step is not None and pace is not None:
        turn_ms = pace.at_ms + ceil((step.first - pace.first) / rate * 1000)
        closes_ms = closes_at(hours, job.timing.zone, now_ms)
        if turn_ms > now_ms:
            return (turn_ms if closes_ms is None else min(turn_ms, closes_ms)) - now_ms
    fed = step.first if step else 0
    return _FULL_MS if fed - tally.left >= most_ahead else 0


def _come_again(row: JobRow, wait_ms: int, now_ms: int) -> None:
    """By a delayed record, or where it is long by the scheduler."""
    job, first = row.job, row.step.first if row.step else 0
    if wait_ms <= queues.MAX_DELAY_SECONDS * 1000:
        jobs.see_to(job.account, job.id, now_ms + wait_ms + HEAL_MS)
        send_feed(job.account, job.id, first, wait_ms)
    else:
        jobs.see_to(job.account, job.id, now_ms + wait_ms)


def _watch(row: JobRow, account: Account, now_ms: int) -> None:
    """All is sent: the run is over when all has ended, or nothing can end any more but by being looked after."""
    job = row.job
    tally = job_tallies.of_runs(job.present_runs)
    sent = job.survey.valid if job.survey else 0
    begun_ms = row.pace.at_ms if row.pace else now_ms
    if tally.ended >= sent or now_ms > begun_ms + account.max_validity_seconds * 1000 + GRACE_MS + HEAL_MS:
        await_next(row, now_ms)
        return
    since_ms = now_ms - begun_ms
    wait_ms = next((wait for wait in _WATCH_MS if since_ms < 10 * wait), _WATCH_AFTER_MS)
    _come_again(row, wait_ms, now_ms)
