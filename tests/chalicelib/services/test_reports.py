"""Reports: over any zone's days the SMS report, the summary, usage and the ledger agree, and the auditor is content."""

from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest

from chalicelib.domain import ids, local_days
from chalicelib.domain.account import Account
from chalicelib.domain.local_days import Days
from chalicelib.domain.schedule import zone
from chalicelib.services import audit
from chalicelib.services.report_credits import report_credits
from chalicelib.services.report_messages import Asked, report_messages
from chalicelib.services.report_summary import report_summary
from chalicelib.services.report_today import report_today
from chalicelib.store import accounts, ledger
from tests.chalicelib.services import mixed_days, world
from tests.chalicelib.services.mixed_days import DAY_MS, FIRST_MS, ZONES

MESSAGES = 6 * len(mixed_days.KINDS)  # each kind in both zones; tests.bench.reports has 20,000
NOW_MS = FIRST_MS + 4 * DAY_MS


def agree(count: int) -> None:
    """Makes so many mixed messages, and holds all that is told of them against each other, day by day."""
    made = mixed_days.make(count)
    for account_id, name in ZONES.items():
        account = accounts.get(account_id)
        assert account is not None
        clock = zone(name)
        days = sorted({local_days.day_of(one.at_ms, clock) for one in made if one.account == account_id})
        seen = Counter[str]()
        moved = Counter[str]()
        for day in days:
            told = Days(first=day, last=day, time_zone=name)
            seen += one_day(account, told)
            moved += entries_of(account_id, told)
        assert seen == Counter(one.draft.id for one in made if one.account == account_id)
        whole = Days(first=days[0] - timedelta(days=2), last=days[-1] + timedelta(days=2), time_zone=name)
        states = Counter[str]()
        for day in days:
            states.update(report_today(account_id, Days(first=day, last=day, time_zone=name)).whole.states)
        assert states == mixed_days.expected(made, account_id)
        history = list(report_credits(account_id, whole, None, NOW_MS))
        assert history[-1].opening_micros == 0
        assert history[0].closing_micros == world.balance(account_id) == world_ledger(account_id)
        assert clean(account)


def one_day(account: Account, day: Days) -> Counter[str]:
    """A day's messages, once the reports of it have been held against each other."""
    rows = [step.cdr for step in report_messages(account, Asked(days=day), "", 500) if step.cdr]
    charged = [cdr for cdr in rows if cdr.charged_ms is not None]
    today = report_today(account.id, day)
    by_operator: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for cdr in charged:
        sums = by_operator[cdr.country, cdr.operator]
        net = cdr.credit_micros - cdr.refunded_micros
        sums[:] = [sums[0] + 1, sums[1] + cdr.parts, sums[2] + net]
    (summed,) = report_summary(account.id, day, "date", "")
    assert {
        (line.country, line.operator): [line.messages, line.parts, line.credits_micros] for line in summed.lines
    } == by_operator
    net = sum(cdr.credit_micros - cdr.refunded_micros for cdr in charged)
    parts = sum(cdr.parts for cdr in charged)
    assert (today.whole.messages, today.whole.parts, today.whole.credits_micros) == (len(charged), parts, net)
    assert sum(sums.messages for _, sums in today.hours) == len(charged)
    hours = Counter(local_days.hour_of(cdr.at_ms, day.zone) for cdr in charged)
    assert {hour: sums.messages for hour, sums in today.hours if sums.messages} == hours
    states = Counter(state_of(cdr.charged_ms, cdr.status) for cdr in rows)
    assert today.whole.states == states
    return Counter(cdr.message_id for cdr in rows)


def state_of(charged_ms: int | None, status: str) -> str:
    return "refused" if charged_ms is None else "waiting" if status in {"queued", "submitted"} else status


def entries_of(account: str, day: Days) -> Counter[str]:
    """What the ledger moved on a day; and the credit history of that day says the same."""
    period = day.whole
    moved = Counter[str]()
    for entry in ledger.named(account, " ", "~"):
        if period.since_ms <= entry.at_ms < period.until_ms:
            moved[entry.kind] += abs(entry.amount_micros)
    (told,) = (one for one in report_credits(account, day, None, NOW_MS) if one.day == day.first.isoformat())
    assert (told.granted_micros, -told.adjusted_micros) == (moved["grant"], moved["adjustment"])
    assert (told.charged_micros, told.refunded_micros) == (moved["charge"], moved["refund"])
    movement = told.granted_micros + told.adjusted_micros - told.charged_micros + told.refunded_micros
    assert told.opening_micros + movement == told.closing_micros
    return moved


def world_ledger(account: str) -> int:
    return sum(entry.amount_micros for entry in ledger.named(account, " ", "~"))


def clean(account: Account) -> bool:
    """Whether the auditor finds nothing in the days."""
    first = date.fromisoformat(ids.day_at(FIRST_MS))
    task = audit.begin(account, audit.days(first - timedelta(days=2), first + timedelta(days=3)), NOW_MS)
    while task.stage != "done":
        task = audit.step(task, NOW_MS)
    assert task.books.differences == []
    return True


@pytest.mark.usefixtures("aws")
def test_the_sms_report_the_summary_usage_and_the_ledger_say_the_same_of_each_day_in_two_time_zones() -> None:
    agree(MESSAGES)
