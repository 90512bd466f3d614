"""A worker's state, as /health shows it."""

from typing import TYPE_CHECKING, Any

from smpp_bridge.gateways.slot import Slot

if TYPE_CHECKING:
    from smpp_bridge.gateways.worker import GatewayWorker


def state_of(worker: "GatewayWorker") -> dict[str, Any]:
    """The gateway's sessions, and what waits here."""
    reason = worker.standing.why_elsewhere
    return {
        "state": worker.gateway.state,
        "circuit": worker.standing.circuit,
        "passing_on": None if reason is None else reason.code,
        "sessions": [_session(worker, slot) for slot in worker.slots],
        "sessions_of_all_bridges": worker.gateway.sessions,
        "in_flight": worker.submitter.in_flight,
        "ready": len(worker.submitter.backlog),
        "put_off": worker.submitter.backlog.put_off,
        "held": worker.intake.held_messages,
        "rate": round(worker.submitter.rate, 3),
    }


def _session(worker: "GatewayWorker", slot: Slot) -> dict[str, Any]:
    now = worker.clock.monotonic()
    links = {link.name: link for link in slot.links.values()}
    silence = worker.receipt_silence().get(slot.receiver.name) if slot.receiver else None
    return {
        "slot": slot.number,
        "bound": slot.bound,
        "links": {name: link.state for name, link in links.items()},
        "throttled": any(link.paused_until > now for link in links.values()),
        "seconds_since_receipt": None if silence is None else round(silence, 1),
    }
