"""The outbox's surroundings: time that passes by itself, sessions that answer as told, queues as SQS FIFO has them."""

import asyncio
import itertools
import selectors
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from chalicelib.domain.esme import EsmeItem, EsmeReceipt
from chalicelib.domain.smpp_login import SmppLogin
from chalicelib.domain.status import Status
from chalicelib.store.queues import Record
from chalicelib.wire import EsmeBundle, encode
from smpp_bridge.customers.application import SessionGone, Unanswered
from smpp_bridge.customers.mailbox import VISIBILITY_SECONDS
from smpp_bridge.customers.outbox import Outbox
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.protocol.operations import State
from smpp_bridge.protocol.pdu import DataSm, DeliverSm

NOW_MS = 1_760_000_000_000
LOGIN = "acme"
POLL_SECONDS = 5.0

T = TypeVar("T")


class QuickSelector(selectors.DefaultSelector):
    """Does not wait: the time that it was to wait for has passed at once."""

    seconds = 1_000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(None if timeout is None else 0)
        if not ready and timeout is not None:
            self.seconds += timeout
        return ready


class QuickLoop(asyncio.SelectorEventLoop):
    """A loop whose time passes whenever nothing else is to be done."""

    def __init__(self) -> None:
        self._quick = QuickSelector()
        super().__init__(self._quick)

    def time(self) -> float:
        return self._quick.seconds


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Run the scenario in quick time; it fails where it takes more than a month."""
    loop = QuickLoop()
    try:
        return loop.run_until_complete(asyncio.wait_for(scenario, 30 * 86_400))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def clock() -> Clock:
    """The quick loop's time, both ways."""
    loop = asyncio.get_running_loop()
    return Clock(monotonic=loop.time, epoch_ms=lambda: NOW_MS + int((loop.time() - 1_000) * 1000))


class Session:
    """A BoundSession. `answer` says the command_status of each PDU, or None to leave it for `reply`."""

    def __init__(
        self,
        answer: Callable[[DeliverSm], int | None] = lambda _: 0,
        *,
        window: int = 10,
        login: str = LOGIN,
        takes_tlvs: bool = True,
        state: State = State.BOUND_RX,
        answer_seconds: float = 0.01,
        response_seconds: float = 30.0,
    ) -> None:
        self.id = "session"
        self.login = SmppLogin(
            system_id=login, account="acc_one", name="n", password_hash="", created_ms=0, window=window
        )
        self.account = "acc_one"
        self.peer = "192.0.2.1"
        self.state = state
        self.takes_tlvs = takes_tlvs
        self.answer = answer
        self.sent: list[DeliverSm] = []
        self.acknowledged: list[DeliverSm] = []
        self.most_in_flight = 0
        self._answer_seconds = answer_seconds
        self._response_seconds = response_seconds
        self._waiting: list[tuple[asyncio.Future[int], DeliverSm]] = []

    @property
    def can_receive(self) -> bool:
        return self.state in {State.BOUND_RX, State.BOUND_TRX}

    @property
    def free_window(self) -> int:
        return max(0, self.login.window - len(self._waiting))

    def deliver(self, pdu: DeliverSm | DataSm) -> Awaitable[int]:
        assert isinstance(pdu, DeliverSm)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        if not self.can_receive:
            future.set_exception(SessionGone("gone"))
            return future
        self.sent.append(pdu)
        self._waiting.append((future, pdu))
        self.most_in_flight = max(self.most_in_flight, len(self._waiting))
        status = self.answer(pdu)
        if status is None:
            loop.call_later(self._response_seconds, self._end, future, pdu, Unanswered("no answer"))
        else:
            apart = len(self.sent) * 1e-6  # in the order of sending: timers of one instant have no order
            loop.call_later(self._answer_seconds + apart, self._end, future, pdu, status)
        return future

    def gone(self) -> None:
        """The connection is lost."""
        self.state = State.CLOSED
        for future, pdu in list(self._waiting):
            self._end(future, pdu, SessionGone("connection lost"))

    def _end(self, future: "asyncio.Future[int]", pdu: DeliverSm, how: int | Exception) -> None:
        if future.done():
            return
        self._waiting = [(other, its) for other, its in self._waiting if other is not future]
        if isinstance(how, Exception):
            future.set_exception(how)
            return
        if how == 0:
            self.acknowledged.append(pdu)
        future.set_result(how)

    def ids(self) -> list[str]:
        """What the customer has taken, in its order."""
        return [pdu.receipted_message_id or "" for pdu in self.acknowledged]


