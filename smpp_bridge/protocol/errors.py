"""The one exception that decoding and encoding may raise, and the one for using a session against its state."""

from smpp_bridge.protocol.status import Status


class ProtocolError(Exception):
    """A PDU that SMPP 3.4 does not allow. `command_status` is what to answer the peer with (section 5.1.3)."""

    def __init__(self, command_status: int, reason: str) -> None:
        super().__init__(f"{reason} (command_status 0x{command_status:02X})")
        self.command_status = command_status
        self.reason = reason


class SessionError(Exception):
    """A request that this session cannot send now (wrong state, full window): nothing was sent."""

    def __init__(self, reason: str, command_status: int = Status.INVALID_BIND_STATUS) -> None:
        super().__init__(reason)
        self.command_status = command_status
