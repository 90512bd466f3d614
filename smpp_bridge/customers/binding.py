"""A bind on its way through the gate, and its answer: a yes at once, a no after a while."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from chalicelib.domain.ids import new_ulid
from chalicelib.domain.smpp_login import BindKind, EsmeSession
from smpp_bridge.customers.customer_session import TLVS_SINCE, event_of
from smpp_bridge.customers.gate import Admitted, Refused
from smpp_bridge.customers.origins import network_of
from smpp_bridge.customers.shared import Shared
from smpp_bridge.protocol.pdu import Bind, BindReceiver, BindTransceiver, BindTransmitter, Pdu
from smpp_bridge.protocol.status import Status
from smpp_bridge.protocol.tlvs import Tag

if TYPE_CHECKING:
    from smpp_bridge.customers.connection import Connection

SYSTEM_ID: Final = "Chasqui"  # ours, in the answer
_KINDS: Final[dict[type[Pdu], BindKind]] = {
    BindTransmitter: "transmitter",
    BindReceiver: "receiver",
    BindTransceiver: "transceiver",
}


class Binding:
    """`run` once."""

    def __init__(self, shared: Shared, connection: "Connection", request: Bind, address: str, *, tls: bool) -> None:
        self._shared = shared
        self._connection = connection
        self._request = request
        self._address = address
        self._tls = tls

    async def run(self) -> None:
        shared, request = self._shared, self._request
        judged = await shared.gate.admit(request, self._session())
        if isinstance(judged, Admitted) and shared.draining:
            shared.places.release(judged)
            judged = Refused(Status.SYSTEM_ERROR, "draining")
        shared.counts.binds[judged.status if isinstance(judged, Refused) else Status.OK] += 1
        if isinstance(judged, Refused):
            await self._refuse(judged)
        elif not self._connection.bound(request, judged, self._fields()):
            shared.places.release(judged)
        else:
            shared.note(event_of(judged.session, "bound", shared.clock.epoch_ms()))

    async def _refuse(self, refused: Refused) -> None:
        shared, now = self._shared, self._shared.clock.monotonic()
        network = network_of(self._address)
        who = {"address": self._address, "system_id": self._request.system_id}
        shared.notices.tell("bind refused", network, now, **who, reason=refused.reason, status=refused.status)
        now_ms = shared.clock.epoch_ms()
        shared.note(event_of(self._session(), "refused", now_ms, reason=refused.reason, status=refused.status))
        await asyncio.sleep(shared.gate.bans.delay(network, shared.terms.refusal_seconds, now))
        self._connection.refuse(self._request, refused.status)

    def _session(self) -> EsmeSession:
        shared, request = self._shared, self._request
        now_ms = shared.clock.epoch_ms()
        return EsmeSession(
            id=new_ulid(now_ms),
            system_id=request.system_id,
            account="",
            bind=_KINDS[type(request)],
            address=self._address,
            bridge=shared.bridge(),
            bound_ms=now_ms,
            tls=self._tls,
            interface_version=request.interface_version,
        )

    def _fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"system_id": SYSTEM_ID}
        if self._request.interface_version >= TLVS_SINCE:
            fields["tlvs"] = ((Tag.SC_INTERFACE_VERSION, b"\x34"),)
        return fields
