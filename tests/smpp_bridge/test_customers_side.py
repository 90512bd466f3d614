"""The bridge as it starts with a port for customers: they bind through DynamoDB, health and metrics tell of them."""

import asyncio
import json
import logging

import msgspec
import pytest

from chalicelib.domain.account import Account
from chalicelib.domain.smpp_login import SmppLogin, hash_password
from chalicelib.settings import Settings
from chalicelib.store import accounts, esme_sessions, smpp_logins
from smpp_bridge.customers.terms import CustomerTerms
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.main import run as bridge
from smpp_bridge.protocol.pdu import BindReceiver, Unbind, UnbindResp
from smpp_bridge.protocol.status import Status
from smpp_bridge.settings import BridgeSettings
from tests.ports import free_port
from tests.smpp_bridge.customers.world import Raw, run, until
from tests.smpp_bridge.test_health import ask, get

LOGIN = SmppLogin(
    system_id="demo", account="acc_1", name="demo", password_hash=hash_password("letmein"), created_ms=0, max_sessions=1
)


def test_customers_bind_where_the_bridge_is_given_a_port_and_are_told_of_until_it_stops(
    aws: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    assert accounts.create(Account(id="acc_1", name="one", created_ms=0))
    assert smpp_logins.create(LOGIN)
    settings = BridgeSettings(port=free_port(), receive_seconds=1)
    terms = CustomerTerms(hosts="127.0.0.1", port=free_port(), refusal_seconds=0.0)

    async def main() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(bridge(settings, stop, terms))
        await until(lambda: "customers may bind" in caplog.messages)
        guess = await Raw.connected(terms.port)
        assert (await guess.bind(password="guess")).status == Status.INVALID_PASSWORD
        raw = await Raw.connected(terms.port)
        assert (await raw.bind(BindReceiver)).status == Status.OK
        second = await Raw.connected(terms.port)
        assert (await second.bind()).status == Status.ALREADY_BOUND
        (held,) = esme_sessions.of_login("demo", Clock().epoch_ms())
        assert (held.session.account, held.session.bind, held.session.address) == ("acc_1", "receiver", "127.0.0.1")

        _, body = await ask(settings.port, get("/health"))
        told = json.loads(body)
        assert told["customers"]["sessions"] == {"receiver": 1}
        assert held.session.bridge == told["bridge"]
        _, text = await ask(settings.port, get("/metrics"))
        for sample in (
            'sessions{bind="receiver"} 1.0',
            'binds_total{command_status="0x0E"} 1.0',
            'binds_total{command_status="0x05"} 1.0',
            'requests_total{command="bind_receiver"} 1.0',
            "bans_total 0.0",
            "submits_pending 0.0",
            "receipts_told_total 0.0",
        ):
            assert f"chasqui_bridge_customers_{sample}" in text

        stop.set()
        unbind = await raw.next()
        assert isinstance(unbind, Unbind)
        raw.say(UnbindResp(sequence=unbind.sequence))
        assert await raw.hung_up()
        await running
        assert esme_sessions.of_login("demo", Clock().epoch_ms()) == []

    caplog.set_level(logging.INFO)
    run(main())


def test_without_a_port_nobody_binds() -> None:
    assert not CustomerTerms().listens
    assert msgspec.structs.replace(CustomerTerms(), tls_port=2777).listens
