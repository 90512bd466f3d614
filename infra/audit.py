"""Audit accounts from the command line: the same audit as every night's, over any days; it changes nothing.

AWS_PROFILE=… CHASQUI_PREFIX=chasqui-prod python -m infra.audit --since 2026-11-01 --until 2026-11-07
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec

from chalicelib.domain.account import Account
from chalicelib.domain.audit import Difference
from chalicelib.domain.books import Span
from chalicelib.domain.money import format_amount
from chalicelib.services import audit as service
from chalicelib.store import accounts
from chalicelib.wire import Audit

PAUSE_SECONDS: Final = 10.0
_COLUMNS: Final = (("account", 31), ("entries", 9), ("messages", 9), ("charged", 15), ("refunded", 13), ("differs", 7))
_WIDTHS: Final = tuple(width for _, width in _COLUMNS)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit of one account came to."""

    account: str
    entries: int  # of the whole ledger
    messages: int  # of the days, as the rest
    charged: str
    refunded: str
    differences: tuple[Difference, ...]
    untold: int  # further ones, beyond the hundred that are told


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit came to."""

    since: str
    until: str
    seconds: float
    accounts: list[Line]
    differences: int


class Stream:
    """Where progress goes: one line, written over, on a terminal; nothing elsewhere."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def show(self, text: str) -> None:
        if self._shown:
            sys.stderr.write(f"\r{text:<100}\r")
            sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where the books agree, 1 where they do not."""
    given = _parsed(arguments)
    outcome = run(service.days(given.since, given.until), _chosen(given.account), given.pause, Stream().show)
    if given.json:
        sys.stdout.write(msgspec.json.encode(outcome).decode() + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _table(outcome))
    return 1 if outcome.differences else 0


def run(span: Span, chosen: Iterable[Account], pause_seconds: float, show: Callable[[str], None]) -> Outcome:
    """Audit the accounts one after the other; those that differ once more, that many seconds later."""
    begun = time.monotonic()
    first = [_to_the_end(service.begin(account, span, _now_ms()), show) for account in chosen]
    suspect = [audit for audit in first if audit.books.differences]
    if suspect:
        show(f"looking again at {len(suspect)} account(s) in {pause_seconds:g} s")
        time.sleep(pause_seconds)
    second = {audit.account: _to_the_end(service.again(audit), show) for audit in suspect}
    lines = [_line(second.get(audit.account, audit)) for audit in first]
    show("")
    return Outcome(
        since=service.first_day(span),
        until=service.last_day(span),
        seconds=round(time.monotonic() - begun, 1),
        accounts=lines,
        differences=sum(len(line.differences) + line.untold for line in lines),
    )


def _to_the_end(audit: Audit, show: Callable[[str], None]) -> Audit:
    while audit.stage != "done":
        entries = audit.ledger.entries if audit.ledger else 0
        show(f"{audit.account}: {audit.stage}, {entries} entries, {audit.books.messages} messages")
        audit = service.step(audit, _now_ms())
    return audit


def _line(audit: Audit) -> Line:
    found = service.differences(audit)
    return Line(
        account=audit.account,
        entries=audit.ledger.entries if audit.ledger else 0,
        messages=audit.books.messages,
        charged=format_amount(audit.books.charged_micros),
        refunded=format_amount(audit.books.refunded_micros),
        differences=found,
        untold=audit.books.untold if found else 0,
    )


def _table(outcome: Outcome) -> Iterator[str]:
    """For people: a row an account, then each difference in full."""
    yield f"audit of {outcome.since} … {outcome.until} (UTC), {outcome.seconds} s"
    yield _row(*(name for name, _ in _COLUMNS))
    for line in outcome.accounts:
        differs = str(len(line.differences)) + ("+" if line.untold else "")
        yield _row(line.account, str(line.entries), str(line.messages), line.charged, line.refunded, differs)
    for difference in (one for line in outcome.accounts for one in line.differences):
        yield f"\n{difference.check}: {difference.subject}, of {difference.account}"
        yield f"  expected  {difference.expected}"
        yield f"  found     {difference.found}"
        if difference.messages:
            yield f"  messages  {' '.join(difference.messages)}"
    yield f"\n{outcome.differences} difference(s)" if outcome.differences else "\nthe books agree"


def _row(account: str, *figures: str) -> str:
    told = (f"{figure:>{width}}" for figure, width in zip(figures, _WIDTHS[1:], strict=True))
    return "  ".join((f"{account:<{_WIDTHS[0]}}", *told))


def _chosen(account: str | None) -> Iterator[Account]:
    if account is None:
        for some in accounts.pages():
            yield from some
        return
    found = accounts.get(account)
    if found is None:
        sys.exit(f"there is no account {account}")
    yield found


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    today = datetime.now(UTC).date()
    parser = argparse.ArgumentParser(prog="audit", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--since", type=date.fromisoformat, help="the first day (UTC), by default the last less one")
    parser.add_argument("--until", type=date.fromisoformat, default=today, help="the last day, by default today")
    parser.add_argument("--account", help="this one only, by default all of them")
    parser.add_argument("--pause", type=float, default=PAUSE_SECONDS, help="seconds before what differs is read again")
    parser.add_argument("--json", action="store_true", help="the outcome for programs")
    given = parser.parse_args(arguments)
    given.since = given.since or given.until - timedelta(days=1)
    if given.since > given.until:
        parser.error("--since is after --until")
    return given


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
