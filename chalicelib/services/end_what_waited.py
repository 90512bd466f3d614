"""End what has waited at its gateway for longer than its account or the gateway lets it: a bridge does, where one is.

Its claim says so for good, whoever comes by: a setting that is changed later brings nothing back.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Final

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.facts import ErrorInfo, Queued
from chalicelib.domain.message import Message
from chalicelib.domain.refusals import REASONS
from chalicelib.domain.rules import Gateway
from chalicelib.domain.status import Status
from chalicelib.domain.waiting import STEP_MS, may_wait_until_ms, wait_until_ms
from chalicelib.domain.waiting_order import ENDS, EXPIRE, fate_in
from chalicelib.store import dispatches, queues, rules
from chalicelib.store.dispatches import Claim
from chalicelib.wire import MAX_BUNDLE_MESSAGES, EndOutcome, OutcomeBundle

_LATE_MS: Final = STEP_MS  # so long a bridge has to do it by itself

log: Final = logging.getLogger(__name__)


def end_what_waited(account: Account, unbegun: Sequence[Message], now_ms: int) -> None:
    """Have settle hear of the end of those that wait at their first gateway, and have for too long."""
    gateways = {gateway.id: gateway for gateway in rules.current(now_ms).gateways}
    overdue = [
        (message, queued) for message, queued in _waiting(unbegun) if _is_over(account, gateways, queued, now_ms)
    ]
    claims: dict[str, Claim] = {}
    ends: list[EndOutcome] = []
    for message, queued in overdue:
        name = queued.dispatch or ids.dispatch_id(queued.bundle, 1, "")
        if name not in claims:  # messages that were charged together are claimed together, and have waited as long
            claims[name] = dispatches.claim(name, EXPIRE.claimant, now_ms)
        if fate_in(claims[name].by) == EXPIRE:
            ends.append(_ended(account.id, message.id, queued.gateway, claims[name].at_ms))
    if ends:
        log.warning("waited too long", extra={"account": account.id, "messages": [end.message for end in ends]})
    bundles = [
        OutcomeBundle(id=ids.new_ulid(now_ms), outcomes=tuple(ends[at : at + MAX_BUNDLE_MESSAGES]))
        for at in range(0, len(ends), MAX_BUNDLE_MESSAGES)
    ]
    queues.send_many(queues.OUTCOMES, bundles)


def _waiting(messages: Sequence[Message]) -> Iterator[tuple[Message, Queued]]:
    for message in messages:
        if message.status is Status.QUEUED and message.queued is not None:
            yield message, message.queued


def _is_over(account: Account, gateways: dict[str, Gateway], queued: Queued, now_ms: int) -> bool:
    of_account = wait_until_ms(account, queued.at_ms)
    gateway = gateways.get(queued.gateway)
    until_ms = (of_account or None) if gateway is None else may_wait_until_ms(gateway, queued.at_ms, of_account)
    return until_ms is not None and until_ms + _LATE_MS <= now_ms


def _ended(account: str, message: str, gateway: str, at_ms: int) -> EndOutcome:
    status, code = ENDS[EXPIRE.deed]
    error = ErrorInfo(code=code, title=REASONS[code].title)
    return EndOutcome(account=account, message=message, at_ms=at_ms, gateway=gateway, status=status, error=error)
