"""A customer's socket, plain or TLS: octets in and out, with a bound on both."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final, Protocol

from smpp_bridge.customers.origins import address_of

SCRATCH_OCTETS: Final = 16_384  # read at a time
_WRITE_BUFFER: Final = 65_536  # octets that may wait to be written before the peer counts as one that does not read
_CLOSE_SECONDS: Final = 5.0  # for the last octets to go out


class LineUser(Protocol):
    """Who speaks on the line."""

    def entered(self, address: str) -> bool:
        """Somebody has connected from there. False: hang up at once, and tell nothing more."""
        ...

    def received(self, data: bytes) -> None:
        """Octets, at most SCRATCH_OCTETS."""
        ...

    def writable_again(self) -> None:
        """The peer has read what waited."""
        ...

    def lost(self, reason: str) -> None:
        """The connection is over, whoever ended it. Always the last call."""
        ...


class Line(asyncio.BufferedProtocol):
    """`scratch` is shared by all lines: what is read into it is taken out before the next read.

    The TLS handshake begins only once `entered` has let the peer in: until then a connection costs next to nothing.
    """

    def __init__(
        self,
        user: LineUser,
        scratch: memoryview,
        monotonic: Callable[[], float],
        *,
        tls: ssl.SSLContext | None = None,
        handshake_seconds: float = 10.0,
    ) -> None:
        self.stalled_since: float | None = None
        self.secured = tls is not None
        self._user: LineUser | None = user
        self._scratch = scratch
        self._monotonic = monotonic
        self._tls = tls
        self._handshake_seconds = handshake_seconds
        self._handshake: asyncio.Task[None] | None = None
        self._early = bytearray()  # what came right behind the handshake, before we could answer
        self._transport: asyncio.Transport | None = None
        self._closing_since: float | None = None

    # --- for the user

    @property
    def writable(self) -> bool:
        return self.stalled_since is None

    @property
    def waiting_octets(self) -> int:
        """What the peer has not read, as far as it is still here."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def write(self, octets: bytes) -> None:
        """Send, unless the line is being closed."""
        if octets and self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)

    def read(self, wanted: bool) -> None:
        """Go on reading, or stop."""
        if self._transport is None or self._transport.is_closing() or self._handshake is not None:
            return
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def close(self) -> None:
        """Hang up once all is written, or after a few seconds (see `tick`)."""
        if self._transport is not None and self._closing_since is None:
            self._closing_since = self._monotonic()
            self._transport.close()

    def abort(self) -> None:
        """Hang up now."""
        if self._transport is not None:
            self._transport.abort()

    def tick(self, now: float) -> None:
        """Hang up on who does not read our last words."""
        if self._closing_since is not None and now - self._closing_since > _CLOSE_SECONDS:
            self.abort()

    # --- for asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- create_server makes no other
        self._transport = transport
        if self._user is None or not self._user.entered(address_of(transport.get_extra_info("peername"))):
            self._user = None
            transport.abort()
            return
        transport.set_write_buffer_limits(high=_WRITE_BUFFER)
        if self._tls is not None:
            transport.pause_reading()
            self._handshake = asyncio.get_running_loop().create_task(self._secure(transport, self._tls))

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._scratch

    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(self._scratch[:nbytes])
        if self._handshake is not None:
            self._early += data
        elif self._user is not None:
            self._user.received(data)

    def eof_received(self) -> None:
        """The peer has finished; so do we."""

    def pause_writing(self) -> None:
        self.stalled_since = self._monotonic()

    def resume_writing(self) -> None:
        self.stalled_since = None
        if self._user is not None:
            self._user.writable_again()

    def connection_lost(self, exc: Exception | None) -> None:
        self._over(f"connection lost: {exc}" if exc else "connection closed")

    def _over(self, reason: str) -> None:
        user, self._user = self._user, None
        if user is not None:
            user.lost(reason)
        self._transport = None

    async def _secure(self, transport: asyncio.Transport, tls: ssl.SSLContext) -> None:
        try:
            secured = await asyncio.get_running_loop().start_tls(
                transport, self, tls, server_side=True, ssl_handshake_timeout=self._handshake_seconds
            )
        except Exception as error:  # TLS's, the network's, the peer's patience: there is no connection
            transport.abort()
            self._over(f"no TLS: {error}")
            return
        self._handshake = None
        if secured is None or self._user is None:
            transport.abort()
            return
        secured.set_write_buffer_limits(high=_WRITE_BUFFER)
        self._transport = secured
        if self._early:
            self._user.received(bytes(self._early))
            self._early.clear()
