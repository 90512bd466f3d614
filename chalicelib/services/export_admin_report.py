"""Export an administrators' report: all its lines as a CSV file, made in the background when somebody asks for it."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from chalicelib.domain import csv_lines, ids
from chalicelib.domain.bind_event import BindEvent
from chalicelib.domain.cdr import Cdr
from chalicelib.domain.gateway_quality import findings
from chalicelib.domain.report_cells import cells, columns
from chalicelib.domain.traffic import Figures, Question, figures
from chalicelib.services import (
    check_charges,
    check_submits,
    check_wallets,
    find_messages,
    read_bind_log,
    read_webhook_log,
    report_default_routing,
    sum_traffic,
)
from chalicelib.services.make_file import Line, make
from chalicelib.services.read_messages import Span
from chalicelib.services.walk_messages import Ground
from chalicelib.store import job_files, made_files, queues
from chalicelib.store.made_files import Made
from chalicelib.wire import JobWork

FRESH_MS: Final = 600_000  # for so long a file is good enough
HEAL_MS: Final = 300_000  # one that is not there by then is asked for once more
OWNER: Final = "admin-reports"  # in the place of an account: whose files they are
_PAGE: Final = 500  # lines that are read together
_DIGEST: Final = 32
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


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The file of a report that was asked for last: its ULID, when, and of what."""

    id: str
    asked_ms: int
    report: Report


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
_decoder: Final = msgspec.json.Decoder(Asked)


def ask(report: Report, now_ms: int) -> tuple[str | None, Made | None]:
    """A URL of the report's file with when it was made; neither while it is made. It is begun where there is none that
    is good enough, once.
    """
    name = _name(report)
    asked = _asked(name)
    made = made_files.made(_key(name, asked.id)) if asked else None
    if asked is not None and made is not None and now_ms - made.made_ms < FRESH_MS:
        return job_files.url_to_download(_key(name, asked.id), f"{_kind(report)}.csv"), made
    if asked is not None and made is None and now_ms - asked.asked_ms < HEAL_MS:
        return None, None
    if asked is not None and made is None:
        anew = msgspec.structs.replace(asked, asked_ms=now_ms)  # the same file goes on where it was
    else:
        anew = Asked(id=ids.new_ulid(now_ms), asked_ms=now_ms, report=report)
    job_files.put(_key(name, "asked"), msgspec.json.encode(anew))
    _send(name, now_ms)
    return None, None


def export(name: str, now_ms: int) -> None:
    """Make the file, or go on with it. Done twice, or by two at once, it is made once."""
    asked = _asked(name)
    if asked is None:
        return  # it was deleted since
    head = (csv_lines.BOM + csv_lines.line(_columns(asked.report))).encode()
    report, asked_ms = asked.report, asked.asked_ms

    def lines_after(position: str) -> Iterator[Line]:
        return _lines(report, position, asked_ms)

    if make(_key(name, asked.id), head, lines_after, now_ms) is None:
        _send(name, now_ms)


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


def _kind(report: Report) -> str:
    return str(type(report).__struct_config__.tag)


def _name(report: Report) -> str:
    """The same for the same question."""
    return f"rpt_{sha256(msgspec.json.encode(report)).hexdigest()[:_DIGEST]}"


def _asked(name: str) -> Asked | None:
    try:
        return _decoder.decode(job_files.get(_key(name, "asked")))
    except job_files.NoObject:
        return None


def _send(name: str, now_ms: int) -> None:
    queues.send(queues.JOBS, JobWork(id=ids.new_ulid(now_ms), account=OWNER, job=name, stage="admin_file"))


def _key(name: str, part: str) -> str:
    """With the uploads: it is deleted after a week."""
    whole = part if part == "asked" else f"{part}.csv"
    return f"{job_files.upload_key(OWNER, name)}/{whole}"
