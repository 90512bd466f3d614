"""What the SMSC sends us: receipts and what people write, each acknowledged once it is in SQS."""

import logging
from typing import Final

from chalicelib.domain.facts import ErrorInfo
from chalicelib.domain.receipts import Receipt, id_forms, is_receipt, parse_receipt
from chalicelib.domain.rules import Gateway
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding, decode
from chalicelib.wire import Outcome, ReceiptOutcome
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.gateways.counts import Counts
from smpp_bridge.gateways.gatherer import Gatherer
from smpp_bridge.gateways.inbound import inbound_of
from smpp_bridge.gateways.link import Link
from smpp_bridge.gateways.pdu_fields import of_receipt
from smpp_bridge.protocol.pdu import DataSm, DeliverSm, Pdu
from smpp_bridge.protocol.status import Status as CommandStatus

_UDHI: Final = 0x40  # esm_class, section 5.2.12
_UCS2: Final = 0x08  # data_coding, section 5.2.19
# What a customer reads of a receipt that is no delivery.
_TITLES: Final[dict[Status, str]] = {
    Status.UNDELIVERED: "The operator could not deliver the message.",
    Status.EXPIRED: "The validity ended before the operator could deliver the message.",
    Status.REJECTED: "The operator rejected the message.",
    Status.UNKNOWN: "The operator does not know what became of the message.",
}
_CODES: Final[dict[Status, str]] = {
    Status.UNDELIVERED: "undelivered",
    Status.EXPIRED: "expired_at_operator",
    Status.REJECTED: "rejected_by_operator",
    Status.UNKNOWN: "unknown_to_operator",
}

_log: Final = logging.getLogger(__name__)


class _Answer:
    """Answers a receipt when its outcome is durable, or puts it off."""

    __slots__ = ("_counts", "_link", "_request")

    def __init__(self, link: Link, request: Pdu, counts: Counts) -> None:
        self._link = link
        self._request = request
        self._counts = counts

    def kept(self) -> None:
        self._link.reply(self._request, CommandStatus.OK)

    def lost(self) -> None:
        self._counts.receipts_put_off += 1
        self._link.reply(self._request, CommandStatus.TEMPORARY_APP_ERROR)


class ReceiptDesk:
    """One gateway's."""

    def __init__(self, gateway: Gateway, *, outcomes: Gatherer[Outcome], counts: Counts, clock: Clock) -> None:
        self._outcomes = outcomes
        self._counts = counts
        self._clock = clock
        self.change(gateway)

    def change(self, gateway: Gateway) -> None:
        """The gateway's settings are these from now on."""
        self._gateway = gateway

    def take(self, link: Link, request: Pdu) -> None:
        """Take a request of the SMSC; it is answered now or later."""
        if not isinstance(request, DeliverSm | DataSm):
            return  # alert_notification: it has no answer, and nobody asked for it
        text = _text_of(request)
        if request.receipted_message_id is None and not is_receipt(request.esm_class, text):
            self._take_inbound(link, request)
            return
        receipt = parse_receipt(
            text,
            receipted_message_id=request.receipted_message_id,
            message_state=request.message_state,
            network_error_code=request.network_error_code,
            utc_offset_minutes=self._gateway.receipt_utc_offset_minutes,
        )
        if receipt is None:
            self._refuse_unreadable(link, request)
        elif self._outcomes.full:
            _Answer(link, request, self._counts).lost()
        else:
            link.last_receipt_at = self._clock.monotonic()
            self._counts.receipts[receipt.state] += 1
            self._outcomes.add(self._outcome(receipt, request), _Answer(link, request, self._counts))

    def _outcome(self, receipt: Receipt, request: DeliverSm | DataSm) -> ReceiptOutcome:
        return ReceiptOutcome(
            at_ms=self._clock.epoch_ms(),
            gateway=self._gateway.id,
            ids=id_forms(receipt.id, self._gateway.message_id_form),
            status=receipt.status,
            state=receipt.state,
            done_at_ms=receipt.done_ms,
            error=_error_of(receipt),
            pdu=of_receipt(request, receipt.text),
        )

    def _take_inbound(self, link: Link, request: DeliverSm | DataSm) -> None:
        if self._outcomes.full:
            _Answer(link, request, self._counts).lost()
            return
        self._counts.inbound += 1
        outcome = inbound_of(request, self._gateway.id, link.name, self._clock.epoch_ms())
        self._outcomes.add(outcome, _Answer(link, request, self._counts))

    def _refuse_unreadable(self, link: Link, request: DeliverSm | DataSm) -> None:
        """Its text is not logged: where a receipt cannot be read, it may hold anything."""
        self._counts.unreadable_receipts += 1
        _log.error("receipt without id or state refused", extra={"gateway": self._gateway.id, "session": link.name})
        link.reply(request, CommandStatus.REJECTED_BY_APP)


def _text_of(request: DeliverSm | DataSm) -> str:
    octets = request.content
    if request.esm_class & _UDHI and octets:
        octets = octets[1 + octets[0] :]
    return decode(octets, Encoding.UCS2) if request.data_coding == _UCS2 else octets.decode("latin-1")


def _error_of(receipt: Receipt) -> ErrorInfo | None:
    status = receipt.status
    if status not in _CODES:
        return None
    return ErrorInfo(code=_CODES[status], title=_TITLES[status], gateway_code=receipt.err)
