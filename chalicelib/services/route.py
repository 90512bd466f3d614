"""Route: each accepted message gets its decision or its refusal. Decides and hands on; only counts rules' hits."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.content_rules import Hit, verdict
from chalicelib.domain.decision import Decision, Refusal
from chalicelib.domain.refusals import by_content, refusal
from chalicelib.domain.routing import RoutingTable, decide
from chalicelib.domain.suppression import NOTHING_KNOWN, Known, suppressed
from chalicelib.services.suppress import look_up
from chalicelib.store import accounts, queues, rule_hits, rules
from chalicelib.wire import AcceptedBundle, Draft, Routed, RoutedBundle

log: Final = logging.getLogger(__name__)


class Findings(msgspec.Struct, frozen=True):
    """What was looked up of messages before they are decided: who is not to be written to, and rules hit by id."""

    known: Known = NOTHING_KNOWN
    hits: Mapping[str, tuple[Hit, ...]] = {}


NO_FINDINGS: Final = Findings()


def route(bundles: Sequence[AcceptedBundle], now_ms: int) -> None:
    """Send each bundle on to ⟨billing⟩ with its messages decided by the newest rules."""
    table = current_table(now_ms)
    whose = {bundle.account: accounts.cached(bundle.account, now_ms) for bundle in bundles}
    found = _findings(bundles, table, whose, now_ms)
    queues.send_many(
        queues.BILLING,
        [decide_bundle(bundle, table, whose[bundle.account], now_ms, found) for bundle in bundles],
    )
    _tell(found)
    if found.hits:
        rule_hits.add(Counter(hit.rule for hits in found.hits.values() for hit in hits), now_ms)


def foreseen(bundle: AcceptedBundle, now_ms: int) -> RoutedBundle:
    """What would be decided of the bundle now. Writes and counts nothing."""
    table, whose = current_table(now_ms), {bundle.account: accounts.cached(bundle.account, now_ms)}
    found = _findings([bundle], table, whose, now_ms)
    return decide_bundle(bundle, table, whose[bundle.account], now_ms, found)


def current_table(now_ms: int) -> RoutingTable:
    """The newest published rules, indexed for `decide`."""
    return rules.table(now_ms)


def decide_bundle(
    bundle: AcceptedBundle,
    table: RoutingTable,
    account: Account | None,
    now_ms: int,
    found: Findings = NO_FINDINGS,
) -> RoutedBundle:
    """The bundle with a decision or a refusal a message. Pure."""
    return RoutedBundle(
        id=bundle.id,
        account=bundle.account,
        messages=tuple(_decided(draft, table, account, now_ms, found) for draft in bundle.messages),
    )


def _findings(
    bundles: Sequence[AcceptedBundle],
    table: RoutingTable,
    whose: Mapping[str, Account | None],
    now_ms: int,
) -> Findings:
    owned = [(account, bundle) for bundle in bundles if (account := whose[bundle.account]) is not None]
    known = look_up(((account, draft.content) for account, bundle in owned for draft in bundle.messages), now_ms)
    if not table.rules.spam:
        return Findings(known)
    screened = {
        draft.id: table.screen.hits(account.id, draft.content.text)
        for account, bundle in owned
        if not ids.is_released(bundle.id)  # a person has looked at it
        for draft in bundle.messages
    }
    return Findings(known, {message: hits for message, hits in screened.items() if hits})


def _decided(draft: Draft, table: RoutingTable, account: Account | None, now_ms: int, found: Findings) -> Routed:
    told = refusal("account_inactive") if account is None else _verdict(draft, table, account, now_ms, found)
    if isinstance(told, Decision):
        return Routed(draft=draft, decision=told)
    return Routed(draft=draft, refusal=told)


def _verdict(draft: Draft, table: RoutingTable, account: Account, now_ms: int, found: Findings) -> Decision | Refusal:
    """Whether it may go by what is known of its recipient, then where to, then whether its text may."""
    content = draft.content
    stopped = suppressed(content, account.id, found.known, table.countries.get(content.country), now_ms)
    decided = stopped or decide(table, account, draft.id, content)
    hit = verdict(found.hits.get(draft.id, ()))
    if hit is None or isinstance(decided, Refusal):
        return decided
    if hit.action == "report":
        return msgspec.structs.replace(decided, why=f"{decided.why}; reported by content rule {hit.rule}")
    return by_content(hit.rule, hold=hit.action == "hold")


def _tell(found: Findings) -> None:
    """Which messages fell under which rule, for those who look after them; never what they say."""
    for message, hits in found.hits.items():
        told = [{"rule": hit.rule, "action": hit.action} for hit in hits]
        log.info("content rules", extra={"message_id": message, "hits": told})
