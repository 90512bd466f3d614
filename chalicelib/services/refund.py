"""Refund: messages' charges go back to their account, exactly and once, however often it is asked for."""

from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.domain import ids
from chalicelib.domain.facts import Queued, Refunded
from chalicelib.domain.usage import UsageLine, slot_at
from chalicelib.store import accounts, ledger, messages
from chalicelib.store.ledger import Refund
from chalicelib.store.messages import Noted


class Due(NamedTuple):
    """A message whose charge is to be given back, and why."""

    message_id: str
    queued: Queued
    why: str


def refund(account: str, dues: Sequence[Due], now_ms: int) -> None:
    """Give back what the queued facts say was charged, and note it. What cost nothing is let be.

    The slot of the charge is the one whose usage it is taken off; that of now is the one in which it was paid back.
    """
    paid = {f"{ids.bundle_of_single(due.message_id)}/refund": due for due in dues if due.queued.charge_micros}
    if not paid:
        return
    entries = ledger.refund(account, [_refund(name, due) for name, due in paid.items()], now_ms)
    days = accounts.retention_days(account, now_ms)
    messages.put_facts(
        Noted(account, due.message_id, Refunded(at_ms=entry.at_ms, refund_micros=entry.amount_micros), days)
        for due, entry in ((due, entries[name]) for name, due in paid.items())
    )


def _refund(name: str, due: Due) -> Refund:
    queued = due.queued
    line = UsageLine(
        slot=slot_at(queued.at_ms),
        country=queued.content.country,
        operator=queued.operator,
        gateway=queued.gateway,
        refunded_micros=queued.charge_micros,
    )
    return Refund(name, line, due.why, due.message_id)
