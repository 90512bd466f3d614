"""Serves what customers ask for in a session: submits, queries, cancels. One a bridge."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final

from chalicelib.domain import ids
from chalicelib.domain.message import Message
from chalicelib.domain.numbers import BadSender, mask, parse_sender
from chalicelib.services.faults import Fault
from chalicelib.services.join import CutPart
from smpp_bridge.customers.addresses import recipient, sender
from smpp_bridge.customers.application import Answer, BoundSession
from smpp_bridge.customers.gathering import LINGER_SECONDS, SubmitGatherer
from smpp_bridge.customers.rates import Rates
from smpp_bridge.customers.refused import Refused
from smpp_bridge.customers.replacements import read_replacement
from smpp_bridge.customers.statuses import STATES, status_of
from smpp_bridge.customers.submit_platform import SubmitPlatform
from smpp_bridge.customers.submits import ReadSubmit, read_submit, read_to
from smpp_bridge.customers.times import write_time
from smpp_bridge.customers.waiting_groups import WaitingGroups
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.protocol.messages import DataSm, SubmitSm
from smpp_bridge.protocol.multi import Destination, SubmitMulti, Unsuccessful
from smpp_bridge.protocol.pdu import CancelSm, Pdu, QuerySm, ReplaceSm
from smpp_bridge.protocol.status import Status

MAX_RECENT: Final = 20_000  # ids of the last messages, 3 MB: asked after before anything is noted of them

_THROTTLED: Final = Answer(Status.THROTTLED)
_TROUBLE: Final = Answer(Status.SYSTEM_ERROR)
_log: Final = logging.getLogger(__name__)


class SubmitDesk:
    """`serve` is the server's on_request. A submit's answer is a future, so that no task is made for it."""

    def __init__(self, platform: SubmitPlatform, clock: Clock, *, linger_seconds: float = LINGER_SECONDS) -> None:
        self._platform = platform
        self._clock = clock
        self._rates = Rates()
        self._recent: OrderedDict[str, str] = OrderedDict()  # message id: account
        self.gatherer = SubmitGatherer(self._accepted, linger_seconds=linger_seconds)
        self.groups = WaitingGroups(platform.end_group, clock)
        self._serve: dict[type[Pdu], Callable[[BoundSession, Any], Awaitable[Answer]]] = {
            SubmitSm: self._submit,
            DataSm: self._submit,
            SubmitMulti: self._submit_multi,
            QuerySm: self._query,
            CancelSm: self._cancel,
            ReplaceSm: self._replace,
        }

    def serve(self, bound: BoundSession, request: Pdu) -> Awaitable[Answer]:
        """The answer to come."""
        try:
            return self._serve[type(request)](bound, request)
        except Refused as refused:
            return _at_once(_no(bound, request, refused))

    async def stop(self) -> None:
        """Send what is gathered; parts that wait are the other bridges', or the rounds function's."""
        await self.gatherer.drained()
        await self.groups.stop()

    # --- submits

    def _submit(self, bound: BoundSession, pdu: SubmitSm | DataSm) -> Awaitable[Answer]:
        login = bound.login
        if not self._rates.take(login.system_id, login.per_second, 1, self._clock.monotonic()):
            return _at_once(_THROTTLED)
        read = read_submit(pdu, login, self._clock.epoch_ms())
        if read.submission.segment is not None:
            return self._part(bound, read)
        if read.replaces:
            return self._instead(bound, read)
        return self.gatherer.add(bound.account, read.submission)

    async def _instead(self, bound: BoundSession, read: ReadSubmit) -> Answer:
        """replace_if_present_flag (5.2.18): the last message of the same sender and recipient that waits goes not."""
        asked = read.submission
        try:
            await self._platform.cancel_waiting(
                bound.account, bound.login.system_id, asked.sender, asked.to, newest_only=True
            )
        except Exception as error:  # AWS's or the network's
            return _trouble(bound, error)
        return await self.gatherer.add(bound.account, asked)

    async def _part(self, bound: BoundSession, read: ReadSubmit) -> Answer:
        part = CutPart(read.submission, read.octets, read.data_coding, bound.id)
        try:
            taken = await self._platform.take_part(bound.account, part)
        except Exception as error:  # AWS's or the network's
            return _trouble(bound, error)
        if isinstance(taken, Fault):
            return Answer(status_of(taken))
        if taken.waits is not None:
            self.groups.watch(taken.waits)
        else:
            self.groups.joined(ids.part_id(taken.id, 0))
            self._remember(bound.account, ids.part_id(taken.id, 1))
        return Answer(Status.OK, {"message_id": taken.id})

    def _submit_multi(self, bound: BoundSession, pdu: SubmitMulti) -> Awaitable[Answer]:
        if not all(isinstance(each, Destination) for each in pdu.destinations):
            raise Refused(Status.CANNOT_SUBMIT_TO_LIST, "there are no distribution lists for SMPP")
        destinations = [each for each in pdu.destinations if isinstance(each, Destination)]
        login = bound.login
        if not self._rates.take(login.system_id, login.per_second, len(destinations), self._clock.monotonic()):
            return _at_once(_THROTTLED)
        return self._to_many(bound, pdu, destinations)

    async def _to_many(self, bound: BoundSession, pdu: SubmitMulti, destinations: list[Destination]) -> Answer:
        """4.5: the destinations that are refused are named with their reasons. Each of the others has a message of its
        own, receipts of all of them have the one id that is answered."""
        now_ms = self._clock.epoch_ms()
        reads: list[tuple[Destination, ReadSubmit]] = []
        refused: list[Unsuccessful] = []
        for each in destinations:
            try:
                reads.append((each, read_to(pdu, recipient(each.address, each.ton, each.npi), bound.login, now_ms)))
            except Refused as error:
                refused.append(Unsuccessful(each, error.status))
        if not reads:
            return Answer(refused[0].status)
        first = reads[0][1]
        if first.submission.segment is not None:
            return Answer(Status.INVALID_ESM_CLASS)  # parts to many, to be joined for each: nobody sends them so
        try:
            made = await self._platform.accept_together(bound.account, [read.submission for _, read in reads])
        except Exception as error:  # AWS's or the network's
            return _trouble(bound, error)
        taken = [one for one in made if isinstance(one, str)]
        for name in taken:
            self._remember(bound.account, name)
        faults = [(each, one) for (each, _), one in zip(reads, made, strict=True) if isinstance(one, Fault)]
        refused += [Unsuccessful(each, status_of(fault)) for each, fault in faults]
        if not taken:
            return Answer(refused[0].status)
        return Answer(Status.OK, {"message_id": taken[0], "unsuccessful": tuple(refused)})

    async def _accepted(self, account: str, submissions: Any) -> Any:
        made = await self._platform.accept(account, submissions)
        for one in made:
            if isinstance(one, str):
                self._remember(account, one)
        return made

    # --- after a submit

    async def _query(self, bound: BoundSession, pdu: QuerySm) -> Answer:
        """4.8. The id may be any that a submit was answered with."""
        try:
            message = await self._platform.find(bound.account, pdu.message_id)
        except Exception as error:  # AWS's or the network's
            return _trouble(bound, error)
        if message is None and self._recent.get(pdu.message_id) == bound.account:
            return Answer(Status.OK, {"message_id": pdu.message_id, "message_state": 1})
        if message is None or not _from(message, pdu):
            return Answer(Status.QUERY_FAILED)
        told = {
            "message_id": pdu.message_id,
            "final_date": write_time(message.updated_ms) if message.final else "",
            "message_state": STATES[message.status],
            "error_code": _error_code(message),
        }
        return Answer(Status.OK, told)

    async def _cancel(self, bound: BoundSession, pdu: CancelSm) -> Answer:
        """4.9. With an id that message; without one all of the login's from that sender to that recipient."""
        try:
            if pdu.message_id:
                return await self._cancel_one(bound, pdu)
            canceled = await self._platform.cancel_waiting(
                bound.account,
                bound.login.system_id,
                sender(pdu.source_addr, pdu.source_addr_ton, pdu.source_addr_npi),
                recipient(pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi),
            )
        except Refused as refused:
            return _no(bound, pdu, refused)
        except Exception as error:  # AWS's or the network's
            return _trouble(bound, error)
        return Answer(Status.OK if canceled else Status.CANCEL_FAILED)

    async def _cancel_one(self, bound: BoundSession, pdu: CancelSm) -> Answer:
        message = await self._platform.find(bound.account, pdu.message_id)
        if message is not None and not _from(message, pdu):
            return Answer(Status.CANCEL_FAILED)
        try:
            known = self._recent.get(pdu.message_id) == bound.account
            await self._platform.cancel(bound.account, pdu.message_id, accepted=known)
        except Fault as fault:
            return Answer(Status.INVALID_MESSAGE_ID if fault.code == "not_found" else Status.CANCEL_FAILED)
        return Answer(Status.OK)

    async def _replace(self, bound: BoundSession, pdu: ReplaceSm) -> Answer:
        """4.10, of what waits for its time. What is on its way may be sent already; nobody could say for certain."""
        try:
            message = await self._platform.find(bound.account, pdu.message_id)
            if message is None:
                known = self._recent.get(pdu.message_id) == bound.account
                return Answer(Status.REPLACE_FAILED if known else Status.INVALID_MESSAGE_ID)
            await self._platform.replace(
                bound.account, message, read_replacement(pdu, message, bound.login, self._clock.epoch_ms())
            )
        except Refused as refused:
            return _no(bound, pdu, refused)
        except Fault as fault:
            return Answer(status_of(fault))
        except Exception as error:  # AWS's or the network's
            return _trouble(bound, error)
        return Answer(Status.OK)

    def _remember(self, account: str, message_id: str) -> None:
        self._recent[message_id] = account
        if len(self._recent) > MAX_RECENT:
            self._recent.popitem(last=False)


