"""One HTTP POST to a URL that a customer chose: to a public address only, bounded in time and size, never redirected.

The standard library's client: the host's name is resolved here, each address is looked at, and the connection is made
to that very address, with the name in TLS and in the Host header. So no second look-up could tell otherwise.
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from chalicelib.domain.public_address import refusal
from chalicelib.domain.webhook import Answer

EXCERPT_BYTES: Final = 500  # of the answer's body; nothing more of it is read
EXCERPT_SECONDS: Final = 0.5  # once the status is there, nobody waits long for it
MAX_ADDRESSES: Final = 4  # of a name that are tried, in the resolver's order
_USER_AGENT: Final = "Chasqui-Webhooks/1"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: to connect (TLS included), to wait for any octet, and for all of it. `local`: loopback and http too."""

    connect: float = 3.0
    read: float = 5.0
    total: float = 5.0
    local: bool = False


class Refused(Exception):
    """The name leads to no address that may be called."""


class _Late(TimeoutError):
    """The time for all of it is over."""


def post(url: str, body: str, headers: Mapping[str, str], limits: Limits) -> Answer:
    """POST the JSON body; what came of it. Raises nothing that the other side could bring about."""
    began = time.monotonic()
    timed_out = False
    try:
        told = _exchange(url, body.encode(), headers, limits, began + limits.total)
    except Refused as refused:
        told = Answer(reason=str(refused))
    except TimeoutError:
        told, timed_out = Answer(reason="timeout"), True
    except ssl.SSLCertVerificationError as error:
        told = Answer(reason=f"TLS: {error.verify_message}")
    except ssl.SSLError as error:
        told = Answer(reason=f"TLS: {error.reason or 'failed'}")
    except (OSError, UnicodeError) as error:
        told = Answer(reason=f"connection: {getattr(error, 'strerror', None) or type(error).__name__}")
    except (http.client.HTTPException, ValueError) as error:
        told = Answer(reason=f"not HTTP: {type(error).__name__}")
    took_ms = round((time.monotonic() - began) * 1000)
    return msgspec.structs.replace(told, milliseconds=took_ms, timed_out=timed_out)


def _exchange(url: str, body: bytes, headers: Mapping[str, str], limits: Limits, deadline: float) -> Answer:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    if not secure and not limits.local:
        raise Refused("https is wanted")
    if not parts.hostname:
        raise Refused("no host")
    port = parts.port or (443 if secure else 80)
    connection = _Pinned(parts.hostname, port, secure, limits, deadline)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        sent = {
            "Content-Type": "application/json",
            "User-Agent": _USER_AGENT,
            "Connection": "close",
            **headers,
        }
        connection.request("POST", path, body, sent)
        response = connection.getresponse()
        return Answer(
            status=response.status,
            excerpt=_excerpt(response) if connection.hurry(EXCERPT_SECONDS) else "",
            retry_after=(response.getheader("Retry-After") or "")[:100],
        )
    finally:
        connection.end()


def _excerpt(response: http.client.HTTPResponse) -> str:
    """What has come of the body. Its status has come: what is wrong with the rest changes nothing."""
    try:
        octets = response.read1(EXCERPT_BYTES)
    except (OSError, http.client.HTTPException, ValueError):
        octets = b""
    text = octets.decode("utf-8", errors="replace")
    return "".join(character if character.isprintable() or character == "\n" else "\ufffd" for character in text)


class _Pinned(http.client.HTTPConnection):
    """Connects to an address that was looked at, and reads against one deadline, however slowly octets drip."""

    def __init__(self, host: str, port: int, secure: bool, limits: Limits, deadline: float) -> None:
        super().__init__(host, port)
        if secure:
            self.default_port = http.client.HTTPS_PORT
        self._secure = secure
        self._limits = limits
        self._deadline = deadline
        self._reader: _Reader | None = None
        self.response_class = self._response  # type: ignore[assignment] # a factory does

    def close(self) -> None:
        """http.client calls it when the answer's head has come; its body is still to be read. See `end`."""

    def end(self) -> None:
        """Close the connection."""
        super().close()

    def hurry(self, seconds: float) -> bool:
        """Read for so long at most from now on; whether there is anything to read from."""
        if self._reader is not None:
            self._reader.hurry(seconds)
        return self._reader is not None

    def connect(self) -> None:
        """Try the name's addresses, each if it may be called."""
        addresses = _resolve(self.host, self.port, local=self._limits.local)
        for number, (family, address) in enumerate(addresses, 1):
            try:
                self.sock = self._connected(family, address)
                return
            except ssl.SSLError:
                raise
            except OSError:
                if number == len(addresses):
                    raise

    def _connected(self, family: int, address: tuple[Any, ...]) -> socket.socket:
        plain = socket.socket(family, socket.SOCK_STREAM)
        try:
            plain.settimeout(min(self._limits.connect, _left(self._deadline)))
            plain.connect(address)
            _check_address(plain.getpeername()[0], local=self._limits.local)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.settimeout(min(self._limits.connect, _left(self._deadline)))  # for the whole handshake
            made = _tls().wrap_socket(plain, server_hostname=self.host) if self._secure else plain
            made.settimeout(min(self._limits.read, _left(self._deadline)))  # for all that is sent
            return made
        except BaseException:
            plain.close()
            raise

    def _response(self, sock: socket.socket, *arguments: Any, **named: Any) -> http.client.HTTPResponse:
        self._reader = _Reader(sock, self._limits.read, self._deadline)
        return http.client.HTTPResponse(self._reader, *arguments, **named)  # type: ignore[arg-type] # a file is made


class _Reader(io.RawIOBase):
    """A socket's octets, each read waiting no longer than `seconds`, and none beyond the deadline."""

    def __init__(self, sock: socket.socket, seconds: float, deadline: float) -> None:
        super().__init__()
        self._sock = sock
        self._seconds = seconds
        self._deadline = deadline

    def hurry(self, seconds: float) -> None:
        self._deadline = min(self._deadline, time.monotonic() + seconds)

    def makefile(self, *_: Any) -> io.BufferedReader:
        """What http.client asks a socket for."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(min(self._seconds, _left(self._deadline)))
        return self._sock.recv_into(buffer)


def _resolve(host: str, port: int, *, local: bool) -> list[tuple[int, tuple[Any, ...]]]:
    """The addresses behind the name that may be called. Raises Refused where none may, or there are none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (socket.gaierror, UnicodeError):
        raise Refused("the host's name leads nowhere") from None
    may: list[tuple[int, tuple[Any, ...]]] = []
    why = "no address"
    for family, _, _, _, address in found:
        told = refusal(str(address[0]), loopback=local)
        if told is None:
            may.append((family, address))
        else:
            why = told
    if not may:
        raise Refused(f"refused address: {why}")
    return may[:MAX_ADDRESSES]


def _check_address(address: str, *, local: bool) -> None:
    """The address of the other side, once more, as the socket tells it."""
    why = refusal(address, loopback=local)
    if why is not None:
        raise Refused(f"refused address: {why}")


def _left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise _Late
    return seconds


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
