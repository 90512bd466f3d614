"""A customer's session as the application and the administrator know it: from its bind until it is gone."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from chalicelib.domain.bind_event import BindEvent, bind_event
from chalicelib.domain.bind_event import BindKind as EventKind
from chalicelib.domain.smpp_login import EsmeSession, SmppLogin
from smpp_bridge.customers.application import RECEIVING
from smpp_bridge.customers.gate import Admitted
from smpp_bridge.customers.line import Line
from smpp_bridge.customers.outgoing import Delivery, Outgoing
from smpp_bridge.customers.tally import Tally
from smpp_bridge.protocol.errors import ProtocolError
from smpp_bridge.protocol.operations import State
from smpp_bridge.protocol.session import Session
from smpp_bridge.protocol.status import Status

TLVS_SINCE: Final = 0x34  # an interface_version before it knows no optional parameters (section 3.4)


class CustomerSession:
    """See BoundSession and places.Holder. `wake` has its connection look soon at what there is to do."""

    def __init__(
        self, admitted: Admitted, session: Session, line: Line, wake: Callable[[], None], monotonic: Callable[[], float]
    ) -> None:
        self.admitted = admitted
        self.outgoing = Outgoing(session)
        self.bound_at = monotonic()
        self.tally = Tally(self.bound_at)
        self.leaving_since: float | None = None
        self.reason = ""
        self._session = session
        self._line = line
        self._wake = wake
        self._monotonic = monotonic
        session.resize(admitted.login.window)
        if session.state not in RECEIVING:
            self.outgoing.close("bound as a transmitter")

    @property
    def id(self) -> str:
        return self.admitted.session.id

    @property
    def login(self) -> SmppLogin:
        return self.admitted.login

    @property
    def account(self) -> str:
        return self.admitted.login.account

    @property
    def peer(self) -> str:
        return self.admitted.session.address

    @property
    def state(self) -> State:
        return self._session.state

    @property
    def can_receive(self) -> bool:
        return self._session.state in RECEIVING and not self.outgoing.closed and not self._session.is_leaving

    @property
    def takes_tlvs(self) -> bool:
        return self.admitted.session.interface_version >= TLVS_SINCE

    @property
    def free_window(self) -> int:
        return self.outgoing.free_window if self._line.writable else 0

    def deliver(self, pdu: Delivery) -> Awaitable[int]:
        if not self.takes_tlvs:
            if pdu.message_payload is not None:
                raise ProtocolError(Status.PARAMETER_NOT_ALLOWED, "message_payload toward an ESME of version 3.3")
            pdu.tlvs = ()
        future = self.outgoing.put(pdu)
        self._wake()
        return future

    def changed(self, login: SmppLogin) -> None:
        self.admitted = msgspec.structs.replace(self.admitted, login=login)
        self._session.resize(login.window)
        self._wake()

    def leave(self, reason: str) -> None:
        if self.leaving_since is None:
            self.leaving_since = self._monotonic()
            self.reason = reason
            self.outgoing.close(reason)
            self._wake()

    def ended(self, reason: str, now_ms: int) -> BindEvent:
        """Its end, for the bind log. `unbound`: one side has said unbind, or we have had it leave."""
        kind: EventKind = "unbound" if self.reason or reason.startswith("unbound") else "lost"
        session = self.admitted.session
        return event_of(session, kind, now_ms, reason=reason, bound_ms=session.bound_ms)

    def who(self) -> dict[str, Any]:
        """For the log."""
        return {"system_id": self.login.system_id, "account": self.account, "session": self.id, "address": self.peer}


def event_of(
    session: EsmeSession,
    kind: EventKind,
    now_ms: int,
    *,
    reason: str = "",
    status: int | None = None,
    bound_ms: int | None = None,
) -> BindEvent:
    """What became of the session, for the bind log."""
    return bind_event(
        "customer",
        session.system_id,
        kind,
        session.bind,
        now_ms,
        reason=reason,
        session=session.id if kind != "refused" else "",
        account=session.account,
        bridge=session.bridge,
        address=session.address,
        status=status,
        bound_ms=bound_ms,
    )
