"""The kinds of mandatory fields that PDU bodies are made of (SMPP 3.4 section 3.1), each strict both ways."""

from typing import Any, Final, Protocol

from msgspec import Struct

from smpp_bridge.protocol.errors import ProtocolError
from smpp_bridge.protocol.status import Status

# sm_length (section 5.2.21): longer messages travel in message_payload.
MAX_SHORT_MESSAGE_OCTETS: Final = 254


class Field(Protocol):
    """A field knows its name, and how to read itself at a position and to write itself."""

    @property
    def name(self) -> str: ...

    def read(self, frame: bytes, position: int) -> tuple[Any, int]:
        """The value, and the position behind it; ProtocolError where the octets do not say one."""
        ...

    def write(self, value: Any) -> bytes:
        """The octets; ProtocolError where the value does not fit."""
        ...


class Integer(Struct, frozen=True):
    """An unsigned integer of one octet: 3.4 has no wider one in a body."""

    name: str

    def read(self, frame: bytes, position: int) -> tuple[int, int]:
        if position >= len(frame):
            raise ProtocolError(Status.INVALID_COMMAND_LENGTH, f"the PDU ends before {self.name}")
        return frame[position], position + 1

    def write(self, value: int) -> bytes:
        if not isinstance(value, int) or not 0 <= value <= 0xFF:
            raise ProtocolError(Status.INVALID_PARAMETER_VALUE, f"{self.name} is not 0..255")
        return bytes((value,))


class CString(Struct, frozen=True):
    """A NUL-terminated string of at most `max_octets`, NUL included; latin-1, so that every octet survives.

    `whole` means all or nothing: the NUL alone or exactly `max_octets` (the times of section 7.1.1).
    """

    name: str
    max_octets: int
    status: int = Status.INVALID_PARAMETER_LENGTH
    whole: bool = False

    def read(self, frame: bytes, position: int) -> tuple[str, int]:
        nul = frame.find(b"\0", position, position + self.max_octets)
        if nul < 0:
            cut = len(frame) - position < self.max_octets
            status = Status.INVALID_COMMAND_LENGTH if cut else self.status
            raise ProtocolError(status, f"{self.name} has no NUL within {self.max_octets} octets")
        self._check_length(nul - position)
        return frame[position:nul].decode("latin-1"), nul + 1

    def write(self, value: str) -> bytes:
        try:
            octets = value.encode("latin-1")
        except (AttributeError, UnicodeEncodeError):
            raise ProtocolError(self.status, f"{self.name} is not a latin-1 string") from None
        if len(octets) >= self.max_octets:
            raise ProtocolError(self.status, f"{self.name} is over {self.max_octets - 1} octets")
        if b"\0" in octets:
            raise ProtocolError(self.status, f"{self.name} holds a NUL")
        self._check_length(len(octets))
        return octets + b"\0"

    def _check_length(self, length: int) -> None:
        if self.whole and length not in {0, self.max_octets - 1}:
            raise ProtocolError(self.status, f"{self.name} is neither empty nor {self.max_octets - 1} octets")


class ShortMessage(Struct, frozen=True):
    """sm_length and the octets that it counts (sections 5.2.21 and 5.2.22)."""

    name: str = "short_message"

    def read(self, frame: bytes, position: int) -> tuple[bytes, int]:
        if position >= len(frame):
            raise ProtocolError(Status.INVALID_COMMAND_LENGTH, "the PDU ends before sm_length")
        length, start = frame[position], position + 1
        end = start + length
        if length > MAX_SHORT_MESSAGE_OCTETS or end > len(frame):
            raise ProtocolError(Status.INVALID_MESSAGE_LENGTH, f"sm_length {length} is over 254 or runs past the PDU")
        return frame[start:end], end

    def write(self, value: bytes) -> bytes:
        if not isinstance(value, bytes) or len(value) > MAX_SHORT_MESSAGE_OCTETS:
            raise ProtocolError(
                Status.INVALID_MESSAGE_LENGTH, f"short_message is over {MAX_SHORT_MESSAGE_OCTETS} octets"
            )
        return bytes((len(value),)) + value
