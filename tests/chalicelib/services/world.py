"""A customer with credit, gateways, and the bundles that pass between the steps, for tests of the steps."""

from typing import Any

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.account import Account, RefundPolicy
from chalicelib.domain.content import Content, Priority
from chalicelib.domain.decision import Decision
from chalicelib.domain.facts import AnyFact, ErrorInfo
from chalicelib.domain.message import Message, fold
from chalicelib.domain.refusals import refusal
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding
from chalicelib.store import accounts, aws, ledger, made_queues, messages, queues, wallets
from tests.once import made_once

NOW_MS = 1_760_000_000_000
PRICE_MICROS = 40_000
HOUR_MS = 3_600_000
ACCOUNT = "acc_one"
GATEWAY = "gtw_a"
OTHER_GATEWAY = "gtw_b"


def open_account(
    id_: str = ACCOUNT, credit_micros: int = 10 * PRICE_MICROS, refund_policy: RefundPolicy = "rejected"
) -> None:
    """An account with that much credit, unless there is one, and both gateways' queues."""
    what = ("account", id_, credit_micros, refund_policy)
    made_once(what, lambda: _open_account(id_, credit_micros, refund_policy))


def _open_account(id_: str, credit_micros: int, refund_policy: RefundPolicy) -> None:
    if not accounts.create(Account(id=id_, name="Acme", created_ms=NOW_MS, refund_policy=refund_policy)):
        return
    if credit_micros:
        ledger.grant(id_, "opening", credit_micros, who="test", why="opening", now_ms=NOW_MS)
    for gateway in (GATEWAY, OTHER_GATEWAY):
        made_queues.create_gateway_queues(gateway)


def draft(parts: int = 1, priority: Priority = "normal", valid_until_ms: int = NOW_MS + HOUR_MS) -> wire.Draft:
    content = Content(
        to="+34600111222",
        country="ES",
        sender="ACME",
        encoding=Encoding.GSM7,
        parts=parts,
        valid_until_ms=valid_until_ms,
        text="hello",
        priority=priority,
    )
    return wire.Draft(id=ids.new_message_id(NOW_MS), at_ms=NOW_MS, content=content)


def decision(gateway: str = GATEWAY, price_micros: int = PRICE_MICROS, rules: int = 1) -> Decision:
    return Decision(
        gateway=gateway, route="rte_1", operator="Movistar", price_micros=price_micros, rules=rules, why="a test"
    )


def routed(*drafts: wire.Draft, by: Decision | str | None = None, account: str = ACCOUNT) -> wire.RoutedBundle:
    """A bundle whose messages all got the decision, or the refusal of that code."""
    id_ = ids.bundle_of_single(drafts[0].id)
    if isinstance(by, str):
        told = tuple(wire.Routed(draft=one, refusal=refusal(by)) for one in drafts)
    else:
        told = tuple(wire.Routed(draft=one, decision=by or decision()) for one in drafts)
    return wire.RoutedBundle(id=id_, account=account, messages=told)


def submitted(message: str, smsc_id: str, part: int = 1, parts: int = 1, after_ms: int = 1000) -> wire.SubmitOutcome:
    return wire.SubmitOutcome(
        account=ACCOUNT,
        message=message,
        at_ms=NOW_MS + after_ms,
        part=part,
        parts=parts,
        gateway=GATEWAY,
        smsc_message_id=smsc_id,
        session="s1",
    )


def receipt(*smsc_ids: str, status: Status = Status.DELIVERED, after_ms: int = 5000) -> wire.ReceiptOutcome:
    error = None if status is Status.DELIVERED else ErrorInfo(code="not_delivered", title="Not delivered.")
    return wire.ReceiptOutcome(
        at_ms=NOW_MS + after_ms, gateway=GATEWAY, ids=smsc_ids, status=status, state=status.upper(), error=error
    )


def ended(message: str, status: Status, *, refundable: bool = True) -> wire.EndOutcome:
    return wire.EndOutcome(
        account=ACCOUNT,
        message=message,
        at_ms=NOW_MS + 2000,
        gateway=GATEWAY,
        status=status,
        error=ErrorInfo(code="refused", title="The SMSC refused it."),
        refundable=refundable,
    )


def outcomes(*happened: wire.Outcome) -> wire.OutcomeBundle:
    return wire.OutcomeBundle(id=ids.new_ulid(NOW_MS), outcomes=happened)


def facts(message: str, account: str = ACCOUNT) -> list[AnyFact]:
    return messages.facts_of(account, message)


def message(message_id: str, account: str = ACCOUNT) -> Message:
    folded = fold(message_id, facts(message_id, account))
    assert folded is not None
    return folded


def status(message_id: str) -> Status:
    return message(message_id).status


def balance(account: str = ACCOUNT) -> int:
    wallet = wallets.get(account, consistent=True)
    assert wallet is not None
    return wallet.balance_micros


def ledger_sum(account: str = ACCOUNT) -> int:
    return sum(entry.amount_micros for entry in ledger.entries(account, limit=1000).items)


def waiting(queue: str) -> list[wire.Bundle]:
    """What is on a queue; it is taken off."""
    taken: list[wire.Bundle] = []
    while records := queues.receive(queue, wait_seconds=0):
        taken += [wire.decode(record.body) for record in records]
        queues.delete_many(queue, [record.handle for record in records])
    return taken


class Calls:
    """Counts the calls of a service's client by operation."""

    def __init__(self, service: str) -> None:
        self.made: list[str] = []
        aws.client(service).meta.events.register("before-call.*", self._note)

    def _note(self, model: Any, **_: Any) -> None:
        self.made.append(model.name)

    def of(self, operation: str) -> int:
        return self.made.count(operation)
