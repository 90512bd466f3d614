"""What travels on the queues: bundles, encoded once as JSON, versioned. Steps add to a bundle, never reshape it."""

from typing import Final, Literal

import msgspec

from chalicelib.domain.account import Wallet
from chalicelib.domain.audit import Difference, LedgerSum
from chalicelib.domain.books import Books
from chalicelib.domain.content import Content, Segment
from chalicelib.domain.decision import Decision, Refusal
from chalicelib.domain.esme import EsmeInbound, EsmeItem, EsmeReceipt
from chalicelib.domain.facts import ErrorInfo
from chalicelib.domain.mail import Notice
from chalicelib.domain.pdu import PduFields
from chalicelib.domain.status import Status
from chalicelib.domain.waiting import Window
from chalicelib.domain.webhook_event import Event

__all__ = [
    "EVERYBODY",
    "MAX_BUNDLE_BYTES",
    "MAX_BUNDLE_MESSAGES",
    "VERSION",
    "AcceptedBundle",
    "ArchiveWork",
    "AttemptOutcome",
    "Audit",
    "BadBundle",
    "Bundle",
    "Decision",
    "Dispatch",
    "DispatchBundle",
    "Draft",
    "EndOutcome",
    "EsmeBundle",
    "EsmeInbound",
    "EsmeItem",
    "EsmeReceipt",
    "InboundBundle",
    "InboundDue",
    "InboundOutcome",
    "JobWork",
    "MailBundle",
    "Notice",
    "Outcome",
    "OutcomeBundle",
    "ReceiptOutcome",
    "Refusal",
    "Routed",
    "RoutedBundle",
    "SubmitOutcome",
    "ToldInVain",
    "Visit",
    "WebhookBundle",
    "decode",
    "encode",
    "size_of",
]

VERSION: Final = 1
MAX_BUNDLE_MESSAGES: Final = 98  # a usage line each, wallet and ledger entry: the 100 items of a transaction
MAX_BUNDLE_BYTES: Final = 200_000  # well under SQS's limit, and under DynamoDB's 400 KB where a ledger entry keeps it


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A message that accept answered with an id."""

    id: str
    at_ms: int  # when it was accepted
    content: Content


class Routed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A draft with its decision, or with a refusal; exactly one of them."""

    draft: Draft
    decision: Decision | None = None
    refusal: Refusal | None = None


class AcceptedBundle(msgspec.Struct, frozen=True, kw_only=True, tag="accepted"):
    """⟨accepted⟩: accept → route. A single send's bundle id is the ULID of its message."""

    id: str
    account: str
    messages: tuple[Draft, ...]
    v: int = VERSION


class RoutedBundle(msgspec.Struct, frozen=True, kw_only=True, tag="routed"):
    """⟨billing⟩: route → charge. Same id as the accepted bundle."""

    id: str
    account: str
    messages: tuple[Routed, ...]
    v: int = VERSION


class Dispatch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message for a gateway. `failover` is what is left to try after this one.

    `done`, `attempt` and `in_doubt` are for a message that a bridge hands back in the middle, when it is stopped.
    """

    id: str
    content: Content
    failover: tuple[str, ...] = ()
    done: tuple[int, ...] = ()  # parts, from 1, that the SMSC has taken already
    attempt: int = 0  # how many attempts its timeline has from this gateway
    in_doubt: bool = False  # the SMSC may have it, though it never said so: it may be sent again, but not be paid back


class DispatchBundle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="dispatch"):
    """⟨gateway-ID⟩: charge → bridge, which claims `id` (ids.dispatch_id) before the first submit."""

    id: str
    account: str
    gateway: str
    messages: tuple[Dispatch, ...]
    since_ms: int = 0  # when they came to wait at this gateway
    wait_until_ms: int = 0  # and until when they may, by their account's setting; 0: while they are valid
    v: int = VERSION


class SubmitOutcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="submitted"):
    """The SMSC took a part."""

    account: str
    message: str
    at_ms: int
    part: int
    parts: int
    gateway: str
    smsc_message_id: str
    session: str
    pdu: PduFields | None = None


class AttemptOutcome(msgspec.Struct, frozen=True, kw_only=True, tag="attempted"):
    """The SMSC refused a part, or did not answer, and the bridge goes on."""

    account: str
    message: str
    at_ms: int
    attempt: int
    part: int
    gateway: str
    error: ErrorInfo
    next: str


class EndOutcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="end"):
    """The bridge ends a message without a receipt: refused for good, expired, canceled, unanswered and held."""

    account: str
    message: str
    at_ms: int
    gateway: str
    status: Status
    error: ErrorInfo | None = None
    refundable: bool = True


class ReceiptOutcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="receipt"):
    """A delivery receipt; which message it is for, settle finds by `ids` (every form to look for, raw first)."""

    at_ms: int
    gateway: str
    ids: tuple[str, ...]
    status: Status
    state: str
    done_at_ms: int | None = None
    error: ErrorInfo | None = None
    looked: int = 0  # how often settle has looked for its message in vain
    pdu: PduFields | None = None


class InboundOutcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="inbound"):
    """A message from a handset, or a part of one. `octets` are without a user data header; `coding` is data_coding."""

    id: str  # a ULID
    at_ms: int
    gateway: str
    sender: str
    recipient: str  # E.164 with +, or a short code
    octets: bytes
    coding: int
    segment: Segment | None = None


class InboundDue(msgspec.Struct, frozen=True, kw_only=True, tag="inbound_due"):
    """receive → receive, delayed: a message whose other parts were waited for is told as it is by now."""

    set: str  # see store.inbound_parts
    gateway: str
    sender: str
    recipient: str
    coding: int
    total: int


class ToldInVain(msgspec.Struct, frozen=True, kw_only=True, tag="told_in_vain"):
    """A customer's client refused these, or left them unanswered: settle puts them on its queue once more."""

    login: str
    items: tuple[EsmeItem, ...]
    attempt: int  # how often they have been told in vain