def _at_once(answer: Answer) -> Awaitable[Answer]:
    future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    future.set_result(answer)
    return future


def _no(bound: BoundSession, request: Pdu, refused: Refused) -> Answer:
    _log.info(
        "refused",
        extra={
            "login": bound.login.system_id,
            "session": bound.id,
            "command": request.command,
            "to": mask(str(getattr(request, "destination_addr", ""))),
            "status": f"0x{refused.status:02X}",
            "reason": refused.reason,
        },
    )
    return Answer(refused.status)


def _trouble(bound: BoundSession, error: Exception) -> Answer:
    _log.error("not served", extra={"login": bound.login.system_id, "session": bound.id, "error": repr(error)})
    return _TROUBLE


def _from(message: Message, pdu: QuerySm | CancelSm) -> bool:
    """Whether the source address is the message's, as it has to be (4.8.1); one that is left out is not compared."""
    if not pdu.source_addr or message.content is None:
        return True
    try:
        given = sender(pdu.source_addr, pdu.source_addr_ton, pdu.source_addr_npi)
        return given is None or str(parse_sender(given)) == message.content.sender
    except (Refused, BadSender):
        return False


def _error_code(message: Message) -> int:
    """The network's own code, where it is one of an octet (4.8.2)."""
    code = message.error.gateway_code if message.error else None
    number = int(code) if code and code.isascii() and code.isdigit() else 0
    return number if number <= 0xFF else 0
