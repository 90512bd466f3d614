"""Refund: a message's charge goes back to its account, exactly and once, however often it is asked for."""

from chalicelib.domain import ids
from chalicelib.domain.charging import UsageLine
from chalicelib.domain.message import Queued, Refunded
from chalicelib.store import accounts, ledger, messages
from chalicelib.store.messages import Noted


def refund(account: str, message_id: str, queued: Queued, why: str, now_ms: int) -> Refunded | None:
    """Give back what the queued fact says was charged; the fact of it, which is noted too. None: it cost nothing.

    The day of the charge is the one whose usage the refund shows in.
    """
    if not queued.charge_micros:
        return None
    line = UsageLine(
        day=ids.day_at(queued.at_ms),
        country=queued.content.country,
        operator=queued.operator,
        gateway=queued.gateway,
        refunded_micros=queued.charge_micros,
    )
    entry = ledger.refund(account, f"{ids.bundle_of_single(message_id)}/refund", line, why, now_ms, message=message_id)
    fact = Refunded(at_ms=entry.at_ms, refund_micros=entry.amount_micros)
    messages.put_facts([Noted(account, message_id, fact, accounts.retention_days(account, now_ms))])
    return fact
