"""Sessions come back after whatever SMSCs and networks do to them, and nothing is lost or doubled meanwhile."""

import asyncio
import logging
from pathlib import Path

import pytest

from chalicelib.wire import EndOutcome, SubmitOutcome
from infra.local.certificate import make as make_certificate
from infra.local.smsc import Config, Control, Smsc
from smpp_bridge.gateways import link as link_module
from smpp_bridge.protocol.pdu import DeliverSm, GenericNack, SubmitSm, SubmitSmResp
from tests.smpp_bridge.gateways.hostile import GARBAGE, HALF, Peer, hostile
from tests.smpp_bridge.gateways.world import Memory, bridge, bundle, dispatch, gateway, run, sending, until

QUIET = Config(receipts=False)


async def well(peer: Peer) -> None:
    """Bind, and take every submit."""
    await peer.bound()
    while True:
        pdu = await peer.next()
        if isinstance(pdu, SubmitSm):
            peer.say(SubmitSmResp(sequence=pdu.sequence, message_id=f"id{pdu.sequence}"))


def test_it_reconnects_after_a_disconnect_and_goes_on() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc, sending(smsc, bundle(dispatch())) as (platform, _):
            await until(lambda: len(platform.deleted) == 1)
            smsc.control(Control(disconnect=True))
            platform.put(bundle(dispatch()))
            await until(lambda: len(platform.deleted) == 2)
            assert smsc.stats.binds == 2
            assert (smsc.stats.accepted, len(platform.of(SubmitOutcome))) == (2, 2)

    run(main())


def test_it_connects_once_the_smsc_is_there() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            port = smsc.port
        platform = Memory(gateway(port))
        platform.put(bundle(dispatch()))
        async with bridge(platform):
            await asyncio.sleep(0.2)
            assert platform.waiting["gateway-gw"]  # nobody takes what nobody could submit
            async with Smsc(Config(port=port, receipts=False)):
                await until(lambda: platform.deleted)

    run(main())


def test_a_transmitter_and_a_receiver_make_a_session() -> None:
    async def main() -> None:
        async with Smsc(Config(receipt_delay_seconds=0.05)) as smsc:
            given = {"bind_mode": "transmitter_receiver", "sessions": 2}
            async with sending(smsc, bundle(dispatch()), **given) as (platform, supervisor):
                await until(lambda: len(platform.outcomes) == 2)
                await until(lambda: smsc.stats.receipts_acked == 1)
                state = supervisor.state()["gateways"]["gw"]["sessions"]
                assert [slot["bound"] for slot in state] == [True, True]
                assert state[0]["links"] == {"gw/0/tx": "bound_tx", "gw/0/rx": "bound_rx"}
            assert smsc.stats.binds == 4

    run(main())


def test_refused_credentials_are_an_alarm_and_are_not_hammered(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with Smsc(Config(password="another")) as smsc, sending(smsc, bundle(dispatch())) as (platform, _):
            await until(lambda: smsc.stats.binds_refused >= 2)
            await asyncio.sleep(0.5)
            assert smsc.stats.binds_refused <= 6
            assert platform.waiting["gateway-gw"]

    with caplog.at_level(logging.WARNING):
        run(main())
    alarms = [record for record in caplog.records if record.levelno == logging.CRITICAL]
    assert alarms
    assert all("bind refused" in record.getMessage() for record in alarms)
    assert "secret" not in caplog.text


def test_a_password_that_cannot_be_read_is_asked_for_again() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            platform = Memory(gateway(smsc.port))
            platform.unwell = {"password_of"}
            platform.put(bundle(dispatch()))
            async with bridge(platform):
                await asyncio.sleep(0.2)
                platform.unwell.clear()
                await until(lambda: platform.deleted)

    run(main())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "certificate.pem", folder / "key.pem"
    make_certificate(*files)
    return files


def test_tls_without_verification_takes_a_self_signed_certificate(certificate: tuple[Path, Path]) -> None:
    async def main() -> None:
        given = {"tls": True, "tls_verify": False}
        async with Smsc(_with(certificate)) as smsc, sending(smsc, bundle(dispatch()), **given) as (platform, _):
            await until(lambda: platform.deleted)

    run(main())


def test_tls_with_verification_refuses_a_self_signed_certificate(certificate: tuple[Path, Path]) -> None:
    async def main() -> None:
        async with Smsc(_with(certificate)) as smsc, sending(smsc, bundle(dispatch()), tls=True) as (platform, bridge):
            await asyncio.sleep(0.5)
            assert smsc.stats.binds == 0
            assert platform.waiting["gateway-gw"]
            assert bridge.workers["gw"].counts.connections == 0

    run(main())


def _with(certificate: tuple[Path, Path]) -> Config:
    return Config(receipts=False, certificate=str(certificate[0]), key=str(certificate[1]))


@pytest.mark.parametrize("octets", [GARBAGE, GARBAGE[:3], HALF], ids=["garbage", "three octets", "half a PDU"])
def test_what_makes_no_sense_costs_the_session_and_no_message(octets: bytes) -> None:
    async def nonsense(peer: Peer) -> None:
        await peer.bound()
        await peer.next()
        peer.spit(octets)
        await asyncio.sleep(0.1)
        peer.leave()

    async def main() -> None:
        async with hostile(nonsense, well) as smsc:
            platform = Memory(gateway(smsc.port))
            platform.put(bundle(dispatch(priority="high")))
            async with bridge(platform):
                await until(lambda: platform.deleted)
            assert len(platform.of(SubmitOutcome)) == 1

    run(main())


def test_a_bind_that_is_never_answered_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "BIND_SECONDS", 0.2)

    async def mute(peer: Peer) -> None:
        while True:
            await peer.next()

    async def main() -> None:
        async with hostile(mute, well) as smsc:
            platform = Memory(gateway(smsc.port))
            platform.put(bundle(dispatch()))
            async with bridge(platform):
                await until(lambda: platform.deleted)
            assert smsc.connections == 2

    run(main())


