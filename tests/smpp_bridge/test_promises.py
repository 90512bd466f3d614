"""What was promised for a message holds on its way over gateways: its price, its timeline, and at most one charge."""

import asyncio

import msgspec
import pytest

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.decision import Decision
from chalicelib.domain.facts import Attempted, Queued, Submitted
from chalicelib.domain.message import fold
from chalicelib.services.charge import charge
from chalicelib.settings import Settings
from chalicelib.store import accounts, ledger, wallets
from chalicelib.wire import Draft, Outcome, ReceiptOutcome, Routed, RoutedBundle
from infra.local.smsc import Config, Smsc
from smpp_bridge.main import run as run_bridge
from smpp_bridge.settings import BridgeSettings
from tests.smpp_bridge.crashes import ACCOUNT, facts_of, publish, settled_until
from tests.smpp_bridge.gateways.world import content, gateway, now_ms, run

SETTINGS = BridgeSettings(port=0, poll_seconds=0.1, receive_seconds=1, lease_seconds=1.0)
NOWHERE = 1  # a port on which nobody listens
PRICE_MICROS, CREDIT_MICROS = 40_000, 1_000_000


@pytest.mark.parametrize("size", [1, 12])
def test_a_message_that_another_gateway_took_costs_what_it_was_promised_for_and_says_where_it_went(
    aws: Settings, size: int
) -> None:
    decision = Decision(
        gateway="gw",
        route="rte_1",
        operator="Movistar",
        price_micros=PRICE_MICROS,
        rules=1,
        why="",
        failover=("other",),
    )

    async def main() -> None:
        async with Smsc(Config(receipt_delay_seconds=0.1)) as smsc:
            publish(msgspec.structs.replace(gateway(NOWHERE), state="paused"), gateway(smsc.port, "other"))
            accounts.create(Account(id=ACCOUNT, name="Acme", created_ms=now_ms()))
            ledger.grant(ACCOUNT, "opening", CREDIT_MICROS, who="test", why="opening", now_ms=now_ms())
            drafts = [
                Draft(id=ids.new_message_id(now_ms()), at_ms=now_ms(), content=content(f"+3460000{number:02}888"))
                for number in range(size)
            ]
            messages = tuple(Routed(draft=one, decision=decision) for one in drafts)
            charge([RoutedBundle(id=ids.bundle_of_single(drafts[0].id), account=ACCOUNT, messages=messages)], now_ms())
            stop = asyncio.Event()
            bridge = asyncio.create_task(run_bridge(SETTINGS, stop))
            told: list[Outcome] = []
            await settled_until(told, lambda: sum(isinstance(one, ReceiptOutcome) for one in told) == size)
            stop.set()
            await bridge
            assert (smsc.stats.accepted, smsc.stats.duplicates) == (size, 0)
            for one in drafts:
                facts = facts_of(one.id)
                message = fold(one.id, facts)
                assert message is not None
                assert message.status == "delivered"
                assert [fact.charge_micros for fact in facts if isinstance(fact, Queued)] == [PRICE_MICROS]
                (went,) = (fact for fact in facts if isinstance(fact, Attempted))
                assert (went.gateway, went.error.code, went.next) == ("gw", "gateway_paused", "fail over to other")
                assert [fact.gateway for fact in facts if isinstance(fact, Submitted)] == ["other"]
            wallet = wallets.get(ACCOUNT, consistent=True)
            assert wallet is not None
            assert wallet.balance_micros == CREDIT_MICROS - size * PRICE_MICROS

    run(main())
