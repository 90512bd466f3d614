"""The parts that keep peers in bounds, each by itself: bans, the door, origins, notices, passwords, certificates."""

import asyncio
import logging
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from infra.local import certificate
from smpp_bridge.customers.bans import Bans
from smpp_bridge.customers.door import Door, Turned
from smpp_bridge.customers.notices import Notices
from smpp_bridge.customers.origins import address_of, network_of
from smpp_bridge.customers.passwords import MAX_WAITING, Busy, Passwords
from smpp_bridge.customers.server import CustomerServer
from smpp_bridge.customers.terms import CustomerTerms
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.protocol.status import Status
from smpp_bridge.settings import customer_terms
from tests.smpp_bridge.customers.world import QUICK, Application, Hands, Memory, Raw, run, submits, until, verify


def test_failures_ban_only_where_they_come_close_together() -> None:
    bans = Bans(3, 300.0)
    assert [bans.failed("a", now) for now in (0.0, 31.0, 62.0)] == [False, False, False]
    assert not bans.is_banned("a", 62.0)
    assert bans.failed("a", 70.0)
    assert bans.is_banned("a", 369.0)
    assert not bans.is_banned("b", 70.0)
    assert not bans.is_banned("a", 370.0)
    assert (bans.total, bans.count(370.0)) == (1, 0)


def test_delays_double_with_each_failure_up_to_eight_seconds() -> None:
    bans = Bans(100, 300.0)
    delays = []
    for _ in range(6):
        bans.failed("a", 0.0)
        delays.append(bans.delay("a", 1.0, 0.0))
    assert delays == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    assert bans.delay("b", 1.0, 0.0) == 1.0
    assert bans.delay("a", 1.0, 61.0) == 1.0


def test_bans_remember_no_more_networks_than_they_may() -> None:
    bans = Bans(2, 300.0)
    for number in range(25_000):
        bans.failed(f"n{number}", 0.0)
    assert len(bans._failed) == 10_000
    for number in range(12_000):
        bans.failed(f"m{number}", 0.0)
        bans.failed(f"m{number}", 0.0)
    assert bans.count(0.0) == 10_000


@pytest.mark.parametrize(
    ("peername", "address", "network"),
    [
        (("203.0.113.7", 5000), "203.0.113.7", "203.0.113.7"),
        (("::ffff:203.0.113.7", 5000, 0, 0), "203.0.113.7", "203.0.113.7"),
        (("2001:db8:1:2:3:4:5:6", 5000, 0, 0), "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 5000, 0, 2), "fe80::1", "fe80::/64"),
        (None, "", ""),
        (("a socket's path",), "a socket's path", "a socket's path"),
    ],
)
def test_a_peer_goes_by_its_address_and_answers_for_its_network(peername: Any, address: str, network: str) -> None:
    assert address_of(peername) == address
    assert network_of(address) == network


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["enter", "bind", "leave"])), max_size=60))
def test_the_door_never_lets_in_more_than_it_may_and_forgets_who_has_left(steps: list[tuple[str, str]]) -> None:
    terms = CustomerTerms(max_connections=5, max_per_address=3, max_unbound_per_address=2)
    door = Door(terms, Bans(3, 1.0))
    inside: list[list[Any]] = []  # network, whether it is bound
    for network, step in steps:
        of_network = [each for each in inside if each[0] == network]
        unbound = [each for each in of_network if not each[1]]
        if step == "enter":
            turned = door.enter(network, 0.0)
            fits = len(inside) < 5 and len(of_network) < 3 and len(unbound) < 2
            assert (turned is None) is fits
            if turned is None:
                inside.append([network, False])
        elif step == "bind" and unbound:
            unbound[0][1] = True
            door.bound(network)
        elif step == "leave" and of_network:
            inside.remove(of_network[0])
            door.leave(network, was_bound=of_network[0][1])
        assert door.connections == len(inside)
    for network, was_bound in inside:
        door.leave(network, was_bound=was_bound)
    assert not door._inside
    assert not door._unbound


def test_a_banned_network_is_turned_away_before_anything_is_counted() -> None:
    bans = Bans(1, 10.0)
    bans.failed("a", 0.0)
    door = Door(CustomerTerms(), bans)
    assert door.enter("a", 0.0) is Turned.BANNED
    assert door.connections == 0
    assert door.enter("a", 10.0) is None


def test_what_happens_over_and_over_is_logged_once_a_minute_with_how_often(caplog: pytest.LogCaptureFixture) -> None:
    notices = Notices()
    for now in range(50):
        notices.tell("bind refused", "a", float(now), address="a")
    notices.tell("bind refused", "b", 50.0, address="b")
    notices.sum_up(59.0)
    assert [vars(each)["network"] for each in caplog.records] == ["a", "b"]
    notices.sum_up(60.0)
    assert vars(caplog.records[-1])["more_times"] == 49
    notices.tell("bind refused", "a", 61.0, address="a")
    assert len(caplog.records) == 4


