"""Export an administrators' report: all its lines as a CSV file, made in the background when somebody asks for it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from chalicelib.domain import csv_lines
from chalicelib.domain.bind_event import BindEvent
from chalicelib.domain.cdr import Cdr
from chalicelib.domain.gateway_quality import findings
from chalicelib.domain.report_cells import cells, columns
from chalicelib.domain.traffic import Figures, Question, figures
from chalicelib.services import (
    ask_for_file,
    check_charges,
    check_submits,
    check_wallets,
    find_messages,
    read_bind_log,
    read_webhook_log,
    report_default_routing,
    sum_traffic,
)
from chalicelib.services.ask_for_file import Asked, Lines, Shelf
from chalicelib.services.make_file import Line
from chalicelib.services.read_messages import Span
from chalicelib.services.walk_messages import Ground
from chalicelib.store.made_files import Made

SHELF: Final = Shelf("admin-reports", "admin_file")  # they are nobody's: that stands in the place of an account
_PAGE: Final = 500  # lines that are read together
_END: Final = "end"  # the position behind all lines


class OfMessages(msgspec.Struct, frozen=True, kw_only=True, tag="messages"):
    """Messages over all accounts."""

    wanted: find_messages.Wanted
    days: Span


class OfBinds(msgspec.Struct, frozen=True, kw_only=True, tag="binds"):
    """The bind log."""

    wanted: read_bind_log.Wanted
    days: Span


class OfWebhooks(msgspec.Struct, frozen=True, kw_only=True, tag="webhooks"):
    """The webhook log."""

    wanted: read_webhook_log.Wanted


class OfCharges(msgspec.Struct, frozen=True, kw_only=True, tag="charges"):
    """Charges against prices."""

    ground: Ground
    all_of_them: bool


class OfWallets(msgspec.Struct, frozen=True, kw_only=True, tag="wallets"):
    """Wallets against ledgers."""

    account: str | None = None


class OfDefaultRouting(msgspec.Struct, frozen=True, kw_only=True, tag="default-routing"):
    """Accounts' defaults."""

    days: Span
    account: str | None = None


class OfSubmits(msgspec.Struct, frozen=True, kw_only=True, tag="submits"):
    """Submits against charges."""

    days: Span
    gateway: str | None = None


class OfTraffic(msgspec.Struct, frozen=True, kw_only=True, tag="summary"):
    """Traffic by group."""

    question: Question


class OfQuality(msgspec.Struct, frozen=True, kw_only=True, tag="gateway-quality"):
    """Gateways' quality."""

    question: Question


Report = (
    OfMessages | OfBinds | OfWebhooks | OfCharges | OfWallets | OfDefaultRouting | OfSubmits | OfTraffic | OfQuality
)


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the webhook log, without what was sent."""

    account: str
    endpoint: str
    event_id: str
    type: str
    state: str
    attempts: int
    url: str
    created_ms: int
    attempted_ms: int | None
    http_status: int | None
    reason: str


Rows = tuple[Sequence[msgspec.Struct], Any]  # some rows, and where to go on (None: that was all)
_decoder: Final = msgspec.json.Decoder(Report)


def ask(report: Report, now_ms: int) -> tuple[str | None, Made | None]:
    """A URL of the report's file with when it was made; neither while it is made, which this begins (ask_for_file)."""
    return ask_for_file.ask(SHELF, report, now_ms)


def export(name: str, now_ms: int) -> None:
    """Make the file that was asked for under that name, or go on with it."""

    def lines_of(asked: Asked) -> Lines:
        report = _decoder.decode(asked.report)
        return Lines(_columns(report), lambda position: _lines(report, position, asked.asked_ms))

    ask_for_file.export(SHELF, name, lines_of, now_ms)


def _lines(report: Report, position: str, now_ms: int) -> Iterator[Line]:
    """The lines behind a position, page by page."""
    if isinstance(report, OfTraffic | OfQuality):
        yield from _summed(report, position, now_ms)
        return
    while position != _END:
        rows, after = _PAGES[type(report)](report, msgspec.json.decode(position) if position else None, now_ms)
        position = _END if after is None else msgspec.json.encode(after).decode()
        yield Line(position, "".join(csv_lines.line(cells(row)) for row in rows).encode(), len(rows))


def _summed(report: OfTraffic | OfQuality, position: str, now_ms: int) -> Iterator[Line]:
    """The groups, once they are summed up."""
    if position == _END:
        return
    held = sum_traffic.ask(report.question, now_ms)
    while held.day:
        yield Line("", b"", 0)
        held = sum_traffic.ask(report.question, now_ms)
    lines = [
        csv_lines.line((*group, *cells(figures(line)), *_warnings(report, line)))
        for group, line in held.groups
        if isinstance(report, OfTraffic) or group[0]
    ]
    yield Line(_END, "".join(lines).encode(), len(lines))


def _warnings(report: Report, line: Any) -> tuple[str, ...]:
    return ("; ".join(one.says for one in findings(line)),) if isinstance(report, OfQuality) else ()


def _columns(report: Report) -> tuple[str, ...]:
    match report:
        case OfTraffic():
            return (*report.question.group_by, *columns(Figures))
        case OfQuality():
            return (*report.question.group_by, *columns(Figures), "warnings")
        case _:
            return columns(_ROWS[type(report)])


def _deliveries(report: OfWebhooks, position: Any, _now_ms: int) -> Rows:
    found, after = read_webhook_log.read(report.wanted, position, _PAGE)
    rows = [
        Delivered(
            account=one.account,
            endpoint=one.endpoint,
            event_id=one.event.id,
            type=one.event.kind,
            state=one.state,
            attempts=one.attempts,
            url=one.url,
            created_ms=one.event.at_ms,
            attempted_ms=one.at_ms or None,
            http_status=one.answer.status if one.answer else None,
            reason=one.answer.reason if one.answer else "",
        )
        for one in found
    ]
    return rows, after


# How each report's pages are read, and what their rows are.
_PAGES: Final[dict[type[Report], Callable[[Any, Any, int], Rows]]] = {
    OfMessages: lambda of, at, _: find_messages.find(of.wanted, of.days, at, _PAGE),
    OfBinds: lambda of, at, _: read_bind_log.read(of.wanted, of.days, at, _PAGE),
    OfWebhooks: _deliveries,
    OfCharges: lambda of, at, _: check_charges.check(of.ground, at, _PAGE, all_of_them=of.all_of_them),
    OfWallets: lambda of, at, now_ms: check_wallets.check(of.account, at, _PAGE, now_ms),
    OfDefaultRouting: lambda of, at, now_ms: report_default_routing.report(of.account, of.days, at, _PAGE, now_ms),
    OfSubmits: lambda of, at, _: check_submits.check(of.gateway, of.days, at, _PAGE),
}
_ROWS: Final[dict[type[Report], type[msgspec.Struct]]] = {
    OfMessages: Cdr,
    OfBinds: BindEvent,
    OfWebhooks: Delivered,
    OfCharges: check_charges.ChargeCheck,
    OfWallets: check_wallets.WalletCheck,
    OfDefaultRouting: report_default_routing.DefaultRouting,
    OfSubmits: check_submits.SubmitCheck,
}
