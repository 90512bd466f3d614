"""Review: a person lets a held message go, or drops it. Which of the two came first, stands."""

from chalicelib.domain import ids
from chalicelib.domain.message import fold
from chalicelib.domain.refusals import refusal
from chalicelib.domain.status import Status
from chalicelib.services.faults import Fault, not_found
from chalicelib.store import held, messages, queues
from chalicelib.store.held import HeldMessage
from chalicelib.wire import AcceptedBundle, Draft, EndOutcome, OutcomeBundle


def read(message: str) -> HeldMessage:
    """The held message. Raises Fault `not_found`."""
    found = held.get(message)
    if found is None:
        raise not_found("held message")
    return found


def release(message: str, by: str, now_ms: int) -> HeldMessage:
    """Send the message on, to be routed and charged as any other but not held again. Again: the same.

    It is noted first: what is to be dropped must not be on its way. Where sending it on fails, releasing it again does
    that; its bundle has one name, under which it is charged once. Raises Fault `not_found`, `already_final`.
    """
    found = _settled(message, "released", by, now_ms)
    draft = Draft(id=message, at_ms=found.accepted_ms, content=found.content)
    bundle = AcceptedBundle(id=ids.released_bundle(message), account=found.account, messages=(draft,))
    queues.send(queues.ACCEPTED, bundle)
    return found


def drop(message: str, by: str, now_ms: int) -> HeldMessage:
    """End the message as blocked. Again: the same. Raises Fault `not_found`, `already_final`, `already_submitted`."""
    found = _settled(message, "dropped", by, now_ms)
    end = EndOutcome(
        account=found.account,
        message=message,
        at_ms=found.settled_ms or now_ms,
        gateway="",
        status=Status.REJECTED,
        error=refusal("content_blocked").error,
    )
    queues.send(queues.OUTCOMES, OutcomeBundle(id=ids.new_ulid(now_ms), outcomes=(end,)))
    return found


def _settled(message: str, state: held.HeldState, by: str, now_ms: int) -> HeldMessage:
    """The message with that decided of it, by this call or an earlier one."""
    found = read(message)
    if found.state == "waiting":
        _check_waits(found, now_ms)
        held.settle(message, state, by, now_ms)
        found = read(message)
    if found.state != state:
        raise Fault("already_settled", f"the message was {found.state}")
    return found


def _check_waits(found: HeldMessage, now_ms: int) -> None:
    """It may have been canceled, or have expired, while it waited."""
    told = fold(found.message, messages.facts_of(found.account, found.message))
    if found.content.valid_until_ms <= now_ms or (told is not None and told.final):
        status = told.status if told is not None and told.final else Status.EXPIRED
        raise Fault("already_final", f"the message is {status}")