def test_a_flood_from_everywhere_fills_no_memory_with_notices(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    notices = Notices()
    for number in range(5_000):
        notices.tell("connection refused", f"n{number}", 0.0)
    assert len(notices._told) <= 1_001


def test_a_right_password_is_hashed_once_in_its_time_and_a_wrong_one_each_time() -> None:
    hashed: list[tuple[str, str | None]] = []

    def count(password: str, password_hash: str | None) -> bool:
        hashed.append((password, password_hash))
        return verify(password, password_hash)

    async def main() -> None:
        hands = Hands()
        passwords = Passwords(count, clock=hands.clock, remember_seconds=60.0)
        for _ in range(3):
            assert await passwords.is_right("demo", "a", "hash of a")
        assert len(hashed) == 1
        assert not await passwords.is_right("demo", "b", "hash of a")
        assert not await passwords.is_right("demo", "a", "hash of new")  # changed: what was right is so no more
        assert not await passwords.is_right("nobody", "a", None)
        assert len(hashed) == 4
        assert await passwords.is_right("demo", "a", "hash of a")
        assert len(hashed) == 4
        hands.now += 61.0
        assert await passwords.is_right("demo", "a", "hash of a")
        assert len(hashed) == 5
        passwords.close()

    run(main())


def test_no_more_passwords_wait_than_may_and_the_remembered_need_not_wait() -> None:
    release = threading.Event()

    def slow(password: str, password_hash: str | None) -> bool:
        if password_hash != "hash of known":
            release.wait(5)
        return verify(password, password_hash)

    async def main() -> None:
        passwords = Passwords(slow, clock=Clock(), remember_seconds=60.0)
        assert await passwords.is_right("customer", "known", "hash of known")
        waiting = [asyncio.ensure_future(passwords.is_right("x", "guess", "hash of y")) for _ in range(MAX_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await passwords.is_right("x", "guess", "hash of y")
        assert await passwords.is_right("customer", "known", "hash of known")
        release.set()
        assert not any(await asyncio.gather(*waiting))
        passwords.close()

    run(main())


def test_terms_come_from_the_environment() -> None:
    assert customer_terms({}) == CustomerTerms()
    assert not customer_terms({}).listens
    given = customer_terms({"CHASQUI_SMPP_PORT": "2776", "CHASQUI_SMPP_ENQUIRE_LINK_SECONDS": "0"})
    assert (given.listens, given.port, given.timers().enquire_link_seconds) == (True, 2776, None)
    with pytest.raises(ValueError, match="port"):
        customer_terms({"CHASQUI_SMPP_PORT": "smpp"})


# --- TLS


def make_certificate(folder: Path) -> None:
    certificate.make(folder / "certificate.pem", folder / "key.pem")


def tls_terms(folder: Path) -> CustomerTerms:
    return replace(QUICK, certificate=str(folder / "certificate.pem"), key=str(folder / "key.pem"))


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_customers_bind_over_tls_and_a_renewed_certificate_is_shown_to_the_next(tmp_path: Path) -> None:
    async def main() -> None:
        make_certificate(tmp_path)
        application = Application()
        server = CustomerServer(Memory(), application, terms=tls_terms(tmp_path), verify=verify)
        await server.start(tls_port=0)
        raw = await Raw.connected(server.listeners.tls_port, ssl=trusting())
        assert (await raw.bind()).status == Status.OK
        raw.say(submits(300))
        assert all([await raw.next() for _ in range(300)])
        first = raw.writer.get_extra_info("ssl_object").getpeercert(True)

        make_certificate(tmp_path)
        server.listeners.renew_certificate()
        again = await Raw.connected(server.listeners.tls_port, ssl=trusting())
        assert again.writer.get_extra_info("ssl_object").getpeercert(True) != first
        raw.say(submits(1, first=400))
        assert await raw.next() is not None
        raw.close()
        again.close()
        await until(lambda: server.shared.door.connections == 0)
        await server.stop()

    run(main())


def test_who_speaks_no_tls_or_never_ends_its_handshake_is_shown_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        make_certificate(tmp_path)
        terms = replace(tls_terms(tmp_path), session_init_seconds=0.1, max_unbound_per_address=2)
        server = CustomerServer(Memory(), Application(), terms=terms, verify=verify)
        await server.start(tls_port=0)
        plain = await Raw.connected(server.listeners.tls_port)
        plain.say(b"\0\0\0\x10 this is no handshake")
        silent = await Raw.connected(server.listeners.tls_port)
        third = await Raw.connected(server.listeners.tls_port)
        assert await third.next() is None  # handshakes count as connections that are not bound
        for raw in (plain, silent):
            while await raw.reader.read(1_000):
                pass
        await until(lambda: server.shared.door.connections == 0)
        await server.stop()

    run(main())


def test_a_certificate_that_cannot_be_read_stops_the_start_but_not_the_service(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        server = CustomerServer(Memory(), Application(), terms=tls_terms(tmp_path), verify=verify)
        with pytest.raises(OSError, match="certificate"):
            await server.start(tls_port=0)
        make_certificate(tmp_path)
        await server.start(tls_port=0)
        (tmp_path / "certificate.pem").unlink()
        for _ in range(120):
            server.tick()
        raw = await Raw.connected(server.listeners.tls_port, ssl=trusting())
        assert (await raw.bind()).status == Status.OK
        raw.close()
        await until(lambda: server.shared.door.connections == 0)
        await server.stop()

    run(main())
    assert "cannot read the certificate" in caplog.messages
