"""Gateways at work: pause, drain and resume them, and how they fare."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.queue_types import QueueView, queue_view
from chalicelib.api.admin.types import GatewayId
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.domain.gateway_beat import GatewayLive
from chalicelib.domain.rules import GatewayState
from chalicelib.services.steer_gateway import Steered, steer
from chalicelib.services.watch_queues import GatewayNow, gateway_now

endpoints: Final = Endpoints(__name__, tag="Gateways", role="admin")
_STEERS: Final = ("version_conflict",)


class SteeredView(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway's state as it is edited and published."""

    gateway: str
    state: GatewayState
    rules: Annotated[int, Meta(description="The published rules that say so. Null: it is in none yet.")] | None


class MinuteView(msgspec.Struct, frozen=True, kw_only=True):
    """What all bridges counted in one minute."""

    begins_at: datetime
    submits: Annotated[int, Meta(description="submit_sm sent.")]
    taken: Annotated[int, Meta(description="Of these, those that the SMSC said yes to.")]
    errors: Annotated[dict[str, int], Meta(description="Those that it said no to, by command_status.")]
    unanswered: int
    receipts: int


class FailureView(msgspec.Struct, frozen=True, kw_only=True):
    """The last session that did not come to be, or ended by itself."""

    at: datetime
    session: str
    reason: str
    command_status: str | None


class LiveGateway(msgspec.Struct, frozen=True, kw_only=True):
    """How a gateway fares, by what its bridges tell every ten seconds."""

    gateway: str
    state: Annotated[GatewayState, Meta(description="As published.")] | None
    told_at: Annotated[datetime, Meta(description="Null: no bridge has a share of it.")] | None
    bridges: int
    sessions: Annotated[int, Meta(description="Session slots that bridges hold.")]
    bound_sessions: int
    window: Annotated[int, Meta(description="Unanswered submits a session.")]
    circuit: Annotated[str, Meta(description="The circuit breakers': closed is well.")] | None
    passing_on: Annotated[
        tuple[str, ...], Meta(description="Why messages that another gateway would take go there; none: they do not.")
    ]
    allowed_per_second: Annotated[float, Meta(description="Less than was set while the SMSC throttles.")]
    submitted_per_second: Annotated[float, Meta(description="Over the last five minutes.")]
    in_flight: int
    put_off: Annotated[int, Meta(description="Parts that are tried again later.")]
    held: Annotated[int, Meta(description="Messages in bridges' hands.")]
    waiting_messages: Annotated[int, Meta(description="About, in queues and hands. Null: nobody has seen any.")] | None
    oldest_since: datetime | None
    empty_in_seconds: Annotated[int, Meta(description="Estimated. Null: nothing goes out, or nobody can say.")] | None
    queues: tuple[QueueView, ...]
    minutes: Annotated[tuple[MinuteView, ...], Meta(description="The last five, newest first.")]
    last_failure: FailureView | None


@endpoints.post("/v1/admin/gateways/{gateway}/pause", faults=_STEERS)
def pause_gateway(call: AdminCall, gateway: GatewayId) -> SteeredView:
    """Pause a gateway: nothing goes out, routes pass it over, and what waits goes to the next gateway where it may.

    It takes effect within seconds, and publishes no other change.
    """
    return _steered(steer(gateway, "paused", call.caller.who, call.now_ms))


@endpoints.post("/v1/admin/gateways/{gateway}/drain", faults=_STEERS)
def drain_gateway(call: AdminCall, gateway: GatewayId) -> SteeredView:
    """Drain a gateway: routes pass it over, and what waits there goes out."""
    return _steered(steer(gateway, "draining", call.caller.who, call.now_ms))


@endpoints.post("/v1/admin/gateways/{gateway}/resume", faults=_STEERS)
def resume_gateway(call: AdminCall, gateway: GatewayId) -> SteeredView:
    """Have a paused or draining gateway go on."""
    return _steered(steer(gateway, "active", call.caller.who, call.now_ms))


@endpoints.get("/v1/admin/gateways/{gateway}/state")
def read_gateway_state(call: AdminCall, gateway: GatewayId) -> LiveGateway:
    """See how a gateway fares: sessions, rates, errors, and what waits there."""
    return _live(gateway_now(gateway, call.now_ms))


def _steered(steered: Steered) -> SteeredView:
    return SteeredView(gateway=steered.gateway, state=steered.state, rules=steered.rules)


def _live(now: GatewayNow) -> LiveGateway:
    live, waiting = now.live, now.waiting
    return LiveGateway(
        gateway=now.gateway,
        state=now.published.state if now.published else None,
        told_at=instant(live.told_ms),
        bridges=live.bridges,
        sessions=live.sessions,
        bound_sessions=live.bound,
        window=live.window,
        circuit=", ".join(live.circuits) or None,
        passing_on=live.passing_on,
        allowed_per_second=round(live.rate, 3),
        submitted_per_second=round(live.submitted_per_second, 3),
        in_flight=live.in_flight,
        put_off=live.put_off,
        held=live.held,
        waiting_messages=waiting.messages,
        oldest_since=instant(waiting.oldest_ms),
        empty_in_seconds=waiting.empty_in_seconds,
        queues=tuple(map(queue_view, now.queues)),
        minutes=_minutes(live),
        last_failure=_failure(live),
    )


def _minutes(live: GatewayLive) -> tuple[MinuteView, ...]:
    return tuple(
        MinuteView(
            begins_at=instant(minute.at_ms),
            submits=minute.submits,
            taken=minute.taken,
            errors=dict(minute.errors),
            unanswered=minute.unanswered,
            receipts=minute.receipts,
        )
        for minute in live.minutes
    )


def _failure(live: GatewayLive) -> FailureView | None:
    failure = live.failure
    if failure is None:
        return None
    status = None if failure.status is None else f"0x{failure.status:02X}"
    return FailureView(at=instant(failure.at_ms), session=failure.session, reason=failure.reason, command_status=status)
