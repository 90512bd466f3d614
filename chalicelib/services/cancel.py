"""Cancel a message that no bridge has begun to submit: claim its dispatch before a bridge does."""

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.facts import Final
from chalicelib.domain.message import Message, fold
from chalicelib.domain.refusals import REASONS, refusal
from chalicelib.domain.status import Status
from chalicelib.domain.waiting_order import NEVER_SENT
from chalicelib.services.faults import Fault
from chalicelib.services.read_messages import read
from chalicelib.store import dispatches, messages, queues, scheduled
from chalicelib.store.messages import Noted
from chalicelib.wire import EndOutcome, OutcomeBundle


def cancel_accepted(account: Account, message_id: str, now_ms: int) -> None:
    """Cancel a message that its caller knows was accepted, though nothing may be noted of it yet.

    Raises Fault `already_submitted`, `already_final`.

    Both names that it may be claimed by are taken. Where nothing is noted even then, it is not charged yet; so no
    bridge can have it before it sees ours, and the bridge reports the end.
    """
    dispatches.mark(account.id, message_id, now_ms)
    if messages.facts_of(account.id, message_id):
        cancel(account, message_id, now_ms)
        return
    dispatches.claim(ids.bundle_of_single(message_id), dispatches.CANCEL, now_ms)
    if messages.facts_of(account.id, message_id):
        cancel(account, message_id, now_ms)


def cancel(account: Account, message_id: str, now_ms: int) -> Message:
    """The message, canceled; the same for one that already is.

    Raises Fault `not_found`, `already_submitted`, `already_final`.

    The charge is given back by settle, on the outcome that is sent here; where there is none yet, settle sees to it
    that there will be none (refuse_unpaid). What is charged in between goes on to a bridge, which finds our claim and
    reports the end once more. The refund has one name, so that it happens once. A message of an SMPP customer that
    shares its bundle, and so its claim, is marked; the bridge looks for marks once it has the claim.
    """
    told = read(account, message_id)
    if told.message.final and told.message.status is not Status.CANCELED:
        raise Fault("already_final", f"the message is {told.message.status}")
    if told.message.status is Status.CANCELED and _shares(told.message):
        return told.message  # its end was sent before it was noted
    at_ms = _taken_back(account, told.message, now_ms)
    if told.message.status is Status.SCHEDULED:
        scheduled.forget([message_id])  # where it is on its way by now, the bridge finds our claim
    error = refusal("canceled").error
    end = EndOutcome(
        account=account.id,
        message=message_id,
        at_ms=at_ms,
        gateway=told.message.queued.gateway if told.message.queued else "",
        status=REASONS["canceled"].status,
        error=error,
    )
    queues.send(queues.OUTCOMES, OutcomeBundle(id=ids.new_ulid(now_ms), outcomes=(end,)))
    canceled = Final(at_ms=at_ms, status=end.status, error=error)
    unpaid = told.message.queued is None
    messages.put_facts([Noted(account.id, message_id, canceled, account.retention_days, refused=unpaid)])
    # Folded of what was read: a receipt or rejection that arrives at this moment will tell for itself.
    return fold(message_id, (*told.facts, canceled)) or told.message


def _shares(message: Message) -> bool:
    return message.queued is not None and bool(message.queued.dispatch)


def _taken_back(account: Account, message: Message, now_ms: int) -> int:
    """When it was canceled for certain: no bridge will submit it. Raises Fault `already_submitted`."""
    if message.queued is None or not message.queued.dispatch:
        alone = message.queued.bundle if message.queued else ids.bundle_of_single(message.id)
        claim = dispatches.claim(alone, dispatches.CANCEL, now_ms)
        taken = claim.by not in NEVER_SENT
    elif message.content is None or message.content.source != "smpp":
        raise Fault("already_submitted", "the message is one of a job's: it is the job that can be stopped")
    else:
        claim = dispatches.mark(account.id, message.id, now_ms)
        taken = dispatches.is_taken(message.queued.dispatch)
    if taken:
        raise Fault("already_submitted", "the message was handed to its gateway before it could be canceled")
    return claim.at_ms
