"""The requests that a session sends of itself, outside the window: its bind, enquiries and unbind."""

from smpp_bridge.protocol.base import Pdu
from smpp_bridge.protocol.commands import CommandId


class OwnRequests:
    """At most one of each kind waits at a time; each goes by its response's command_id. Times in seconds."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[int, float]] = {}  # command_id of the response -> sequence, when it was sent

    def __contains__(self, response_id: int) -> bool:
        return response_id in self._waiting

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def ask(self, response_id: int, sequence: int, now: float) -> None:
        self._waiting[response_id] = (sequence, now)

    def waits_for(self, response_id: int, sequence: int) -> bool:
        """Whether that response, with that sequence number, would be the answer to one."""
        return self._waiting.get(response_id, (None,))[0] == sequence

    def answered(self, pdu: Pdu) -> int | None:
        """What `pdu` (a response or a generic_nack) is the answer to, which waits no more; None: to nothing here."""
        asked: int = pdu.command_id
        if asked == CommandId.GENERIC_NACK:
            asked = next((own for own, (sequence, _) in self._waiting.items() if sequence == pdu.sequence), asked)
        if not self.waits_for(asked, pdu.sequence):
            return None
        del self._waiting[asked]
        return asked

    def oldest(self) -> tuple[int, float]:
        """What has waited longest, and since when. There must be one."""
        response_id, (_, sent_at) = min(self._waiting.items(), key=lambda item: item[1][1])
        return response_id, sent_at

    def forget(self, response_id: int) -> None:
        del self._waiting[response_id]

    def clear(self) -> None:
        self._waiting.clear()
