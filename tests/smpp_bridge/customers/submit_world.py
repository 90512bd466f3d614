"""The desk's surroundings in memory: the platform behind it, a customer's session before it, a clock in hand."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from chalicelib.domain import ids
from chalicelib.domain.content import Content
from chalicelib.domain.facts import ErrorInfo
from chalicelib.domain.message import Message
from chalicelib.domain.smpp_login import SmppLogin
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding
from chalicelib.services.check import Submission
from chalicelib.services.faults import Fault
from chalicelib.services.join import CutPart, Taken, Waits
from chalicelib.services.replace import Replacement
from smpp_bridge.customers.application import Answer
from smpp_bridge.customers.desk import SubmitDesk
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.protocol.operations import State
from smpp_bridge.protocol.pdu import Pdu
from tests.smpp_bridge.customers.test_submits import NOW_MS
from tests.smpp_bridge.gateways.world import run


class Bound:
    """A bound session, as far as the desk looks at it."""

    def __init__(self, system_id: str = "acme", account: str = "acc_one", per_second: float = 1e6) -> None:
        self.id = f"session of {system_id}"
        self.account = account
        self.peer = "192.0.2.1"
        self.state = State.BOUND_TRX
        self.can_receive = self.takes_tlvs = True
        self.free_window = 10
        self.login = SmppLogin(
            system_id=system_id, account=account, name="", password_hash="", created_ms=0, per_second=per_second
        )

    def deliver(self, pdu: Any) -> Awaitable[int]:
        raise NotImplementedError


class Memory:
    """The platform in memory. `unwell` names the calls that raise, `held` keeps bundles from becoming durable."""

    def __init__(self) -> None:
        self.bundles: list[tuple[str, list[Submission]]] = []
        self.parts: list[CutPart] = []
        self.ended: list[Waits] = []
        self.messages: dict[str, Message] = {}
        self.canceled: list[Any] = []
        self.replaced: list[Replacement] = []
        self.faults: dict[str, Fault] = {}  # by text or recipient
        self.unwell: set[str] = set()
        self.held: asyncio.Event | None = None
        self.taken: list[Taken | Fault] = []
        self.under_way = 0
        self.most_under_way = 0

    async def _check(self, call: str) -> None:
        await asyncio.sleep(0)
        if call in self.unwell:
            raise OSError(call)

    async def accept(self, account: str, submissions: Sequence[Submission]) -> list[str | Fault]:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if self.held is not None:
                await self.held.wait()
            await self._check("accept")
        finally:
            self.under_way -= 1
        self.bundles.append((account, list(submissions)))
        return [self._made(each) for each in submissions]

    async def accept_together(self, account: str, submissions: Sequence[Submission]) -> list[str | Fault]:
        return await self.accept(account, submissions)

    def _made(self, submission: Submission) -> str | Fault:
        fault = self.faults.get(submission.text or "") or self.faults.get(submission.to)
        return fault or ids.new_message_id(NOW_MS)

    async def take_part(self, account: str, part: CutPart) -> Taken | Fault:
        await self._check("take_part")
        self.parts.append(part)
        return self.taken.pop(0)

    async def end_group(self, waits: Waits) -> None:
        await self._check("end_group")
        self.ended.append(waits)

    async def find(self, account: str, message_id: str) -> Message | None:
        await self._check("find")
        return self.messages.get(message_id)

    async def cancel(self, account: str, message_id: str, *, accepted: bool) -> None:
        await self._check("cancel")
        if message_id in self.faults:
            raise self.faults[message_id]
        self.canceled.append((message_id, accepted))

    async def replace(self, account: str, message: Message, asked: Replacement) -> None:
        await self._check("replace")
        if message.id in self.faults:
            raise self.faults[message.id]
        self.replaced.append(asked)

    async def cancel_waiting(
        self, account: str, login: str, sender: str | None, to: str, *, newest_only: bool = False
    ) -> int:
        await self._check("cancel_waiting")
        self.canceled.append((account, login, sender, to, newest_only))
        return 0 if to == "+34600000000" else 1


class Hand:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.seconds, epoch_ms=lambda: NOW_MS + int(self.seconds * 1000))


def desk(platform: Memory, hand: Hand | None = None) -> SubmitDesk:
    return SubmitDesk(platform, (hand or Hand()).clock(), linger_seconds=0.001)


def answers(platform: Memory, *requests: Pdu, bound: Bound | None = None) -> list[Answer]:
    """What the requests of one session are answered, at once."""

    async def main() -> list[Answer]:
        front, session = desk(platform), bound or Bound()
        return list(await asyncio.gather(*[front.serve(session, request) for request in requests]))

    return run(main())


def answer(platform: Memory, request: Pdu, bound: Bound | None = None) -> Answer:
    (only,) = answers(platform, request, bound=bound)
    return only


def message(status: Status, sender: str = "ACME", error: ErrorInfo | None = None) -> Message:
    content = Content(
        to="+34600111222", country="ES", sender=sender, encoding=Encoding.GSM7, parts=1, valid_until_ms=NOW_MS
    )
    return Message(
        id=NAME,
        status=status,
        content=content,
        queued=None,
        created_ms=NOW_MS,
        updated_ms=NOW_MS,
        error=error,
        parts_submitted=0,
        refund_micros=0,
    )


NAME = ids.new_message_id(NOW_MS)
