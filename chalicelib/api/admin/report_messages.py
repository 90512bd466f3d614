"""Messages over all accounts: found by what is known of them, and one message's whole life with its PDUs."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api import timeline
from chalicelib.api.admin.report_logs import WebhookRecord, webhook_record
from chalicelib.api.admin.report_types import Number, Page, name_of, span, told
from chalicelib.api.admin.types import AccountId, GatewayId
from chalicelib.api.amounts import Amount
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.message_types import MessageId
from chalicelib.api.timeline import Event
from chalicelib.domain.cdr import Cdr
from chalicelib.domain.facts import AnyFact, Receipt, Submitted
from chalicelib.domain.pdu import PduFields
from chalicelib.domain.status import Status
from chalicelib.services.find_messages import Wanted, check, find
from chalicelib.services.trace_message import trace

endpoints: Final = Endpoints(__name__, tag="Administrators' reports", role="admin")


class MessageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A message's parameters, and what became of it. Amounts are the message's, but for the price: a part's."""

    message_id: str
    account: str
    counted_at: Annotated[datetime, Meta(description="When it was charged, or refused; until then, when it was made.")]
    by: Annotated[str, Meta(description="Who sent it: a user, an API key, or an SMPP login.")]
    source: str
    login: str
    job: str
    client_ref: str | None
    mode: str
    category: str
    mobile_number: str
    message_type: Annotated[str, Meta(description="gsm7, unicode or binary.")]
    flash: bool
    message_length: Annotated[int | None, Meta(description="Characters, or octets of data; null: not kept.")]
    parts: int
    text_hash: Annotated[str, Meta(description="Equal for equal texts of an account.")]
    sender: str
    country: str
    operator: str
    gateway: Annotated[str, Meta(description="That it was charged for.")]
    route: Annotated[str, Meta(description="`default`: the account's default gateway.")]
    rules: int
    price: Amount
    credit: Amount
    refunded: Amount
    cost: Annotated[Amount | None, Meta(description="What the operator asks for it; null: not known.")]
    status: str
    error_code: str | None
    gateway_code: str | None
    description: str
    created_at: datetime
    charged_at: datetime | None
    submitted_at: datetime | None
    submitted_to: Annotated[str, Meta(description="The gateway that took it; another one where it failed over.")]
    done_at: datetime | None
    handset_at: Annotated[datetime | None, Meta(description="When it ended, as the SMSC says.")]
    smsc_ids: tuple[str, ...]


class PduTlvView(msgspec.Struct, frozen=True, kw_only=True):
    """An optional parameter (SMPP 3.4, 5.3)."""

    tag: Annotated[str, Meta(examples=["0x001E"])]
    length: int
    value: Annotated[str, Meta(description="Its first octets, in hexadecimal; of a message_payload none.")]


class PduView(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a PDU as it was on the wire (SMPP 3.4, 4.4 to 4.7), numbers of people masked, without the text."""

    command: Annotated[str, Meta(description="submit_sm, deliver_sm or data_sm.")]
    sequence_number: int
    service_type: str
    source_addr_ton: int
    source_addr_npi: int
    source_addr: str
    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: str
    esm_class: int
    protocol_id: int
    priority_flag: int
    validity_period: str
    registered_delivery: int
    data_coding: int
    sm_length: int
    udh: Annotated[str, Meta(description="The user data header in hexadecimal.")]
    tlvs: tuple[PduTlvView, ...]
    receipt: Annotated[str, Meta(description="A receipt's own fields, `id:… stat:…`, as the SMSC wrote them.")]


class LifeEvent(Event, frozen=True, kw_only=True, omit_defaults=True):
    """One fact of a message's life, with the PDU that it came out of."""

    pdu: PduView | None = None


class MessageLife(msgspec.Struct, frozen=True, kw_only=True):
    """A message, and all that happened to it, in order of time."""

    message: MessageRecord
    events: tuple[LifeEvent, ...]
    deliveries: Annotated[
        tuple[WebhookRecord, ...], Meta(description="What became of the news on their way to its customer's webhooks.")
    ]


class FindQuery(Page, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is looked for. Days are those of the messages' making, and do not matter beside an id."""

    account: AccountId | None = None
    message_id: MessageId | None = None
    smsc_id: (
        Annotated[str, Meta(min_length=1, max_length=64, description="As a response, a receipt or a list has it.")]
        | None
    ) = None
    number: Number | None = None
    text_hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None = None
    gateway: Annotated[GatewayId, Meta(description="That it was charged for, or that took it.")] | None = None
    status: Status | None = None
    sender: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    job: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    route: Annotated[str, Meta(min_length=1, max_length=40, description="`default`: by no route.")] | None = None


class LifeQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose message it is, where that is known."""

    account: AccountId | None = None


@endpoints.get("/v1/admin/reports/messages", faults=("invalid_cursor", "not_found"))
def find_messages_of_all(call: AdminCall, query: FindQuery) -> Listing[MessageRecord]:
    """Find messages over all accounts.

    By id, by an SMSC's id or by number at once; by anything else by going through the days, newest first. Each answer
    does a bounded part of that: a page may be short, or empty, before the last; go on while there is a `next_cursor`.
    """
    days = span(query, call.now_ms)
    name = name_of("all messages", query, days)
    found, after = find(wanted_by(query), days, unseal(call, name, query.cursor), query.limit)
    return Listing(data=tuple(map(record, found)), next_cursor=seal(call, name, after))


@endpoints.get("/v1/admin/reports/messages/{message}")
def read_message_life(call: AdminCall, message: MessageId, query: LifeQuery) -> MessageLife:
    """Read one message's whole life.

    Every fact with its time, and with the fields of the PDU that it came out of.
    """
    life = trace(message, query.account)
    return MessageLife(
        message=record(life.cdr),
        events=tuple(map(_event, life.facts)),
        deliveries=tuple(map(webhook_record, life.deliveries)),
    )


def wanted_by(query: FindQuery) -> Wanted:
    """What the query looks for. Raises Fault `invalid_request`."""
    return check(Wanted(**{field: getattr(query, field) for field in Wanted.__struct_fields__}))


def record(cdr: Cdr) -> MessageRecord:
    """The message as a line of a report."""
    fields = told(cdr)
    return MessageRecord(counted_at=fields.pop("at"), **fields)


def _event(fact: AnyFact) -> LifeEvent:
    plain = timeline.event(fact)
    pdu = fact.pdu if isinstance(fact, Submitted | Receipt) else None
    fields = {name: getattr(plain, name) for name in plain.__struct_fields__}
    return LifeEvent(**fields, pdu=_pdu(pdu) if pdu else None)


def _pdu(pdu: PduFields) -> PduView:
    return PduView(
        command=pdu.command,
        sequence_number=pdu.sequence,
        service_type=pdu.service_type,
        source_addr_ton=pdu.source_ton,
        source_addr_npi=pdu.source_npi,
        source_addr=pdu.source,
        dest_addr_ton=pdu.destination_ton,
        dest_addr_npi=pdu.destination_npi,
        destination_addr=pdu.destination,
        esm_class=pdu.esm_class,
        protocol_id=pdu.protocol_id,
        priority_flag=pdu.priority,
        validity_period=pdu.validity,
        registered_delivery=pdu.registered_delivery,
        data_coding=pdu.data_coding,
        sm_length=pdu.sm_length,
        udh=pdu.udh,
        tlvs=tuple(PduTlvView(tag=f"0x{tlv.tag:04X}", length=tlv.length, value=tlv.value) for tlv in pdu.tlvs),
        receipt=pdu.said,
    )
