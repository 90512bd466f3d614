"""What happens to a message: facts, each written once under a name of its own."""

import typing

import msgspec

from chalicelib.domain.content import Content
from chalicelib.domain.pdu import PduFields
from chalicelib.domain.status import FINAL, RANK, Status

FAILED_OVER: typing.Final = "fail over to "  # how `Attempted.next` begins when the message went to another gateway


class ErrorInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why: a stable snake_case code, a sentence, and the gateway's own code where it gave one."""

    code: str
    title: str
    gateway_code: str | None = None


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """One thing that happened to a message, at an instant (epoch ms, UTC)."""

    at_ms: int

    @property
    def key(self) -> str:
        """The fact's name within its message: the same fact always has the same name."""
        return type(self).__name__.lower()


class Accepted(Fact, frozen=True, kw_only=True, tag="accepted"):
    """The platform answered with an id."""

    content: Content


class Held(Fact, frozen=True, kw_only=True, tag="held"):
    """A content rule holds it until a person has looked at it, or its validity is over."""


class Scheduled(Fact, frozen=True, kw_only=True, tag="scheduled"):
    """The platform answered with an id, and keeps it until its time. Where it is replaced, this is what it is now."""

    content: Content
    due_ms: int


class Queued(Fact, frozen=True, kw_only=True, tag="queued"):
    """Routed, priced and charged; handed to the gateway's queue."""

    content: Content
    gateway: str
    route: str
    operator: str
    price_micros: int  # per part
    charge_micros: int  # what the account paid for this message
    rules: int  # number of the snapshot that decided
    bundle: str  # name of the ledger entry that paid
    why: str  # one line: how the route was found
    dispatch: str = ""  # under which name its bridge claims it, where it shares a bundle
    cost_micros: int | None = None  # per part, at `gateway`; None: not known. Where it failed over: domain.costs


class Submitted(Fact, frozen=True, kw_only=True, tag="submitted"):
    """The SMSC took one part."""

    part: int
    parts: int
    gateway: str
    smsc_message_id: str
    session: str
    pdu: PduFields | None = None  # the submit_sm that it answered

    @property
    def key(self) -> str:
        return f"submitted#{self.part:03}"


class Attempted(Fact, frozen=True, kw_only=True, tag="attempted"):
    """The SMSC refused or did not answer one part; what the bridge did next."""

    attempt: int
    part: int
    gateway: str
    error: ErrorInfo
    next: str  # 'retry in 5 s', 'fail over to …', 'hold'

    @property
    def key(self) -> str:
        return f"attempted#{self.gateway}#{self.part:03}#{self.attempt:03}"

    @property
    def failed_over(self) -> bool:
        """Whether the message left this gateway for another one, which it does only with no part taken."""
        return self.next.startswith(FAILED_OVER)


class Receipt(Fact, frozen=True, kw_only=True, tag="receipt"):
    """A delivery receipt of one part, as the SMSC gave it. `at_ms` is when it came, `done_at_ms` what it says."""

    part: int
    parts: int
    gateway: str
    smsc_message_id: str
    status: Status
    state: str  # the SMSC's own word: DELIVRD, UNDELIV …
    error: ErrorInfo | None = None
    done_at_ms: int | None = None
    pdu: PduFields | None = None  # the deliver_sm or data_sm that it came in

    @property
    def key(self) -> str:
        return f"receipt#{self.part:03}#{self.state.lower()}"


class Refunded(Fact, frozen=True, kw_only=True, tag="refunded"):
    """The charge was given back."""

    refund_micros: int


class Final(Fact, frozen=True, kw_only=True, tag="final"):
    """The message reached an end. A later, higher-ranking end stands beside it under its own name."""

    status: Status
    error: ErrorInfo | None = None

    @property
    def key(self) -> str:
        return f"final#{self.status}"


_OVER: typing.Final = {
    status: tuple(Final(at_ms=0, status=other).key for other in FINAL if RANK[other] > RANK[status]) for status in FINAL
}


def ends_over(status: Status) -> tuple[str, ...]:
    """The keys of the ends that would stand over an end with that status."""
    return _OVER[status]


AnyFact = Accepted | Scheduled | Held | Queued | Submitted | Attempted | Receipt | Refunded | Final
