"""Add up traffic between two days, over all accounts: closed days by their summaries, the others by usage.

One question may ask for a year of everybody's traffic: it is gone on with for some seconds at a time, and what is
summed up so far is kept in between, under the question's own name. Asked again, it goes on there, and at its end is
answered from there for as long as that is good.
"""

import time
from datetime import date, timedelta
from hashlib import sha256
from itertools import islice
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.day_summary import SummaryLine
from chalicelib.domain.traffic import Group, Question, Sums, of_usage, says_something
from chalicelib.domain.usage import UsageLine
from chalicelib.domain.utc_days import end_ms, midnight_ms
from chalicelib.store import accounts, day_summaries, job_files, usage

SECONDS: Final = 6.0  # of a request's 20: a day that is begun is read to its end, or to the end of a page of usage
FRESH_MS: Final = 60_000  # an answer with a day that is not closed for good
LASTING_MS: Final = 3_600_000  # and one without
_FINAL_AFTER_DAYS: Final = 4  # nights after a day it changes no more
_OPEN_DAYS: Final = 2  # today and yesterday may not be closed yet: there usage is read by the day, not by the account
_OWNER: Final = "admin-reports"  # in the place of an account; with the uploads, which are deleted after a week
_CLOCKS_MS: Final = 60_000  # by how much those of who opens accounts and who charges may differ, and more
_A_FEW: Final = 50  # accounts whose usage of a day is read one by one
_encoder: Final = msgspec.msgpack.Encoder()


class Progress(msgspec.Struct, kw_only=True):
    """How far a question has got. `day`: the next to be read, '' at the end; `cursor`: in its usage."""

    question: Question
    begun_ms: int
    day: str
    cursor: dict[str, dict[str, str]] | None = None
    summed: bool = False  # the day's summaries are in, and its usage is not yet
    open_days: list[str] = []  # days that are not closed, of which usage told
    groups: list[tuple[Group, SummaryLine]] = []
    name: str = ""  # of the answer, for its pages


_decoder: Final = msgspec.msgpack.Decoder(Progress)


def ask(question: Question, now_ms: int) -> Progress:
    """The question as far as it can be answered in some seconds; whole where its `day` is ''."""
    key = key_of(question)
    held = _kept(key)
    if held is None or held.question != question or not _is_good(held, now_ms):
        held = Progress(question=question, begun_ms=now_ms, day=question.first, name=ids.new_ulid(now_ms))
    elif not held.day:
        return held
    went_on = _go_on(held, now_ms)
    job_files.put(key, _encoder.encode(went_on))
    return went_on


def answered(question: Question, name: str) -> Progress | None:
    """The answer of that name, for its next page; None where a later one has taken its place."""
    held = _kept(key_of(question))
    return held if held is not None and held.name == name and not held.day else None


def key_of(question: Question, ending: str = "sums") -> str:
    """Where what is summed up lies."""
    return job_files.upload_key(_OWNER, f"{sha256(msgspec.json.encode(question)).hexdigest()}.{ending}")


def _kept(key: str) -> Progress | None:
    try:
        return _decoder.decode(job_files.get(key))
    except job_files.NoObject:
        return None
    except msgspec.DecodeError:  # of another version's lines
        return None


def _is_good(held: Progress, now_ms: int) -> bool:
    if held.day:
        return now_ms - held.begun_ms < LASTING_MS
    last = date.fromisoformat(held.question.last) + timedelta(days=_FINAL_AFTER_DAYS)
    return now_ms - held.begun_ms < (LASTING_MS if midnight_ms(last) < held.begun_ms else FRESH_MS)


def _go_on(held: Progress, now_ms: int) -> Progress:
    ends = time.monotonic() + SECONDS
    sums = Sums(held.question, held.groups)
    while held.day:
        _read_some(held, sums, now_ms)
        if time.monotonic() > ends:
            break
    held.groups = sums.groups
    return held


def _read_some(held: Progress, sums: Sums, now_ms: int) -> None:
    """The day's summaries, or a page of its usage."""
    closed = day_summaries.accounts_of(held.day) if held.summed else _sum_up(held, sums)
    held.summed = True
    left = _not_closed(held, closed, now_ms)
    if left is not None:
        told = [of_usage(account, line) for account in left for line in _usage_of(account, held.day)]
    else:
        page = usage.page_of_day(held.day, held.cursor)
        told = [of_usage(one.account, one.line) for one in page.items if one.account not in closed]
        held.cursor = page.cursor
    told = [line for line in told if says_something(line)]
    sums.add(held.day, told)
    if told and held.day not in held.open_days:
        held.open_days.append(held.day)
    if held.cursor is None:
        held.day, held.summed = _next(held.day, held.question.last, now_ms), False


def _sum_up(held: Progress, sums: Sums) -> frozenset[str]:
    """Count the day's summaries in; whose they were."""
    closed = set()
    for account, lines in day_summaries.of_accounts(held.day, held.question.account):
        sums.add(held.day, lines)
        closed.add(account)
    return frozenset(closed)


def _not_closed(held: Progress, closed: frozenset[str], now_ms: int) -> list[str] | None:
    """The accounts that there were then, and whose day was not closed; None where they are more than a few."""
    only = held.question.account
    if only is not None:
        return [] if only in closed else [only]
    if _days_ago(held.day, now_ms) < _OPEN_DAYS:
        return None
    ended_ms = end_ms(date.fromisoformat(held.day)) + _CLOCKS_MS
    every = (account for some in accounts.pages() for account in some)
    left = (account.id for account in every if account.id not in closed and account.created_ms < ended_ms)
    few = list(islice(left, _A_FEW + 1))
    return few if len(few) <= _A_FEW else None


def _usage_of(account: str, day: str) -> list[UsageLine]:
    begins = date.fromisoformat(day)
    return usage.between(account, midnight_ms(begins), end_ms(begins))


def _next(day: str, last: str, now_ms: int) -> str:
    """The day after; '' at the end, and after today."""
    after = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    return after if after <= min(last, ids.day_at(now_ms)) else ""


def _days_ago(day: str, now_ms: int) -> int:
    return (date.fromisoformat(ids.day_at(now_ms)) - date.fromisoformat(day)).days
