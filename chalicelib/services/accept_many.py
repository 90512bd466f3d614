"""Accept many: an account's messages are checked, priced against its credit, named, and durable in bundles at once."""

import logging
from collections.abc import Iterator, Sequence
from typing import Final

from chalicelib.domain import ids as message_ids
from chalicelib.domain.account import Account
from chalicelib.domain.charging import price_of
from chalicelib.domain.decision import Refusal
from chalicelib.domain.routing import RoutingTable, decide
from chalicelib.services.accept import Acceptance, due_ms_of
from chalicelib.services.check import Submission, check
from chalicelib.services.faults import Fault
from chalicelib.services.route import current_table
from chalicelib.services.send_scheduled import schedule
from chalicelib.store import queues, wallets
from chalicelib.wire import MAX_BUNDLE_BYTES, MAX_BUNDLE_MESSAGES, AcceptedBundle, Draft, size_of

log: Final = logging.getLogger(__name__)


def accept_many(
    account: Account,
    submissions: Sequence[Submission],
    now_ms: int,
    *,
    ids: Sequence[str] | None = None,
    bundle_id: str | None = None,
) -> list[Acceptance | Fault]:
    """What became of each, in their order: accepted, and durable on ⟨accepted⟩ when this returns, or why not.

    The faults are those of `accept`. `ids` names the messages, `bundle_id` the bundle, for who may come again; what
    does not fit one bundle is in others, named after it and counted, the same ones for the same submissions. What is to
    be sent later is scheduled, each alone. Of the rest no facts are noted: the queued fact tells all.

    Raises what AWS raises; then some bundles may have been sent, and the others not.
    """
    made = judge_many(account, submissions, now_ms, ids)
    taken = [one for one in made if isinstance(one, Acceptance)]
    send_drafts(account.id, [one.draft for one in taken if one.due_ms is None], now_ms, bundle_id=bundle_id)
    for one in taken:
        if one.due_ms is not None:
            alone = AcceptedBundle(
                id=message_ids.bundle_of_single(one.draft.id), account=account.id, messages=(one.draft,)
            )
            schedule(alone, one.due_ms, now_ms)
    return made


def judge_many(
    account: Account, submissions: Sequence[Submission], now_ms: int, ids: Sequence[str] | None = None
) -> list[Acceptance | Fault]:
    """What would become of each. Writes nothing."""
    if account.state != "active":
        fault = Fault("account_suspended", "the account is suspended: it sends nothing")
        return [fault] * len(submissions)
    table = current_table(now_ms)
    names = ids or [message_ids.new_message_id(now_ms, account.shards) for _ in submissions]
    judged = [
        _judged(submission, account, name, table, now_ms) for submission, name in zip(submissions, names, strict=True)
    ]
    return _within_credit(account, judged, now_ms)


def send_drafts(
    account: str, drafts: Sequence[Draft], now_ms: int, *, bundle_id: str | None = None, delay_seconds: int = 0
) -> None:
    """Put the drafts on ⟨accepted⟩, in bundles, to be routed after so long (at most queues.MAX_DELAY_SECONDS).

    Raises what AWS raises.
    """
    bundles = [
        AcceptedBundle(id=_name(bundle_id, place, some, now_ms), account=account, messages=tuple(some))
        for place, some in enumerate(_bundled(drafts))
    ]
    if delay_seconds:
        for bundle in bundles:
            queues.send(queues.ACCEPTED, bundle, delay_seconds=delay_seconds)
    elif bundles:
        queues.send_many(queues.ACCEPTED, bundles)
    for bundle in bundles:
        log.info("accepted", extra={"bundle": bundle.id, "account": account, "messages": len(bundle.messages)})


def _judged(
    submission: Submission, account: Account, name: str, table: RoutingTable, now_ms: int
) -> Acceptance | Fault:
    try:
        content = check(submission, account, now_ms)
        due_ms = due_ms_of(submission, account, content.valid_until_ms, now_ms)
    except Fault as fault:
        return fault
    verdict = decide(table, account, name, content)
    if isinstance(verdict, Refusal):
        return Fault(verdict.error.code, verdict.error.title)
    return Acceptance(draft=Draft(id=name, at_ms=now_ms, content=content), estimate=verdict, due_ms=due_ms)


def _within_credit(account: Account, judged: list[Acceptance | Fault], now_ms: int) -> list[Acceptance | Fault]:
    """In their order as far as the credit goes: charge takes a bundle whole or not at all, so the rest is told now.

    A yes may be a second old; a no is read again, for a customer who has just paid.
    """
    costs = [price_of(one.estimate, one.draft.content.parts) if isinstance(one, Acceptance) else 0 for one in judged]
    needed = sum(costs)
    if not needed:
        return judged
    wallet = wallets.cached(account.id, now_ms)
    if wallet is None or wallet.available_micros < needed:
        wallet = wallets.get(account.id, consistent=True)
    left = wallet.available_micros if wallet else 0
    if left >= needed:
        return judged
    told: list[Acceptance | Fault] = []
    for one, cost in zip(judged, costs, strict=True):
        if cost <= left or isinstance(one, Fault):
            left -= cost
            told.append(one)
        else:
            told.append(Fault("no_credit", "the account's credit does not cover the message"))
    return told


def _bundled(drafts: Sequence[Draft]) -> Iterator[list[Draft]]:
    bundle: list[Draft] = []
    size = 0
    for draft in drafts:
        needs = size_of(draft)
        if bundle and (len(bundle) == MAX_BUNDLE_MESSAGES or size + needs > MAX_BUNDLE_BYTES):
            yield bundle
            bundle, size = [], 0
        bundle.append(draft)
        size += needs
    if bundle:
        yield bundle


def _name(given: str | None, place: int, drafts: Sequence[Draft], now_ms: int) -> str:
    """One that is alone is named after its message, as a single send is: so cancel knows its dispatch."""
    if given is not None:
        return f"{given}-{place}" if place else given
    return message_ids.bundle_of_single(drafts[0].id) if len(drafts) == 1 else message_ids.new_ulid(now_ms)
