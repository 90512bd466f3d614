"""A customer with node-smpp: every way to bind, every kind of text, a thousand messages: all arrives as was meant."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain import gsm
from tests.figures import FIGURE
from tests.flows.platform import Administrator, Smsc
from tests.interop import node

pytestmark = [pytest.mark.flow, pytest.mark.skipif(node.MISSING is not None, reason=str(node.MISSING))]
Number = Callable[..., str]

MANY = 1_000
WINDOW = 50
INVALID_PASSWORD = 0x0E
IA5, UCS2, FLASH = 1, 8, 0x10
EXTENSION = "¡Año {nuevo}! [20 €] ^~|\\ ¿@_$? ñ Ñ ü"
EMOJI = "Llegó el paquete 📦 a casa de Núñez 👩‍👩‍👧"
LONG = "Su pedido sale hoy de Zaragoza y llega mañana. " * 8  # three parts of GSM


@pytest.fixture(scope="module")
def smpp(card: dict[str, Any], administrator: Administrator) -> dict[str, Any]:
    """A login of the demo account whose client means GSM by data_coding 1, as node-smpp does."""
    opened = administrator.create(
        f"accounts/{card['account']}/smpp-logins",
        {"name": "node-smpp", "system_id": "node", "data_coding_1": "gsm", "window": WINDOW, "per_second": 5_000},
    )
    return {**card["smpp"], "system_id": "node", "password": opened["password"]}


@pytest.mark.parametrize(
    "how",
    [
        {"bind": "transceiver"},
        {"bind": "transmitter"},
        {"bind": "receiver"},
        {"bind": "transceiver", "tls": True},
        {"bind": "transceiver", "interface_version": 0x33},
    ],
    ids=lambda how: " ".join(str(value) for value in how.values()),
)
def test_a_session_is_bound_and_unbound(smpp: dict[str, Any], how: dict[str, Any]) -> None:
    session = node.session(smpp, **how)
    assert (session.bind_status, session.unbind_status, session.errors) == (0, 0, [])


def test_a_wrong_password_is_refused(smpp: dict[str, Any]) -> None:
    session = node.session(smpp, password="wrong")
    assert (session.bind_status, session.unbind_status) == (INVALID_PASSWORD, None)


def test_every_kind_of_text_arrives_as_it_was_written_with_its_receipt(
    smpp: dict[str, Any], smsc: Smsc, number: Number
) -> None:
    parts = [LONG[at : at + 153] for at in range(0, len(LONG), 153)]
    kinds: dict[str, tuple[str, list[dict[str, Any]]]] = {
        "GSM with its extension, by node-smpp's own choice": (EXTENSION, [{"text": EXTENSION}]),
        "GSM as the default alphabet": (EXTENSION, [{"hex": gsm.encode(EXTENSION).hex(), "data_coding": 0}]),
        "Latin-1, by its own choice": ("¡Olá! ÇÃO êîô", [{"text": "¡Olá! ÇÃO êîô"}]),
        "UCS-2 with emoji": (EMOJI, [{"text": EMOJI, "data_coding": UCS2}]),
        "three parts by a header": (
            LONG,
            [
                {"text": part, "data_coding": 0, "udh": f"0500037F{len(parts):02X}{at:02X}"}
                for at, part in enumerate(parts, 1)
            ],
        ),
        "three parts by SAR parameters": (
            LONG,
            [
                {
                    "text": part,
                    "data_coding": 0,
                    "sar_msg_ref_num": 4711,
                    "sar_total_segments": len(parts),
                    "sar_segment_seqnum": at,
                }
                for at, part in enumerate(parts, 1)
            ],
        ),
        "all of it as message_payload": (LONG, [{"text": LONG, "data_coding": 0, "payload": True}]),
        "flash": ("Su código: 4711", [{"hex": gsm.encode("Su codigo: 4711").hex(), "data_coding": FLASH}]),
    }
    assert len(parts) == 3
    to = {kind: number() for kind in kinds}
    submits = [
        {"source_addr": "Chasqui", "source_addr_ton": 5, "destination_addr": to[kind], "dest_addr_ton": 1} | submit
        for kind, (_, submits) in kinds.items()
        for submit in submits
    ]
    asked = [{**submit, "registered_delivery": 1} for submit in submits]
    session = node.session(smpp, asked, deliveries=len(asked), window=len(asked), seconds=30)
    assert session.errors == []
    assert {response["status"] for response in session.responses} == {0}
    for kind, (text, _) in kinds.items():
        (received,) = smsc.received(to[kind])
        assert received["text"] == text.replace("código", "codigo"), kind
    (flash,) = smsc.received(to["flash"])
    assert flash["data_coding"] & 0x13 == 0x10, flash
    receipts = {delivered["id"]: delivered for delivered in session.delivered}
    assert set(receipts) == {response["id"] for response in session.responses}
    assert all("stat:DELIVRD" in delivered["text"] for delivered in receipts.values())


def test_a_thousand_messages_arrive_once_each_and_all_receipts_come_back(
    smpp: dict[str, Any], smsc: Smsc, number: Number, record_property: Callable[[str, object], None]
) -> None:
    sent = {number(): f"Mensaje {at} de mil: [ñ] €{at}" for at in range(MANY)}
    submits = [
        {
            "source_addr": "Chasqui",
            "source_addr_ton": 5,
            "destination_addr": to,
            "dest_addr_ton": 1,
            "registered_delivery": 1,
            "text": text,
        }
        for to, text in sent.items()
    ]
    session = node.session(smpp, submits, deliveries=MANY, window=WINDOW)
    assert session.errors == []
    assert session.most_outstanding == WINDOW
    assert Counter(response["status"] for response in session.responses) == {0: MANY}
    ids = [response["id"] for response in session.responses]
    assert len(set(ids)) == MANY
    assert sorted(delivered["id"] for delivered in session.delivered) == sorted(ids)
    assert {delivered["state"] for delivered in session.delivered} == {2}
    arrived = [(f"+{message['to']}", message["text"]) for message in smsc.messages() if f"+{message['to']}" in sent]
    assert sorted(arrived) == sorted(sent.items())
    record_property(FIGURE, f"node-smpp: {MANY} messages with receipts, {WINDOW} outstanding")