class Unwell(Exception):
    """What AWS is when a test says so."""


class MemoryMailbox:
    """The queues of all logins, shared by the bridges that are given it. `unwell` names the calls that raise."""

    def __init__(self, poll_seconds: float = POLL_SECONDS) -> None:
        self._poll_seconds = poll_seconds
        self.records: defaultdict[str, list[tuple[Record, list[float]]]] = defaultdict(list)  # with when visible
        self.buried: list[tuple[str, str]] = []  # body, reason
        self.put_offs: list[tuple[tuple[str, ...], int, int]] = []  # names, attempt, delay
        self.deletes: list[int] = []  # how many each call deleted
        self.receives = 0
        self.unwell: set[str] = set()
        self._numbers = itertools.count()
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, *items: EsmeItem, login: str = LOGIN, attempt: int = 0) -> None:
        number = next(self._numbers)
        bundle = EsmeBundle(id=f"bundle-{number}", login=login, items=items, attempt=attempt)
        self.put_body(encode(bundle), login)

    def put_body(self, body: str, login: str = LOGIN) -> None:
        number = next(self._numbers)
        record = Record(id=str(number), handle=f"h{number}", body=body, received_times=1, sent_ms=NOW_MS)
        self.records[login].append((record, [0.0]))

    def is_empty(self, login: str = LOGIN) -> bool:
        return not self.records[login]

    def held(self, login: str = LOGIN) -> int:
        now = asyncio.get_running_loop().time()
        return sum(visible[0] > now for _, visible in self.records[login])

    async def receive(self, login: str) -> list[Record]:
        self._check("receive")
        self.receives += 1
        loop = asyncio.get_running_loop()
        until = loop.time() + self._poll_seconds
        while loop.time() < until:
            waiting = self.records[login]
            if waiting and not self.held(login):
                for _, visible in waiting[:10]:
                    visible[0] = loop.time() + VISIBILITY_SECONDS
                return [record for record, _ in waiting[:10]]
            await asyncio.sleep(self._poll_seconds / 10)
        return []

    async def hide(self, login: str, handles: Sequence[str], seconds: int) -> None:
        self._check("hide")
        for record, visible in self.records[login]:
            if record.handle in handles:
                visible[0] = asyncio.get_running_loop().time() + seconds

    async def delete(self, login: str, handles: Sequence[str]) -> None:
        self._check("delete")
        self.deletes.append(len(handles))
        self.records[login] = [one for one in self.records[login] if one[0].handle not in handles]

    async def put_off(self, login: str, items: Sequence[EsmeItem], attempt: int, delay_seconds: int) -> None:
        self._check("put_off")
        self.put_offs.append((tuple(item.name for item in items), attempt, delay_seconds))
        task = asyncio.get_running_loop().create_task(self._later(login, items, attempt, delay_seconds))
        self._tasks.add(task)

    async def _later(self, login: str, items: Sequence[EsmeItem], attempt: int, delay_seconds: int) -> None:
        await asyncio.sleep(delay_seconds)
        self.put(*items, login=login, attempt=attempt)

    async def bury(self, login: str, body: str, reason: str, receives: int) -> None:
        self._check("bury")
        self.buried.append((body, reason))

    def _check(self, call: str) -> None:
        if call in self.unwell:
            raise Unwell(call)


def receipt(number: int, status: Status = Status.DELIVERED) -> EsmeReceipt:
    return EsmeReceipt(
        id=f"msg_{number}",
        sender="ACME",
        to="+34600111222",
        submitted_ms=NOW_MS - 60_000,
        done_ms=NOW_MS,
        status=status,
        text="hello",
    )


def ids(*numbers: int) -> list[str]:
    return [f"msg_{number}" for number in numbers]


def bind(outbox: Outbox, *sessions: Session) -> None:
    for session in sessions:
        outbox.on_bound(session)


def lose(outbox: Outbox, session: Session) -> None:
    session.gone()
    outbox.on_gone(session)