def test_answers_to_nothing_change_nothing() -> None:
    async def confused(peer: Peer) -> None:
        await peer.bound()
        while True:
            pdu = await peer.next()
            if isinstance(pdu, SubmitSm):
                peer.say(SubmitSmResp(sequence=pdu.sequence + 1000, message_id="stray"))
                peer.say(GenericNack(sequence=0, status=3))
                peer.say(SubmitSmResp(sequence=pdu.sequence, message_id="right"))
                peer.say(SubmitSmResp(sequence=pdu.sequence, message_id="doubled"))

    async def main() -> None:
        async with hostile(confused) as smsc:
            platform = Memory(gateway(smsc.port))
            platform.put(bundle(dispatch()))
            async with bridge(platform) as supervisor:
                await until(lambda: platform.deleted)
                await until(lambda: supervisor.workers["gw"].counts.stray_responses == 3)
            assert [outcome.smsc_message_id for outcome in platform.of(SubmitOutcome)] == ["right"]

    run(main())


def test_an_answer_that_comes_too_late_is_understood() -> None:
    async def slow(peer: Peer) -> None:
        await peer.bound()
        pdu = await peer.next()
        await asyncio.sleep(1.5)
        peer.say(SubmitSmResp(sequence=pdu.sequence, message_id="late"))
        await peer.next()

    async def main() -> None:
        async with hostile(slow) as smsc:
            platform = Memory(gateway(smsc.port, response_timeout_seconds=0.4))
            platform.put(bundle(dispatch(priority="bulk")))
            async with bridge(platform):
                await until(lambda: platform.of(SubmitOutcome))
            assert [end.status for end in platform.of(EndOutcome)] == ["unknown"]
            assert [outcome.smsc_message_id for outcome in platform.of(SubmitOutcome)] == ["late"]

    run(main())


def test_a_dead_peer_is_found_out_by_asking() -> None:
    async def main() -> None:
        async with Smsc(QUIET) as smsc:
            given = {"enquire_link_seconds": 0.1, "response_timeout_seconds": 0.3}
            async with sending(smsc, **given) as (_, supervisor):
                await until(lambda: smsc.stats.binds == 1)
                smsc.control(Control(silent=True))
                await until(lambda: supervisor.workers["gw"].counts.connections == 2)

    run(main())


@pytest.mark.parametrize(("priority", "status"), [("bulk", "unknown"), ("high", None)])
def test_a_connection_lost_in_flight_holds_or_resends(priority: str, status: str | None) -> None:
    async def dropping(peer: Peer) -> None:
        await peer.bound()
        await peer.next()
        peer.leave()

    async def main() -> None:
        async with hostile(dropping, well) as smsc:
            platform = Memory(gateway(smsc.port))
            platform.put(bundle(dispatch(priority=priority)))
            async with bridge(platform):
                await until(lambda: platform.deleted)
            assert [end.status for end in platform.of(EndOutcome)] == ([status] if status else [])
            assert len(platform.of(SubmitOutcome)) == (0 if status else 1)

    run(main())


def test_a_message_from_a_handset_is_taken_and_a_receipt_that_says_nothing_refused() -> None:
    answers = []

    async def chatty(peer: Peer) -> None:
        await peer.bound()
        peer.say(DeliverSm(sequence=7, source_addr="34600000000", short_message=b"STOP"))
        peer.say(DeliverSm(sequence=8, esm_class=4, short_message=b"a receipt that says nothing"))
        for _ in range(2):
            pdu = await peer.next()
            answers.append((pdu.sequence, pdu.status))
        await peer.next()

    async def main() -> None:
        async with hostile(chatty) as smsc, bridge(Memory(gateway(smsc.port))) as supervisor:
            await until(lambda: len(answers) == 2)
            counts = supervisor.workers["gw"].counts
            assert (counts.inbound, counts.unreadable_receipts) == (1, 1)
        assert sorted(answers) == [(7, 0), (8, 0x66)]

    run(main())
