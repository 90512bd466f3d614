"""What a customer's request is refused with, before it is anybody else's."""


class Refused(Exception):
    """The command_status to answer (SMPP 3.4, 5.1.3), and why, for the log."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
