"""Cuts a stream of octets into whole PDUs by their command_length (SMPP 3.4 section 3.2)."""

import contextlib
import struct
from collections import deque
from typing import Final

from smpp_bridge.protocol.errors import ProtocolError
from smpp_bridge.protocol.status import Status

HEADER_OCTETS: Final = 16
# A message_payload of 65,535 octets, the header, and room for the mandatory fields and other TLVs.
MAX_PDU_OCTETS: Final = 70_000

MAX_BIND_OCTETS: Final = 256  # a bind has 122 at most, parameters aside: an SMSC reads no more of who is not bound

_LENGTH = struct.Struct(">L").unpack_from


class Framer:
    """Holds at most one unfinished PDU (< `max_octets`, which may be changed between calls) from call to call.

    After a command_length that cannot be, the stream has no borders any more: `error` is set, the PDUs before it are
    still handed out, and every later `feed` raises.
    """

    __slots__ = ("_needed", "_rest", "error", "max_octets")

    def __init__(self, max_octets: int = MAX_PDU_OCTETS) -> None:
        self.max_octets = max_octets
        self._rest = bytearray()
        self._needed = 4
        self.error: ProtocolError | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """Take what the socket gave; return the PDUs that are whole now, header included.

        Raises ProtocolError (ESME_RINVCMDLEN) if the next command_length is under 16 or over `max_octets`.
        """
        if self.error is not None:
            raise self.error
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return []
            data = bytes(self._rest)
            self._rest.clear()
        frames = self._cut(data)
        if self.error is not None and not frames:
            raise self.error
        return frames

    def _cut(self, data: bytes) -> list[bytes]:
        frames: list[bytes] = []
        start, end = 0, len(data)
        self._needed = 4
        while end - start >= 4:
            (length,) = _LENGTH(data, start)
            if not HEADER_OCTETS <= length <= self.max_octets:
                self.error = ProtocolError(
                    Status.INVALID_COMMAND_LENGTH, f"command_length {length} is not {HEADER_OCTETS}..{self.max_octets}"
                )
                return frames
            if end - start < length:
                self._needed = length
                break
            frames.append(data[start : start + length])
            start += length
        self._rest += data[start:]
        return frames


class Arrivals:
    """PDUs as they come off the wire, kept in order until they are taken one by one."""

    __slots__ = ("_frames", "framer")

    def __init__(self, max_octets: int) -> None:
        self.framer = Framer(max_octets)
        self._frames: deque[bytes] = deque()

    def __bool__(self) -> bool:
        return bool(self._frames)

    @property
    def error(self) -> ProtocolError | None:
        """Why nothing more can come, once all that came before is taken."""
        return None if self._frames else self.framer.error

    def feed(self, data: bytes) -> None:
        """Take what the socket gave; never raises: see `error`."""
        if self.framer.error is None:
            with contextlib.suppress(ProtocolError):
                self._frames.extend(self.framer.feed(data))

    def take(self) -> bytes:
        """The next one. There must be one."""
        return self._frames.popleft()

    def clear(self) -> None:
        self._frames.clear()
