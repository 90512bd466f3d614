"""Cuts a stream of octets into whole PDUs by their command_length (SMPP 3.4 section 3.2)."""

import struct
from typing import Final

from smpp_bridge.protocol.errors import ProtocolError
from smpp_bridge.protocol.status import Status

HEADER_OCTETS: Final = 16
# A message_payload of 65,535 octets, the header, and room for the mandatory fields and other TLVs.
MAX_PDU_OCTETS: Final = 70_000

_LENGTH = struct.Struct(">L").unpack_from


class Framer:
    """Holds at most one unfinished PDU (< MAX_PDU_OCTETS octets) between calls.

    After a command_length that cannot be, the stream has no borders any more: `error` is set, the PDUs before it are
    still handed out, and every later `feed` raises.
    """

    __slots__ = ("_needed", "_rest", "error")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._needed = 4
        self.error: ProtocolError | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """Take what the socket gave; return the PDUs that are whole now, header included.

        Raises ProtocolError (ESME_RINVCMDLEN) if the next command_length is under 16 or over MAX_PDU_OCTETS.
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
            if not HEADER_OCTETS <= length <= MAX_PDU_OCTETS:
                self.error = ProtocolError(
                    Status.INVALID_COMMAND_LENGTH, f"command_length {length} is not {HEADER_OCTETS}..{MAX_PDU_OCTETS}"
                )
                return frames
            if end - start < length:
                self._needed = length
                break
            frames.append(data[start : start + length])
            start += length
        self._rest += data[start:]
        return frames
