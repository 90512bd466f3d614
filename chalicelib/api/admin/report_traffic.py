"""Summaries of traffic between two dates, gateways' quality, and submits against charges."""

from datetime import date
from typing import Annotated, Any, Final, Literal, cast

import msgspec
from msgspec import Meta

from chalicelib.api.admin.report_types import Cursor, Days, Limit, Page, name_of, span, told
from chalicelib.api.admin.types import AccountId, Country, GatewayId
from chalicelib.api.amounts import Amount
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints, Reply
from chalicelib.domain.day_summary import SummaryLine
from chalicelib.domain.gateway_quality import findings
from chalicelib.domain.traffic import Group, GroupBy, Question, figures, nothing
from chalicelib.services import check_submits
from chalicelib.services.faults import Fault, invalid_field
from chalicelib.services.read_messages import Span
from chalicelib.services.sum_traffic import Progress, answered, ask

endpoints: Final = Endpoints(__name__, tag="Administrators' reports", role="admin")
_THING: Final = "(account|gateway|country|operator|user|sender|hour|day|month)"
_AGAIN_SECONDS: Final = "1"
Operator = Annotated[str, Meta(max_length=60, description="As the numbering plan names it; '': unknown.")]


class TrafficFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What a group's messages come to: those that were charged, but for `refused`."""

    messages: int
    parts: int
    refused: Annotated[int, Meta(description="Ended, and never charged.")]
    credit: Annotated[Amount, Meta(description="What was charged.")]
    refunded: Amount
    cost: Annotated[Amount, Meta(description="What operators ask for it, as far as it is known.")]
    costed: Annotated[int, Meta(description="Messages whose cost is known; the others count as 0.")]
    margin: Annotated[Amount, Meta(description="credit - refunded - cost")]
    ended: int
    delivered: int
    delivered_share: Annotated[float | None, Meta(description="Of those that ended.", examples=[0.962])]
    p50_milliseconds: Annotated[int | None, Meta(description="Time from charge to the news of delivery.")]
    p95_milliseconds: int | None
    ends: Annotated[dict[str, int], Meta(description="By status.")]
    errors: Annotated[dict[str, int], Meta(description="By error code; of closed days.")]


class TrafficGroup(TrafficFigures, frozen=True, kw_only=True):
    """A group with its figures. What was not grouped by is null; users and senders are '' until their day is closed."""

    account: str | None = None
    gateway: str | None = None
    country: str | None = None
    operator: str | None = None
    user: str | None = None
    sender: str | None = None
    hour: Annotated[str | None, Meta(description="UTC, 00 to 23.")] = None
    day: str | None = None
    month: str | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is worth a look."""

    code: str
    says: str


class GatewayQuality(TrafficFigures, frozen=True, kw_only=True):
    """How a gateway, or one operator through it, did; and what is worth a look."""

    gateway: str
    country: str | None = None
    operator: str | None = None
    warnings: tuple[Finding, ...]


class _Summed(msgspec.Struct, frozen=True, kw_only=True):
    """How far an answer has got. `summing`: ask again; there are no lines yet."""

    status: Literal["summing", "summed"]
    days: int
    days_done: int
    open_days: Annotated[tuple[str, ...], Meta(description="Not closed: who sent, and errors, are not known yet.")]
    next_cursor: str | None = None


class TrafficSummary(_Summed, frozen=True, kw_only=True):
    """Traffic by group, and in all."""

    total: TrafficFigures | None = None
    data: tuple[TrafficGroup, ...] = ()


class QualityReport(_Summed, frozen=True, kw_only=True):
    """Gateways' quality."""

    data: tuple[GatewayQuality, ...] = ()


class SubmitRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway's closed day: what was charged, and what its SMSC took."""

    day: str
    gateway: str
    charged_messages: int
    charged_parts: int
    submitted_parts: Annotated[int, Meta(description="What an operator's invoice should have, at `cost`.")]
    difference_parts: Annotated[int, Meta(description="submitted - charged")]
    credit: Amount
    refunded: Amount
    cost: Annotated[Amount, Meta(description="Of what was submitted, as far as it is known.")]


