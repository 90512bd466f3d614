"""What every PDU has: the header, optional parameters, and its body as a table of strict fields."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, NoReturn

from smpp_bridge.protocol.commands import RESPONSE_BIT, CommandId
from smpp_bridge.protocol.fields import Field
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.tlvs import Tlv


class Body(Enum):
    """Whether a PDU may come as a bare header."""

    REQUIRED = "required"
    ABSENT_ON_ERROR = "absent on error"  # section 4.4.2: not returned if command_status is not zero
    OPTIONAL = "optional"  # deliver_sm_resp's only field is unused; many ESMEs leave it off


@dataclass
class Pdu:
    """The header (section 3.2), and the optional parameters as (tag, octets) in the order of the wire."""

    command_id: ClassVar[CommandId]
    fields: ClassVar[tuple[Field, ...]] = ()
    body: ClassVar[Body] = Body.REQUIRED
    takes_tlvs: ClassVar[bool] = False

    sequence: int = 0
    status: int = Status.OK
    tlvs: tuple[Tlv, ...] = ()

    def __init_subclass__(cls) -> None:
        cls.command = cls.command_id.name.lower() if hasattr(cls, "command_id") else ""

    command: ClassVar[str]  # what smpplib's own methods go by

    def is_response(self) -> bool:
        return bool(self.command_id & RESPONSE_BIT)

    def generate(self) -> NoReturn:
        """smpplib's own encoder cuts over-long fields silently."""
        raise NotImplementedError("use smpp_bridge.protocol.codec.encode")

    def parse(self, data: Any) -> NoReturn:
        """smpplib's own parser makes up fields of truncated PDUs."""
        raise NotImplementedError("use smpp_bridge.protocol.codec.decode")
