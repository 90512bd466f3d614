"""Routing a bundle: each message decided by the newest rules, handed on to billing, nothing written."""

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.rules import Gateway, Route, Target
from chalicelib.services.route import route
from chalicelib.store import accounts, queues, rules
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, NOW_MS, PRICE_MICROS

pytestmark = pytest.mark.usefixtures("aws")


def publish(*routes: Route) -> None:
    gateway = Gateway(id=GATEWAY, name="A", host="smsc", port=2775, system_id="us")
    rules.publish([gateway], list(routes), [], by="test", note="", now_ms=NOW_MS)


def accepted(*drafts: wire.Draft) -> wire.AcceptedBundle:
    return wire.AcceptedBundle(id=ids.bundle_of_single(drafts[0].id), account=ACCOUNT, messages=drafts)


def to_spain(price_micros: int = PRICE_MICROS) -> Route:
    return Route(id="rte_es", targets=(Target(gateway=GATEWAY),), price_micros=price_micros, country="ES")


def billing() -> wire.RoutedBundle:
    (bundle,) = world.waiting(queues.BILLING)
    assert isinstance(bundle, wire.RoutedBundle)
    return bundle


def test_each_message_is_decided_or_refused_and_the_bundle_handed_on_under_its_id() -> None:
    world.open_account()
    publish(to_spain())
    spain, draft = world.draft(), world.draft()
    france = msgspec.structs.replace(draft, content=msgspec.structs.replace(draft.content, country="FR"))
    bundle = accepted(spain, france)
    calls = world.Calls("dynamodb")
    route([bundle], NOW_MS)

    sent = billing()
    assert (sent.id, sent.account, [one.draft for one in sent.messages]) == (bundle.id, ACCOUNT, [spain, france])
    decided, refused = sent.messages
    assert decided.decision is not None
    assert (decided.decision.gateway, decided.decision.rules, decided.refusal) == (GATEWAY, 1, None)
    assert refused.refusal is not None
    assert (refused.refusal.error.code, refused.decision) == ("no_route", None)
    assert {name for name in calls.made if not name.startswith("Get")} == set()


def test_a_newer_snapshot_is_seen_within_the_polling_time() -> None:
    world.open_account()
    publish(to_spain())
    route([accepted(world.draft())], NOW_MS)
    billing()
    publish(to_spain(price_micros=1))
    route([accepted(world.draft())], NOW_MS + 6000)
    (routed,) = billing().messages
    assert routed.decision is not None
    assert (routed.decision.price_micros, routed.decision.rules) == (1, 2)


@pytest.mark.parametrize("state", ["suspended", None])
def test_messages_of_an_account_that_may_not_send_are_refused(state: str | None) -> None:
    publish(to_spain())
    if state:
        world.open_account()
        row = accounts.versioned(ACCOUNT)
        assert row is not None
        accounts.change(ACCOUNT, row.version, msgspec.structs.replace(row.value, state=state))
    route([accepted(world.draft())], NOW_MS)
    (routed,) = billing().messages
    assert routed.refusal is not None
    assert routed.refusal.error.code == "account_inactive"
