"""An SMSC that behaves as its script says, for what the simulator is too well brought up to do."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from smpp_bridge.protocol.codec import decode, encode
from smpp_bridge.protocol.framing import Framer
from smpp_bridge.protocol.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    EnquireLink,
    EnquireLinkResp,
    Pdu,
    Unbind,
    UnbindResp,
)

Script = Callable[["Peer"], Awaitable[None]]


class Peer:
    """One connection from the bridge."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._framer = Framer()
        self._frames: list[bytes] = []

    async def next(self) -> Pdu:
        """The next PDU that is no enquire_link; EOFError when the bridge leaves."""
        while True:
            while not self._frames:
                data = await self._reader.read(65536)
                if not data:
                    raise EOFError
                self._frames += self._framer.feed(data)
            pdu = decode(self._frames.pop(0))
            if isinstance(pdu, Unbind):
                self.say(UnbindResp(sequence=pdu.sequence))
            elif isinstance(pdu, EnquireLink):
                self.say(EnquireLinkResp(sequence=pdu.sequence))
            else:
                return pdu

    async def bound(self) -> None:
        """Take the bind."""
        pdu = await self.next()
        assert isinstance(pdu, BindTransceiver)
        self.say(BindTransceiverResp(sequence=pdu.sequence, system_id="hostile"))

    def say(self, pdu: Pdu) -> None:
        self._writer.write(encode(pdu))

    def spit(self, octets: bytes) -> None:
        self._writer.write(octets)

    def leave(self) -> None:
        self._writer.close()


GARBAGE = b"\xff" * 64
HALF = struct.pack(">LLLL", 100, 0x80000004, 0, 2) + b"half"


class Hostile:
    """`scripts` play one a connection, the last one again and again."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.connections += 1
        try:
            await script(Peer(reader, writer))
        except (EOFError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def hostile(*scripts: Script) -> AsyncIterator[Hostile]:
    smsc = Hostile(*scripts)
    server = await asyncio.start_server(smsc.serve, "127.0.0.1", 0)
    smsc.port = server.sockets[0].getsockname()[1]
    try:
        yield smsc
    finally:
        server.close()
