"""The truthful counter: what was accepted, with its parts joined as a handset joins them."""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from chalicelib.domain.text import Encoding, decode
from infra.local.smsc.counters import Counters
from smpp_bridge.protocol.pdu import SubmitSm

# Bounds of memory: the oldest go first.
MAX_MESSAGES: Final = 200_000
MAX_UNJOINED: Final = 10_000
MAX_FINGERPRINTS: Final = 1_000_000

_UDHI: Final = 0x40
# SMPP 3.4, 5.2.19; with a message class: 0xF0 to 0xF3, and by 3GPP TS 23.038, section 4, 0x10 and 0x18 to the third.
_CODINGS: Final = {0x00: Encoding.GSM7, 0x08: Encoding.UCS2} | {
    first + message_class: encoding
    for first, encoding in ((0xF0, Encoding.GSM7), (0x10, Encoding.GSM7), (0x18, Encoding.UCS2))
    for message_class in range(4)
}

JoinKey = tuple[str, str, int, int]  # source, destination, reference, total


class Segment(Struct, frozen=True):
    """Where a part belongs; the octets are without the user data header."""

    octets: bytes
    reference: int | None = None
    total: int = 1
    number: int = 1


class Recorded(Struct):
    """One message as the recipient would see it, and how it was sent. `parts` are submits: number -> (id, octets)."""

    source: str
    destination: str
    data_coding: int
    esm_class: int
    priority: int
    validity: str
    total: int
    parts: dict[int, tuple[str, bytes]]

    def shown(self) -> dict[str, Any]:
        """For JSON: the joined text decoded by its data_coding, and the ids in the order of the parts."""
        numbers = sorted(self.parts)
        octets = b"".join([self.parts[number][1] for number in numbers])
        encoding = _CODINGS.get(self.data_coding, Encoding.BINARY)
        return {
            "from": self.source,
            "to": self.destination,
            "text": decode(octets, encoding),
            "encoding": encoding.value,
            "data_coding": self.data_coding,
            "esm_class": self.esm_class,
            "priority": self.priority,
            "validity_period": self.validity,
            "total": self.total,
            "parts": numbers,
            "message_ids": [self.parts[number][0] for number in numbers],
        }


class Recorder:
    """Remembers accepted submits, and which of them it has seen before."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._messages: deque[Recorded] = deque()
        self._unjoined: OrderedDict[JoinKey, Recorded] = OrderedDict()
        self._fingerprints: OrderedDict[int, None] = OrderedDict()
        self._by_destination: Counter[str] = Counter()

    def reset(self) -> None:
        for memory in (self._messages, self._unjoined, self._fingerprints, self._by_destination):
            memory.clear()

    def record(self, pdu: SubmitSm, message_id: str) -> None:
        """Take an accepted submit_sm into account."""
        self._note_duplicate(pdu)
        part = segment(pdu)
        if part.reference is None:
            self._keep(_recorded(pdu, part, message_id))
            return
        key = (pdu.source_addr, pdu.destination_addr, part.reference, part.total)
        message = self._unjoined.get(key)
        if message is None:
            message = self._unjoined[key] = _recorded(pdu, part, message_id)
            if len(self._unjoined) > MAX_UNJOINED:
                self._unjoined.popitem(last=False)
        message.parts[part.number] = (message_id, part.octets)
        if len(message.parts) == part.total:
            del self._unjoined[key]
            self._keep(message)

    def messages(self, destination: str | None, limit: int) -> list[dict[str, Any]]:
        """The latest `limit` messages (to `destination`), oldest first; those that lack parts come last."""
        found: list[Recorded] = []
        for message in self._latest():
            if len(found) == limit:
                break
            if destination is None or message.destination == destination:
                found.append(message)
        return [message.shown() for message in reversed(found)]

    def repeated_destinations(self) -> int:
        """Destinations that got more than one whole message."""
        return sum(1 for count in self._by_destination.values() if count > 1)

    def _latest(self) -> Iterator[Recorded]:
        yield from reversed(self._unjoined.values())
        yield from reversed(self._messages)

    def _keep(self, message: Recorded) -> None:
        self._messages.append(message)
        self._by_destination[message.destination] += 1
        if len(self._messages) > MAX_MESSAGES:
            gone = self._messages.popleft().destination
            self._by_destination[gone] -= 1
            if not self._by_destination[gone]:
                del self._by_destination[gone]
        self._counters.messages += 1
        self._counters.destinations = len(self._by_destination)

    def _note_duplicate(self, pdu: SubmitSm) -> None:
        fingerprint = hash((pdu.source_addr, pdu.destination_addr, pdu.short_message, pdu.tlvs))
        if fingerprint in self._fingerprints:
            self._counters.duplicates += 1
            return
        self._fingerprints[fingerprint] = None
        if len(self._fingerprints) > MAX_FINGERPRINTS:
            self._fingerprints.popitem(last=False)


def segment(pdu: SubmitSm) -> Segment:
    """What part of what message a submit_sm is: by user data header, by SAR parameters, or all of it."""
    octets = pdu.content
    if pdu.esm_class & _UDHI:
        return _by_header(octets)
    if pdu.tlvs and pdu.sar_msg_ref_num is not None:
        total, number = pdu.sar_total_segments, pdu.sar_segment_seqnum
        if total and number and number <= total:
            return Segment(octets, pdu.sar_msg_ref_num, total, number)
    return Segment(octets)


def _by_header(octets: bytes) -> Segment:
    """3GPP TS 23.040 section 9.2.3.24: elements 0x00 and 0x08 are concatenation with an 8 and a 16 bit reference."""
    length = octets[0] if octets else 0
    header, text = octets[1 : 1 + length], octets[1 + length :]
    at = 0
    while at + 2 <= len(header):
        element, size = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + size]
        if (element, len(value)) in {(0x00, 3), (0x08, 4)}:
            total, number = value[-2:]
            if 1 <= number <= total:
                return Segment(text, int.from_bytes(value[:-2]), total, number)
        at += 2 + size
    return Segment(text)


def _recorded(pdu: SubmitSm, part: Segment, message_id: str) -> Recorded:
    return Recorded(
        source=pdu.source_addr,
        destination=pdu.destination_addr,
        data_coding=pdu.data_coding,
        esm_class=pdu.esm_class,
        priority=pdu.priority_flag,
        validity=pdu.validity_period,
        total=part.total,
        parts={part.number: (message_id, part.octets)},
    )
