"""A POST goes to a public address, or nowhere; is bounded whatever the other side does; and follows nobody."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from chalicelib.outward import post as module
from chalicelib.outward.calls import Call, Pace, make
from chalicelib.outward.post import EXCERPT_BYTES, Limits, post
from infra.local.echo import listening

LOCAL = Limits(connect=0.3, read=0.3, total=0.4, local=True)


@contextmanager
def server(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """One that does with each connection as told; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_with, args=(behave, connection), daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def _with(behave: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with connection, suppress(OSError):
        behave(connection)


def said(*octets: bytes, pause: float = 0) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        connection.recv(65_536)
        for some in octets:
            connection.sendall(some)
            time.sleep(pause)

    return behave


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        families = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses]
        ends = [(address, port, 0, 0) if ":" in address else (address, port) for address in addresses]
        return [(family, socket.SOCK_STREAM, 6, "", end) for family, end in zip(families, ends, strict=True)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def test_a_body_arrives_as_it_was_given_with_its_headers_and_the_hosts_name() -> None:
    with listening() as (echo, port):
        answer = post(f"http://localhost:{port}/hook?a=b", '{"a":"ñ"}', {"webhook-id": "1"}, LOCAL)
    (came,) = echo.received()
    assert (answer.status, answer.excerpt, answer.taken) == (200, "thank you", True)
    assert (came["path"], came["body"], came["id"]) == ("/hook?a=b", {"a": "ñ"}, "1")
    assert came["headers"]["host"] == f"localhost:{port}"
    assert came["headers"]["content-type"] == "application/json"


@pytest.mark.parametrize(
    "addresses",
    [
        ("10.0.0.1",),
        ("169.254.169.254",),
        ("::1",),
        ("::ffff:127.0.0.1",),
        ("fd00:ec2::254",),
        ("100.64.1.1", "fe80::1"),
    ],
)
def test_a_name_that_leads_inside_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    resolving(monkeypatch, *addresses)
    monkeypatch.setattr(socket, "socket", None)  # whoever makes one fails
    answer = post("https://customer.example/", "{}", {}, Limits())
    assert answer.status is None
    assert answer.reason.startswith("refused address")


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "localhost"])
def test_no_way_to_write_loopback_leads_there(host: str) -> None:
    answer = post(f"https://{host}:9/", "{}", {}, Limits())
    assert answer.status is None
    assert "refused address" in answer.reason or "nowhere" in answer.reason


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is looked up once: a second answer, of a resolver that changes its mind, is never asked for."""
    looks = []
    with listening() as (echo, port):
        real = socket.getaddrinfo

        def look_up(host: str, *arguments: Any, **named: Any) -> Any:
            looks.append(host)
            return real("127.0.0.1" if len(looks) == 1 else "10.0.0.1", *arguments, **named)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        assert post(f"http://customer.example:{port}/", "{}", {}, LOCAL).taken
    assert looks == ["customer.example"]
    assert echo.received()[0]["headers"]["host"] == f"customer.example:{port}"


def test_a_socket_that_turns_out_to_lead_inside_is_not_spoken_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as (echo, port):
        resolving(monkeypatch, "1.1.1.1")
        monkeypatch.setattr(socket.socket, "connect", lambda self, address: _connect(self, port))
        answer = post(f"https://customer.example:{port}/", "{}", {}, Limits())
    assert answer.reason == "refused address: loopback"
    assert echo.received() == []


def _connect(sock: socket.socket, port: int) -> None:
    import _socket

    _socket.socket.connect(sock, ("127.0.0.1", port))


def test_http_is_for_the_local_run_alone() -> None:
    assert post("http://1.1.1.1/", "{}", {}, Limits()).reason == "https is wanted"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with listening() as (echo, port):
        answer = post(f"http://127.0.0.1:{port}/?status={status}&location=/there", "{}", {}, LOCAL)
        assert (answer.status, answer.taken) == (status, False)
        assert len(echo.received()) == 1


HEAD = b"HTTP/1.1 200 OK\r\n"
RUDE: list[tuple[str, Callable[[socket.socket], None], bool]] = [
    ("says nothing", lambda connection: time.sleep(0.45), True),
    ("drips its head for ever", said(*[b"H", b"T", b"T", b"P", b"/", b"1"] * 20, pause=0.08), True),
    ("endless interim answers", said(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 30, pause=0.03), True),
    ("closes at once", lambda connection: None, False),
    ("is no HTTP", said(b"220 smtp.example ESMTP\r\n"), False),
    ("an endless header", said(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000), False),
    ("a thousand headers", said(HEAD + b"X: y\r\n" * 1_000 + b"\r\n"), False),
]


@pytest.mark.parametrize(("behave", "timed_out"), [row[1:] for row in RUDE], ids=[row[0] for row in RUDE])
def test_a_rude_server_costs_no_more_than_its_time(behave: Callable[[socket.socket], None], timed_out: bool) -> None:
    began = time.monotonic()
    with server(behave) as port:
        answer = post(f"http://127.0.0.1:{port}/", "{}", {}, LOCAL)
    assert answer.status is None
    assert answer.timed_out is timed_out
    assert time.monotonic() - began < 0.8


@pytest.mark.parametrize(
    ("behave", "excerpt"),
    [
        (said(HEAD + b"Content-Length: 999999999\r\n\r\n" + b"x" * 100_000), "x" * EXCERPT_BYTES),
        (said(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), ""),
        (said(HEAD + b"Content-Length: 5\r\n\r\n\x00\xff\x1b[2"), "\ufffd\ufffd\ufffd[2"),
        (said(HEAD + b"\r\n", b"", pause=0.2), ""),
    ],
    ids=["an endless body", "broken chunks", "control characters", "a body that never comes"],
)
def test_what_follows_a_good_status_changes_nothing(behave: Callable[[socket.socket], None], excerpt: str) -> None:
    with server(behave) as port:
        answer = post(f"http://127.0.0.1:{port}/", "{}", {}, LOCAL)
    assert answer.taken
    assert answer.excerpt == excerpt


def test_a_certificate_that_nobody_vouches_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(said(b"no TLS at all")) as port:
        answer = post(f"https://127.0.0.1:{port}/", "{}", {}, LOCAL)
    assert answer.reason.startswith("TLS: ")
    assert module._tls().verify_mode is ssl.CERT_REQUIRED
    assert module._tls().check_hostname


def test_a_slow_server_delays_no_other_and_its_first_timeout_ends_its_round() -> None:
    limits = Limits(connect=0.2, read=0.2, total=0.2, local=True)
    with listening() as (echo, port), server(lambda connection: time.sleep(0.3)) as slow:
        calls = [
            Call(server=name, url=f"http://127.0.0.1:{to}/", body=str(number), headers={})
            for number in range(8)
            for name, to in (("slow", slow), ("quick", port))
        ]
        began = time.monotonic()
        answers = make(calls, Pace(limits=limits, begin_seconds=2, end_seconds=3))
        took = time.monotonic() - began
    assert len(echo.received()) == 8
    assert all(answer is not None and answer.taken for answer in answers[1::2])
    assert sum(answer is None for answer in answers[::2]) == 4  # four at once, and then no more
    assert took < 0.6


def test_what_there_is_no_time_for_is_not_begun() -> None:
    with listening() as (echo, port):
        calls = [Call(server="one", url=f"http://127.0.0.1:{port}/", body="", headers={})] * 3
        answers = make(calls, Pace(limits=LOCAL, begin_seconds=-1, end_seconds=1))
    assert answers == [None] * 3
    assert echo.received() == []