Outcome = SubmitOutcome | AttemptOutcome | EndOutcome | ReceiptOutcome | ToldInVain | InboundOutcome


class OutcomeBundle(msgspec.Struct, frozen=True, kw_only=True, tag="outcomes"):
    """⟨outcomes⟩: bridge → settle. Of many accounts and messages, in the order they happened."""

    id: str
    outcomes: tuple[Outcome, ...]
    v: int = VERSION


class EsmeBundle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="esme"):
    """⟨esme-LOGIN⟩: settle, charge, receive → the bridge that has a receiver of that login, in order of arrival.

    `id` follows from the items and the attempt: SQS takes the same bundle once in five minutes.
    """

    id: str
    login: str
    items: tuple[EsmeItem, ...]
    attempt: int = 0  # how often they have been told in vain
    v: int = VERSION


Stage = Literal["ledger", "messages", "late", "done"]


class Visit(msgspec.Struct, frozen=True, kw_only=True, tag="visit"):
    """⟨visits⟩: a round → look_after. The accounts' messages of the windows are to be looked at."""

    id: str
    accounts: tuple[str, ...]
    windows: tuple[Window, ...]
    v: int = VERSION


class Audit(msgspec.Struct, kw_only=True, omit_defaults=True, tag="audit"):
    """⟨audits⟩: an account's audit, as far as it has got. `cursor` is the last name that was read."""

    id: str
    account: str
    books: Books
    stage: Stage = "ledger"
    cursor: str = ""
    wallet: Wallet | None = None  # as it was before the ledger was read
    wallet_ms: int = 0  # when
    ledger: LedgerSum | None = None
    suspects: tuple[Difference, ...] | None = None  # what the first look found; None: this is the first
    v: int = VERSION


class InboundBundle(msgspec.Struct, frozen=True, kw_only=True, tag="inbound"):
    """⟨inbound⟩: settle → receive. What people wrote, whoever's it is."""

    id: str
    came: tuple[InboundOutcome | InboundDue, ...]
    v: int = VERSION


class WebhookBundle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="webhooks"):
    """⟨webhooks⟩ and ⟨webhooks-slow⟩: events → the function that calls `endpoint` (an id, or domain.webhook.CALLBACKS).

    `url` is where a message's own callback_url leads; '': to the endpoint's. `attempts`: how many each event has had.
    """

    id: str
    account: str
    endpoint: str
    events: tuple[Event, ...]
    url: str = ""
    attempts: int = 0
    v: int = VERSION


class JobWork(msgspec.Struct, frozen=True, kw_only=True, tag="job"):
    """⟨jobs⟩: have a job go on. What is to be done, the job's row says; `at` is where it stood when this was sent.

    prepare: read recipients, from chunk `at` on. start: it is due, at that instant (ms). feed: send, from recipient
    `at` on. report: make the file of results that is called `id`. file: make the file of the report that `job` names.
    Of contacts, where `job` names an import, an export, or a group: import, export, forget (what was in a group that is
    deleted).
    """

    id: str
    account: str
    job: str
    stage: Literal["prepare", "start", "feed", "report", "file", "admin_file", "import", "export", "forget"]
    at: int = 0
    v: int = VERSION


class MailBundle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="mail"):
    """⟨mails⟩: whoever has something to tell → address_notice → send_mail. It has a notice, or a mail's id.

    `account` is domain.mail.NOBODYS for what administrators are told.
    """

    id: str
    account: str
    at_ms: int
    notice: Notice | None = None
    mail: str = ""
    v: int = VERSION


EVERYBODY: Final = "-"  # as the account: all of them


class ArchiveWork(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="archive"):
    """⟨archives⟩: have the archive go on by a step. It goes on behind `cursor`, with part number `part`.

    close: fold an account's day into the archive, for good where it is `final`; where that was done, only `if_changed`
    since. blank: take the texts out of an account's day. export: make the file that is called `id`. erase: go on with
    the erasure that is called `id`.
    """

    id: str
    account: str  # EVERYBODY: of all
    what: Literal["close", "blank", "export", "erase"]
    day: str = ""
    part: int = 0
    cursor: str = ""
    final: bool = False
    until: str = ""
    if_changed: bool = False
    v: int = VERSION


Bundle = (
    AcceptedBundle
    | RoutedBundle
    | DispatchBundle
    | OutcomeBundle
    | EsmeBundle
    | Visit
    | Audit
    | InboundBundle
    | WebhookBundle
    | JobWork
    | MailBundle
    | ArchiveWork
)
BadBundle = msgspec.DecodeError  # what decode raises, ValidationError included

_encoder: Final = msgspec.json.Encoder()
_decoder: Final[msgspec.json.Decoder[Bundle]] = msgspec.json.Decoder(Bundle)


def encode(bundle: Bundle) -> str:
    """The bundle as the body of one SQS message."""
    return _encoder.encode(bundle).decode()


def size_of(draft: Draft) -> int:
    """How many octets a draft adds to its bundle."""
    return len(_encoder.encode(draft)) + 1


def decode(body: str) -> Bundle:
    """The bundle in an SQS message's body. Raises BadBundle."""
    return _decoder.decode(body)
