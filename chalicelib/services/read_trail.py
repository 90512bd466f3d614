"""Read the audit log: of everything, or what one account, one actor or one thing was about; newest first."""

from datetime import UTC, date, datetime
from typing import Final

import msgspec

from chalicelib.domain import ids, trail
from chalicelib.domain.trail import Outcome, TrailFact
from chalicelib.services.faults import invalid_field
from chalicelib.store import trail as stored
from chalicelib.store.trail import Index

MAX_DAYS: Final = 366
USUAL_DAYS: Final = 31  # where none are named
# What the filters leave out, and months without changes, cost a read each and give nothing: then the page is short.
_MAX_READS: Final = 12
_READ_AT_ONCE: Final = 200


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for: UTC days, both included, and what must be so of an entry."""

    first: date
    last: date
    account: str | None = None
    who: str | None = None
    subject: str | None = None  # 'gateway/movistar-es', or 'gateway' for all gateways
    operation: str | None = None
    outcome: Outcome | None = None
    impersonated: bool | None = None


class Found(msgspec.Struct, frozen=True):
    """An entry, and how it ended."""

    fact: TrailFact
    outcome: Outcome


def days(first: date | None, last: date | None, now_ms: int) -> tuple[date, date]:
    """The days that were asked for, or a month until today. Raises Fault `invalid_request`."""
    today = date.fromisoformat(ids.day_at(now_ms))
    until = last or today
    since = first or date.fromordinal(max(1, until.toordinal() - USUAL_DAYS + 1))
    if since > until:
        raise invalid_field("date_from", "reversed_range", "date_from is after date_to")
    if (until - since).days >= MAX_DAYS:
        raise invalid_field("date_from", "out_of_range", f"at most {MAX_DAYS} days at a time")
    return since, min(until, today)  # nothing is there of days to come


def search(asked: Asked, position: str | None, limit: int) -> tuple[list[Found], str | None]:
    """Up to `limit` entries, newest first, and the position to go on from (None: all were seen)."""
    since, before = _begin(asked.first), position or _begin(date.fromordinal(asked.last.toordinal() + 1))
    ended = position
    # What is left out afterwards is read too; otherwise of each entry its beginning and its end.
    at_once = _READ_AT_ONCE if asked.operation or asked.outcome or asked.impersonated is not None else 2 * limit + 1
    found: list[Found] = []
    for _ in range(_MAX_READS):
        facts, rest = _read(asked, since, before, at_once)
        for fact, outcome in trail.entries(facts, ended):
            if _is_asked_for(asked, fact, outcome):
                found.append(Found(fact, outcome))
            if len(found) == limit:
                return found, fact.id
        if rest is None:
            return found, None
        before = ended = rest
    return found, before


def _read(asked: Asked, since: str, before: str, at_once: int) -> tuple[list[TrailFact], str | None]:
    """Some facts, and under which id there may be more; None: these were the last."""
    index = _index(asked)
    month = ids.day_at(_last_ms(before))[:7]
    facts = stored.of(*index, since, before, at_once) if index else stored.of_month(month, since, before, at_once)
    if len(facts) == at_once:
        return facts, facts[-1].id
    begins = _begin(date.fromisoformat(f"{month}-01"))
    return facts, None if index or begins <= since else begins


def _index(asked: Asked) -> tuple[Index, str] | None:
    """The narrowest index that has what is asked for; what it has besides is left out afterwards."""
    if asked.subject and "/" in asked.subject:
        return "subject", asked.subject
    if asked.who:
        return "who", asked.who
    return ("account", asked.account) if asked.account else None


def _is_asked_for(asked: Asked, fact: TrailFact, outcome: Outcome) -> bool:
    subject = fact.subject
    wanted = (
        (asked.account, fact.account),
        (asked.who, fact.who),
        (asked.operation, fact.operation),
        (asked.outcome, outcome),
        (asked.impersonated, fact.impersonated_by is not None),
        (asked.subject, subject and (str(subject) if "/" in (asked.subject or "") else subject.kind)),
    )
    return all(want is None or want == held for want, held in wanted)


def _begin(day: date) -> str:
    """The text that all facts from that day on come after, and those of earlier ones before."""
    midnight_ms = round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1_000)
    return ids.floor_at(max(0, midnight_ms))


def _last_ms(before: str) -> int:
    """The last instant of which a fact may stand before that text: a fact's id, or where a day begins."""
    at_ms = ids.created_ms_of(before)
    return at_ms if trail.is_fact(before) else max(0, at_ms - 1)
