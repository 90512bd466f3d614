"""The message centre behind all sessions: takes or refuses each submit_sm as its outcome says, and posts receipts."""

import itertools
import time
from typing import Final, Protocol

from infra.local.smsc.config import Config, Control
from infra.local.smsc.counters import Counters
from infra.local.smsc.journal import Journal
from infra.local.smsc.outcomes import Answer, Outcome, Receipts, Verdict, outcome_of
from infra.local.smsc.post import PostOffice
from infra.local.smsc.receipts import receipt_for, receipt_wanted
from infra.local.smsc.recorder import Recorder
from smpp_bridge.protocol.pdu import SubmitSm
from smpp_bridge.protocol.session import Session
from smpp_bridge.protocol.status import Status

MAX_REFUSED_FOR_NOW: Final = 10_000  # destinations whose refusals are being counted down
_OVERTAKEN_SECONDS: Final = 0.2  # how much later than its receipt the response of Receipts.BEFORE_RESPONSE comes
_IDS_PER_SECOND: Final = 100_000  # the first id follows from the clock, so that a restart does not repeat ids


class Submitter(Protocol):
    """The session that a submit_sm came on."""

    system_id: str
    session: Session

    @property
    def answers_owed(self) -> int: ...
    def answer(
        self, request: SubmitSm, status: int, message_id: str, delay_seconds: float, *, then_disconnect: bool = False
    ) -> None: ...
    def disconnect(self, reason: str) -> None: ...


class Rate:
    """A bucket of one second's tokens."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._tokens = per_second
        self._at = time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self._tokens = min(self._per_second, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Centre:
    """`control` changes it while it runs; `counters` and `recorder` say what it did."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.counters = Counters()
        self.recorder = Recorder(self.counters)
        self.journal = None if config.journal is None else Journal(config.journal)
        self.post_office = PostOffice(self.counters, config.receipt_retry_seconds)
        self.throttle = False
        self.silent = False
        self.response_delay_seconds = config.response_delay_ms / 1000
        self.receipt_delay_seconds = config.receipt_delay_seconds
        self._numbers = itertools.count(int(time.time()) * _IDS_PER_SECOND)
        self._rate = None if config.rate_per_second is None else Rate(config.rate_per_second)
        self._refused: dict[str, int] = {}

    def control(self, change: Control) -> None:
        """Apply what is given, but for `disconnect` and the reading of sockets: those are the connections' matter."""
        if change.throttle is not None:
            self.throttle = change.throttle
        if change.silent is not None:
            self.silent = change.silent
        if change.response_delay_ms is not None:
            self.response_delay_seconds = change.response_delay_ms / 1000
        if change.receipt_delay_seconds is not None:
            self.receipt_delay_seconds = change.receipt_delay_seconds

    def reset(self) -> None:
        """Forget what was counted and recorded; receipts on their way still come."""
        self.counters.reset()
        self.recorder.reset()
        self._refused.clear()

    def submit(self, pdu: SubmitSm, sender: Submitter) -> None:
        """Do with a submit_sm what its destination asks for."""
        self.counters.submits += 1
        outcome = outcome_of(pdu.destination_addr)
        status = self._refusal(pdu, outcome, sender)
        if status != Status.OK:
            self.counters.refused += 1
            sender.answer(pdu, status, "", self.response_delay_seconds)
        elif outcome.answer is Answer.NEVER:
            self.counters.unanswered += 1
            sender.session.ignore(pdu)
        elif outcome.answer is Answer.DISCONNECT:
            self.counters.unanswered += 1
            sender.disconnect("as the destination asks")
        else:
            self._accept(pdu, outcome, sender)

    def _refusal(self, pdu: SubmitSm, outcome: Outcome, sender: Submitter) -> int:
        throttled = (
            self.throttle
            or sender.answers_owed >= self.config.window
            or (self._rate is not None and not self._rate.take())
        )
        if throttled:
            return Status.THROTTLED
        if outcome.refusal == Status.OK or outcome.refusals is None:
            return outcome.refusal
        return self._refusal_for_now(pdu.destination_addr, outcome.refusal, outcome.refusals)

    def _refusal_for_now(self, destination: str, refusal: int, refusals: int) -> int:
        so_far = self._refused.pop(destination, 0)
        if so_far >= refusals:
            return Status.OK
        self._refused[destination] = so_far + 1
        if len(self._refused) > MAX_REFUSED_FOR_NOW:
            del self._refused[next(iter(self._refused))]
        return refusal

    def _accept(self, pdu: SubmitSm, outcome: Outcome, sender: Submitter) -> None:
        self.counters.accepted += 1
        number = next(self._numbers)
        message_id = outcome.response_id.format(number)
        if self.config.record:
            self.recorder.record(pdu, message_id)
        if self.journal is not None:
            self.journal.note(pdu, sender.system_id, message_id)
        if self.config.receipts and outcome.receipts is not Receipts.NONE:
            self._have_receipts_sent(pdu, outcome, sender.system_id, number)
        delay = self.response_delay_seconds
        if outcome.receipts is Receipts.BEFORE_RESPONSE:
            delay = max(delay, _OVERTAKEN_SECONDS)
        leave = outcome.answer is Answer.GIVEN_THEN_DISCONNECT
        sender.answer(pdu, Status.OK, message_id, delay, then_disconnect=leave)

    def _have_receipts_sent(self, pdu: SubmitSm, outcome: Outcome, system_id: str, number: int) -> None:
        if not receipt_wanted(pdu.registered_delivery, outcome.verdict):
            return
        receipt = receipt_for(pdu, system_id, number, outcome, time.time())
        delay = self.receipt_delay_seconds
        match outcome.receipts:
            case Receipts.BEFORE_RESPONSE:
                self.post_office.post(receipt, 0)
            case Receipts.TWICE:
                self.post_office.post(receipt, delay)
                self.post_office.post(receipt_for(pdu, system_id, number, outcome, time.time()), delay)
            case Receipts.ENROUTE_FIRST:
                first = receipt_for(pdu, system_id, number, outcome, time.time())
                first.verdict = Verdict.ENROUTE
                self.post_office.post(first, delay / 2)
                self.post_office.post(receipt, delay)
            case _:
                self.post_office.post(receipt, delay)