class TrafficQuery(Page, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is added up, by what."""

    group_by: Annotated[
        str, Meta(pattern=f"^{_THING}(,{_THING}){{0,2}}$", description="Up to three, as `gateway,operator`.")
    ] = "gateway"
    order: Annotated[Literal["group", "messages"], Meta(description="messages: those with most first.")] = "group"
    account: AccountId | None = None
    gateway: GatewayId | None = None
    country: Country | None = None
    operator: Operator | None = None


class QualityQuery(Page, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose quality, on which days."""

    by: Annotated[Literal["gateway", "operator"], Meta(description="operator: each one through each gateway.")] = (
        "gateway"
    )
    gateway: GatewayId | None = None


class SubmitQuery(Days, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which days, of which gateway. Answers have whole days."""

    gateway: GatewayId | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


@endpoints.get("/v1/admin/reports/summary", also={202: TrafficSummary}, faults=("invalid_cursor",))
def sum_up_traffic(call: AdminCall, query: TrafficQuery) -> TrafficSummary | Reply[TrafficSummary]:
    """Sum up traffic between two dates.

    Of all accounts, or one, by account, gateway, country, operator, user, sender, hour, day or month. What takes longer
    than some seconds is gone on with each time it is asked for: 202 until it is summed up, then its pages.
    """
    days = span(query, call.now_ms)
    question = traffic_question(query, days)
    held, at = _answer(call, name := name_of("traffic", query, days), query.cursor, question)
    if held.day:
        return Reply(TrafficSummary(**_how_far(held)), status=202, headers={"Retry-After": _AGAIN_SECONDS})
    groups = held.groups
    if query.order == "messages":
        groups = sorted(groups, key=lambda one: (-one[1].messages, one[0]))
    data = tuple(
        TrafficGroup(**_named(question.group_by, group), **_figures(line))
        for group, line in groups[at : at + query.limit]
    )
    after = _after(held, at, query.limit)
    total = TrafficFigures(**_figures(_total(groups)))
    return TrafficSummary(**_how_far(held), total=total, data=data, next_cursor=seal(call, name, after))


@endpoints.get("/v1/admin/reports/gateway-quality", also={202: QualityReport}, faults=("invalid_cursor",))
def report_gateway_quality(call: AdminCall, query: QualityQuery) -> QualityReport | Reply[QualityReport]:
    """Report gateways' quality: share delivered, time to delivery, errors, and a plain warning where it is due.

    As where receipts look made up: all delivered, each in the same time. 202 until it is summed up, as summaries are.
    """
    days = span(query, call.now_ms)
    question = quality_question(query, days)
    held, at = _answer(call, name := name_of("quality", query, days), query.cursor, question)
    if held.day:
        return Reply(QualityReport(**_how_far(held)), status=202, headers={"Retry-After": _AGAIN_SECONDS})
    page = held.groups[at : at + query.limit]
    data = tuple(_quality(question.group_by, group, line) for group, line in page if group[0])
    after = _after(held, at, query.limit)
    return QualityReport(**_how_far(held), data=data, next_cursor=seal(call, name, after))


@endpoints.get("/v1/admin/reports/submits", faults=("invalid_cursor",))
def check_submits_against_charges(call: AdminCall, query: SubmitQuery) -> Listing[SubmitRecord]:
    """Check what SMSCs took against what was charged, by gateway and closed day, the latest first.

    To hold an operator's invoice against. A page has whole days; it may be empty before the last.
    """
    days = span(query, call.now_ms)
    name = name_of("submits", query, days)
    found, after = check_submits.check(query.gateway, days, unseal(call, name, query.cursor), query.limit)
    data = tuple(SubmitRecord(**told(one)) for one in found)
    return Listing(data=data, next_cursor=seal(call, name, after))


def traffic_question(query: TrafficQuery, days: Span) -> Question:
    """What the query asks for. Raises Fault `invalid_request`."""
    return Question(
        first=days.first.isoformat(),
        last=days.last.isoformat(),
        group_by=_things(query.group_by),
        account=query.account,
        gateway=query.gateway,
        country=query.country,
        operator=query.operator,
    )


def quality_question(query: QualityQuery, days: Span) -> Question:
    """What the query asks for."""
    group_by: tuple[GroupBy, ...] = ("gateway",) if query.by == "gateway" else ("gateway", "country", "operator")
    return Question(first=days.first.isoformat(), last=days.last.isoformat(), group_by=group_by, gateway=query.gateway)


def _things(given: str) -> tuple[GroupBy, ...]:
    things = tuple(cast(GroupBy, thing) for thing in given.split(","))
    if len(set(things)) < len(things):
        raise invalid_field("group_by", "repeated", "each thing is grouped by once")
    return things


def _answer(call: AdminCall, name: str, cursor: str | None, question: Question) -> tuple[Progress, int]:
    """The answer as far as it is there, and where in it to go on."""
    position = unseal(call, name, cursor)
    if position is None:
        return ask(question, call.now_ms), 0
    held = answered(question, str(position["name"]))
    if held is None:
        raise Fault("invalid_cursor", "it was summed up anew since: begin again")
    return held, int(position["at"])


def _after(held: Progress, at: int, limit: int) -> dict[str, Any] | None:
    return {"name": held.name, "at": at + limit} if at + limit < len(held.groups) else None


def _how_far(held: Progress) -> dict[str, Any]:
    first, last = date.fromisoformat(held.question.first), date.fromisoformat(held.question.last)
    days = (last - first).days + 1
    return {
        "status": "summing" if held.day else "summed",
        "days": days,
        "days_done": (date.fromisoformat(held.day) - first).days if held.day else days,
        "open_days": tuple(held.open_days),
    }


def _named(group_by: tuple[GroupBy, ...], group: Group) -> dict[str, Any]:
    return dict(zip(group_by, group, strict=True))


def _figures(line: SummaryLine) -> dict[str, Any]:
    return told(figures(line))


def _total(groups: list[tuple[Group, SummaryLine]]) -> SummaryLine:
    total = nothing()
    for _, line in groups:
        total.add(line)
    return total


def _quality(group_by: tuple[GroupBy, ...], group: Group, line: SummaryLine) -> GatewayQuality:
    warnings = tuple(Finding(code=one.code, says=one.says) for one in findings(line))
    return GatewayQuality(**_named(group_by, group), **_figures(line), warnings=warnings)
