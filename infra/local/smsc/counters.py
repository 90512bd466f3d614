"""What the simulator counts."""

from msgspec import Struct


class Counters(Struct):
    """Since the start, or since /reset; `sessions` and `receipts_waiting` are of this moment."""

    sessions: int = 0  # bound now
    binds: int = 0
    binds_refused: int = 0
    submits: int = 0
    accepted: int = 0
    refused: int = 0
    unanswered: int = 0  # left without an answer on purpose
    malformed: int = 0
    messages: int = 0  # accepted and whole: parts joined
    duplicates: int = 0  # accepted submits with the sender, destination and octets of an earlier one
    destinations: int = 0
    receipts_sent: int = 0
    receipts_acked: int = 0
    receipts_refused: int = 0  # refused or unanswered; they are sent again
    receipts_dropped: int = 0  # given up: too many waiting, or too many attempts
    receipts_waiting: int = 0

    def reset(self) -> None:
        """Everything counted goes to nought; what is of this moment stays."""
        for name in self.__struct_fields__:
            if name not in {"sessions", "receipts_waiting"}:
                setattr(self, name, 0)
