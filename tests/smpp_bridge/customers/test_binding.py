"""Binds: the three kinds, versions, and every reason to refuse one."""

import asyncio
from typing import Any

import msgspec
import pytest

from chalicelib.domain.account import Account
from smpp_bridge.protocol.events import BindRefused, Bound
from smpp_bridge.protocol.operations import State
from smpp_bridge.protocol.pdu import (
    Bind,
    BindReceiver,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    DeliverSm,
    SubmitSm,
    SubmitSmResp,
)
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.tlvs import receipt_tlvs
from tests.smpp_bridge.customers.world import PASSWORD, QUICK, Memory, Raw, login, run, serving, until


@pytest.mark.parametrize(
    ("kind", "state", "named"),
    [
        (BindTransmitter, State.BOUND_TX, "transmitter"),
        (BindReceiver, State.BOUND_RX, "receiver"),
        (BindTransceiver, State.BOUND_TRX, "transceiver"),
    ],
)
def test_each_kind_of_bind_makes_its_session(kind: type[Bind], state: State, named: str) -> None:
    async def main() -> None:
        async with serving() as world:
            esme = await world.bind(kind)
            (bound,) = esme.of(Bound)
            assert bound.state is state
            assert (bound.pdu.system_id, bound.pdu.sc_interface_version) == ("Chasqui", 0x34)  # type: ignore[attr-defined]
            (session,) = world.application.bound
            assert (session.state, session.account, session.login.system_id) == (state, "acc_1", "demo")
            assert session.can_receive is (state is not State.BOUND_TX)
            (held,) = world.platform.places["demo"].values()
            assert (held.bind, held.address, held.bridge, held.account) == (named, "127.0.0.1", "bridge_1", "acc_1")
            assert held.id == session.id
            assert world.server.sessions == {named: 1}

    run(main())


@pytest.mark.parametrize("version", [0x00, 0x33])
def test_a_session_of_an_older_version_is_told_no_parameters(version: int) -> None:
    async def main() -> None:
        async with serving() as world:
            raw = await Raw.connected(world.port)
            assert await raw.bind(interface_version=version) == BindTransceiverResp(sequence=1, system_id="Chasqui")
            (session,) = world.application.bound
            assert not session.takes_tlvs
            delivering = session.deliver(DeliverSm(short_message=b"id:1", tlvs=receipt_tlvs("1", 2)))
            receipt = await raw.next()
            assert isinstance(receipt, DeliverSm)
            assert receipt.tlvs == ()
            del delivering

    run(main())


@pytest.mark.parametrize("version", [0x34, 0x50])
def test_newer_ones_are_told_them(version: int) -> None:
    async def main() -> None:
        async with serving() as world:
            raw = await Raw.connected(world.port)
            answer = await raw.bind(interface_version=version)
            assert answer.tlvs == ((0x0210, b"\x34"),)

    run(main())


def with_account(**changes: Any) -> Memory:
    platform = Memory()
    account = Account(id="acc_1", name="one", created_ms=0)
    platform.accounts["acc_1"] = msgspec.structs.replace(account, **changes)
    return platform


@pytest.mark.parametrize(
    ("case", "platform", "fields", "status"),
    [
        ("wrong password", Memory(), {"password": "guess"}, Status.INVALID_PASSWORD),
        ("unknown login", Memory(), {"system_id": "nobody"}, Status.INVALID_PASSWORD),
        ("no system id at all", Memory(), {"system_id": ""}, Status.INVALID_PASSWORD),
        ("what no system id can be", Memory(), {"system_id": "a/b c\n"}, Status.INVALID_PASSWORD),
        ("suspended login", Memory(login(state="suspended")), {}, Status.BIND_FAILED),
        ("closed login", Memory(login(state="closed")), {}, Status.BIND_FAILED),
        ("login that opens later", Memory(login(opens_ms=2**52)), {}, Status.BIND_FAILED),
        ("closed account", with_account(state="closed"), {}, Status.BIND_FAILED),
        ("from elsewhere", Memory(login(ip_rules=("203.0.113.0/24",))), {}, Status.BIND_FAILED),
    ],
)
def test_a_bind_is_refused_for_its_reason(case: str, platform: Memory, fields: dict[str, Any], status: int) -> None:
    async def main() -> None:
        async with serving(platform=platform) as world:
            esme = await world.bind(**fields)
            assert esme.of(BindRefused) == [BindRefused(status)]
            await until(lambda: esme.closed)
            assert world.application.bound == []
            assert not any(platform.places.values())
            assert world.counts.binds == {status: 1}

    run(main())


