"""Route: each accepted message gets its decision or its refusal. Decides and hands on; writes nothing."""

from collections.abc import Sequence

from chalicelib.domain.account import Account
from chalicelib.domain.decision import Decision
from chalicelib.domain.refusals import refusal
from chalicelib.domain.routing import RoutingTable, decide
from chalicelib.store import accounts, queues, rules
from chalicelib.wire import AcceptedBundle, Draft, Routed, RoutedBundle


def route(bundles: Sequence[AcceptedBundle], now_ms: int) -> None:
    """Send each bundle on to ⟨billing⟩ with its messages decided by the newest rules."""
    table = current_table(now_ms)
    queues.send_many(
        queues.BILLING,
        [decide_bundle(bundle, table, accounts.cached(bundle.account, now_ms)) for bundle in bundles],
    )


def current_table(now_ms: int) -> RoutingTable:
    """The newest published rules, indexed for `decide`."""
    return rules.table(now_ms)


def decide_bundle(bundle: AcceptedBundle, table: RoutingTable, account: Account | None) -> RoutedBundle:
    """The bundle with a decision or a refusal a message. Pure."""
    return RoutedBundle(
        id=bundle.id,
        account=bundle.account,
        messages=tuple(_decided(draft, table, account) for draft in bundle.messages),
    )


def _decided(draft: Draft, table: RoutingTable, account: Account | None) -> Routed:
    verdict = refusal("account_inactive") if account is None else decide(table, account, draft.id, draft.content)
    if isinstance(verdict, Decision):
        return Routed(draft=draft, decision=verdict)
    return Routed(draft=draft, refusal=verdict)
