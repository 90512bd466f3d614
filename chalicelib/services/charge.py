"""Charge: bundles are paid whole or not at all, their decisions made binding; then noted, then dispatched."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from chalicelib.domain import charging, ids
from chalicelib.domain.charging import LedgerEntry, Verdict
from chalicelib.domain.content import Content
from chalicelib.domain.decision import Decision, Refusal
from chalicelib.domain.facts import Accepted, Final, Held, Queued
from chalicelib.domain.waiting import wait_until_ms
from chalicelib.services.announce import News, announce
from chalicelib.services.hold import hold
from chalicelib.services.keep_texts import kept
from chalicelib.services.tally import tally_charges
from chalicelib.store import accounts, dynamo, ledger, messages, queues
from chalicelib.store.messages import Noted
from chalicelib.wire import Dispatch, DispatchBundle, Draft, Routed, RoutedBundle


def charge(bundles: Sequence[RoutedBundle], now_ms: int) -> None:
    """Charge, note and dispatch the bundles. Doing it again moves no money and decides nothing anew."""
    distinct = list({bundle.id: bundle for bundle in reversed(bundles)}.values())[::-1]
    entries = _bind(distinct, now_ms)
    for bundle in distinct:
        hold(bundle.account, _settled(bundle, entries[bundle.id]), entries[bundle.id])
    messages.put_facts(fact for bundle in distinct for fact in _facts(bundle, entries[bundle.id], now_ms))
    for queue, dispatches in _dispatches(distinct, entries, now_ms).items():
        queues.send_many(queue, dispatches)
    tally_charges(distinct, entries, now_ms)
    announce([news for bundle in distinct for news in _refusals(bundle, entries[bundle.id])], now_ms)


def _refusals(bundle: RoutedBundle, entry: LedgerEntry) -> Iterator[News]:
    """The ends that messages of the bundle came to here."""
    for draft, verdict in _settled(bundle, entry):
        if not isinstance(verdict, Decision) and not verdict.held:
            fact = _refused(verdict, entry)
            yield News(account=bundle.account, message=draft.id, fact=fact, content=draft.content)


def _bind(bundles: Sequence[RoutedBundle], now_ms: int) -> dict[str, LedgerEntry]:
    """The ledger entry of each bundle, which says what holds for it: by an earlier run, or by this one."""
    by_account: dict[str, list[charging.Charge]] = defaultdict(list)
    for bundle in bundles:
        asked = [(routed.draft.content, _asked(routed)) for routed in bundle.messages]
        alone = bundle.messages[0].draft.id if len(bundle.messages) == 1 else None
        by_account[bundle.account].append(charging.propose(bundle.account, bundle.id, asked, now_ms, alone))
    entries: dict[str, LedgerEntry] = {}
    for charges in by_account.values():
        entries |= charge_account(charges)
    return entries


def charge_account(charges: Sequence[charging.Charge]) -> dict[str, LedgerEntry]:
    """One account's charges, together where they can be: one bundle's trouble does not stop another.

    Ends, because each turn either settles a group, or takes the known ones out of it, or splits it, or refuses one
    bundle, and a refused bundle costs nothing.
    """
    waiting = charging.grouped(charges, dynamo.TRANSACTION_ITEMS)
    entries: dict[str, LedgerEntry] = {}
    while waiting:
        group = waiting.pop(0)
        match ledger.charge(group):
            case ledger.Charged(made):
                entries |= made
            case ledger.Known(known):
                entries |= known
                left = [one for one in group if one.bundle not in known]
                waiting[:0] = [left] if left else []
            case ledger.NoCredit() if len(group) > 1:
                waiting[:0] = [[one] for one in group]
            case ledger.NoCredit():
                waiting.insert(0, [charging.refuse(group[0], "no_credit")])
    return entries


def _facts(bundle: RoutedBundle, entry: LedgerEntry, now_ms: int) -> Iterator[Noted]:
    """What is noted of the bundle's messages: the same facts at each run, as they follow from the entry alone."""
    days = accounts.retention_days(bundle.account, now_ms)
    account = accounts.cached(bundle.account, now_ms)
    places: Counter[str] = Counter()  # in each queue's dispatch
    for draft, verdict in _settled(bundle, entry):
        if isinstance(verdict, Decision):
            queue = queues.gateway_queue(verdict.gateway, draft.content.priority)
            queued = _queued(kept(draft.content, account), verdict, entry, _claim(bundle, queue, places[queue]))
            places[queue] += 1
            yield Noted(bundle.account, draft.id, queued, days)
        else:
            # accept notes nothing of messages that share a bundle, and here they have no `queued` to say what they are
            accepted = Accepted(at_ms=draft.at_ms, content=kept(draft.content, account))
            yield Noted(bundle.account, draft.id, accepted, days)
            told = Held(at_ms=entry.at_ms) if verdict.held else _refused(verdict, entry)
            yield Noted(bundle.account, draft.id, told, days, refused=not verdict.held, to=draft.content.to)


