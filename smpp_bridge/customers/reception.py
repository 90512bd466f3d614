"""The application behind the customers' server: the desk serves what they ask, the outbox tells them what happened."""

from collections.abc import Awaitable

from smpp_bridge.customers.application import Answer, BoundSession
from smpp_bridge.customers.desk import SubmitDesk
from smpp_bridge.customers.outbox import Outbox
from smpp_bridge.protocol.pdu import Pdu


class Reception:
    """See Application."""

    def __init__(self, desk: SubmitDesk, outbox: Outbox) -> None:
        self.desk = desk
        self.outbox = outbox

    def on_bound(self, bound: BoundSession) -> None:
        self.outbox.on_bound(bound)

    def on_request(self, bound: BoundSession, request: Pdu) -> Awaitable[Answer]:
        return self.desk.serve(bound, request)

    def on_gone(self, bound: BoundSession) -> None:
        self.outbox.on_gone(bound)

    async def stop(self) -> None:
        """What is gathered becomes durable, what is not yet told is given back."""
        await self.outbox.stop()
        await self.desk.stop()