@pytest.mark.parametrize("changes", [{"state": "suspended"}, {}])
def test_a_suspended_account_binds_for_its_receipts_and_rules_let_in_whom_they_name(changes: dict[str, str]) -> None:
    async def main() -> None:
        platform = with_account(**changes)
        platform.change(ip_rules=("10.0.0.0/8", "127.0.0.0/8"))
        async with serving(platform=platform) as world:
            assert (await world.bind()).of(Bound)

    run(main())


def test_a_login_has_so_many_sessions_and_no_more_over_all_bridges_until_one_ends() -> None:
    async def main() -> None:
        platform = Memory(login(max_sessions=2))
        async with serving(platform=platform) as one, serving(platform=platform) as other:
            first = await one.bind()
            await other.bind(BindReceiver)
            third = await one.bind()
            assert third.of(BindRefused) == [BindRefused(Status.ALREADY_BOUND)]
            first.close()
            await until(lambda: len(platform.places["demo"]) == 1)
            assert (await other.bind()).of(Bound)

    run(main())


def test_a_password_changed_a_moment_ago_binds_though_the_login_is_still_remembered() -> None:
    async def main() -> None:
        platform = Memory()
        platform.stale["demo"] = login(password_hash="hash of old")
        async with serving(platform=platform) as world:
            assert (await world.bind()).of(Bound)
            assert (await world.bind(password="wrong")).of(BindRefused)

    run(main())


def test_while_aws_is_unwell_a_bind_is_told_to_come_again() -> None:
    async def main() -> None:
        async with serving() as world:
            world.platform.unwell = True
            esme = await world.bind()
            assert esme.of(BindRefused) == [BindRefused(Status.SYSTEM_ERROR)]
            assert world.server.shared.gate.bans.delay("127.0.0.1", 1.0, world.hands.now) == 1.0  # nobody guessed
            world.platform.unwell = False

    run(main())


def test_what_comes_right_behind_a_bind_waits_for_its_answer() -> None:
    async def main() -> None:
        async with serving() as world:
            raw = await Raw.connected(world.port)
            raw.say(
                BindTransceiver(sequence=1, system_id="demo", password="letmein"),
                SubmitSm(sequence=2, destination_addr="34600000001", short_message=b"hola"),
            )
            assert isinstance(await raw.next(), BindTransceiverResp)
            assert await raw.next() == SubmitSmResp(sequence=2, message_id="msg_2")

    run(main())


def test_a_customer_that_is_gone_before_its_bind_is_judged_holds_no_place() -> None:
    async def main() -> None:
        async with serving() as world:
            raw = await Raw.connected(world.port)
            raw.say(BindTransceiver(sequence=1, system_id="demo", password="letmein"))
            raw.writer.transport.abort()
            await until(lambda: world.counts.binds and world.door.connections == 0)
            await asyncio.sleep(0.01)
            assert world.application.bound == world.application.gone
            assert not world.platform.places["demo"]

    run(main())


def test_an_ipv6_customer_is_served_too() -> None:
    async def main() -> None:
        async with serving(terms=msgspec.structs.replace(QUICK, hosts="127.0.0.1,::1")) as world:
            try:
                raw = await Raw.connected(world.port, "::1")
            except OSError:
                pytest.skip("this machine has no IPv6")
            assert isinstance(await raw.bind(), BindTransceiverResp)
            (session,) = world.application.bound
            assert session.peer == "::1"

    run(main())


def test_the_bind_log_has_who_was_bound_who_was_not_and_how_each_went() -> None:
    async def main() -> None:
        async with serving() as world:
            await world.bind()
            raw = await Raw.connected(world.port)
            await raw.bind(BindReceiver, password="guessed")
            lost = await Raw.connected(world.port)
            await lost.bind(BindTransmitter)
            lost.writer.close()
            await until(lambda: len(world.noted) == 4)
            world.server.tick()
        lines = [(event.kind, event.mode, event.name, event.account, event.status) for event in world.noted]
        assert lines[:4] == [
            ("bound", "transceiver", "demo", "acc_1", None),
            ("refused", "receiver", "demo", "", 0x0E),
            ("bound", "transmitter", "demo", "acc_1", None),
            ("lost", "transmitter", "demo", "acc_1", None),
        ]
        assert world.noted[0].session == world.noted[-1].session != ""
        assert all(PASSWORD not in str(event) and "guessed" not in str(event) for event in world.noted)

    run(main())