def _refused(refusal: Refusal, entry: LedgerEntry) -> Final:
    return Final(at_ms=entry.at_ms, status=refusal.status, error=refusal.error)


def _claim(bundle: RoutedBundle, queue: str, place: int) -> str:
    """Under which name a bridge claims the message; what is alone in its bundle is claimed by that."""
    count = len(bundle.messages)
    return ids.slice_id(ids.dispatch_id(bundle.id, count, queue), place) if count > 1 else ""


def _queued(content: Content, decision: Decision, entry: LedgerEntry, dispatch: str) -> Queued:
    return Queued(
        at_ms=entry.at_ms,
        content=content,
        gateway=decision.gateway,
        route=decision.route,
        operator=decision.operator,
        price_micros=decision.price_micros,
        charge_micros=charging.price_of(decision, content.parts),
        rules=decision.rules,
        bundle=entry.id,
        why=decision.why,
        dispatch=dispatch,
        cost_micros=decision.cost_micros,
    )


def _dispatches(
    bundles: Sequence[RoutedBundle], entries: dict[str, LedgerEntry], now_ms: int
) -> dict[str, list[DispatchBundle]]:
    """What goes on which gateway's queue."""
    by_queue: dict[str, list[DispatchBundle]] = defaultdict(list)
    for bundle in bundles:
        parts: dict[tuple[str, str], list[Dispatch]] = defaultdict(list)
        for draft, verdict in _settled(bundle, entries[bundle.id]):
            if isinstance(verdict, Decision):
                queue = queues.gateway_queue(verdict.gateway, draft.content.priority)
                dispatch = Dispatch(id=draft.id, content=_sent_as(draft.content, verdict), failover=verdict.failover)
                parts[queue, verdict.gateway].append(dispatch)
        entry = entries[bundle.id]
        for (queue, gateway), dispatches in parts.items():
            by_queue[queue].append(
                DispatchBundle(
                    id=ids.dispatch_id(bundle.id, len(bundle.messages), queue),
                    account=bundle.account,
                    gateway=gateway,
                    messages=tuple(dispatches),
                    since_ms=entry.at_ms,
                    wait_until_ms=wait_until_ms(accounts.cached(bundle.account, now_ms), entry.at_ms),
                )
            )
    return by_queue


def _sent_as(content: Content, decision: Decision) -> Content:
    """The content as it goes out; what the customer handed over stays in the log."""
    return msgspec.structs.replace(content, sender=decision.sender) if decision.sender else content


def _settled(bundle: RoutedBundle, entry: LedgerEntry) -> Iterator[tuple[Draft, Verdict]]:
    """The bundle's messages with the verdicts that stand, whatever the bundle says that came this time."""
    if entry.verdicts is None:
        raise ValueError(f"ledger entry {entry.id} is no bundle's")
    drafts = (routed.draft for routed in bundle.messages)
    return zip(drafts, entry.verdicts.each(), strict=True)


def _asked(routed: Routed) -> Verdict:
    verdict = routed.decision or routed.refusal
    if verdict is None:
        raise ValueError(f"{routed.draft.id} was not routed")
    return verdict
