"""Refuse for good what ends before it was charged: canceled while scheduled, dropped by a reviewer, expired on its way.

The ledger says so under the name by which the message would be charged, in one transaction with usage: so it is counted
as refused, once, and whoever comes to charge it later finds that it was decided. Where the charge was first, it stands.
"""

from collections import defaultdict
from collections.abc import Container, Iterable
from typing import Final

from chalicelib.domain import charging, ids
from chalicelib.domain.charging import Charge
from chalicelib.domain.content import Content
from chalicelib.domain.decision import Refusal
from chalicelib.domain.facts import Accepted, AnyFact, ErrorInfo, Held, Scheduled
from chalicelib.domain.facts import Final as FinalFact
from chalicelib.domain.status import FINAL
from chalicelib.domain.usage import UsageLine, slot_at
from chalicelib.services.charge import charge_account
from chalicelib.store import messages
from chalicelib.store.messages import Whose

Ended = tuple[str, str, FinalFact]  # account, message id, its end
# What of a message says whether it was charged, or refused, by now.
_KEYS: Final = ("accepted", "scheduled", "held", *(FinalFact(at_ms=0, status=status).key for status in FINAL))


def refuse_unpaid(ended: Iterable[Ended], charged: Container[Whose]) -> None:
    """Refuse those that are not among the `charged`; again, it changes nothing. Raises dynamo.Overloaded."""
    unpaid = {(account, message): final for account, message, final in ended if (account, message) not in charged}
    if not unpaid:
        return
    known = messages.named((*whose, key) for whose in unpaid for key in _KEYS)
    charges: dict[str, list[Charge]] = defaultdict(list)
    for (account, message), final in unpaid.items():
        charge = _refusal(account, message, final, known.get((account, message), []))
        if charge is not None:
            charges[account].append(charge)
    for some in charges.values():
        charge_account(some)


def _refusal(account: str, message: str, final: FinalFact, facts: list[AnyFact]) -> Charge | None:
    """None where it is decided already: with another end, or with the bundle that it was one of."""
    content = _content(facts)
    is_held = any(isinstance(fact, Held) for fact in facts)
    other = any(isinstance(fact, FinalFact) and fact.status is not final.status for fact in facts)
    if content is None or other or (ids.run_of(message) is not None and not is_held):
        return None
    error = final.error or ErrorInfo(code=final.status, title="")
    return Charge(
        account=account,
        bundle=ids.released_bundle(message) if is_held else ids.bundle_of_single(message),
        at_ms=final.at_ms,
        amount_micros=0,
        verdicts=charging.gather([Refusal(status=final.status, error=error)]),
        usage=(UsageLine(slot=slot_at(final.at_ms), country=content.country, refused=1),),
        message=message,
    )


def _content(facts: Iterable[AnyFact]) -> Content | None:
    return next((fact.content for fact in facts if isinstance(fact, Accepted | Scheduled)), None)
