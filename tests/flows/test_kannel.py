"""A customer with Kannel: bearerbox bound as transceiver, and as transmitter and receiver; texts and receipts."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flows.platform import Administrator, Smsc
from tests.interop import kannel
from tests.interop.kannel import Kannel

pytestmark = [pytest.mark.flow, pytest.mark.skipif(kannel.MISSING is not None, reason=str(kannel.MISSING))]
Number = Callable[..., str]

MANY = 1_000
WINDOW = 50
SECONDS = 60.0
# dlr-url's %d: 1 delivered, 2 not delivered, 8 handed to the SMSC
DELIVERED, HANDED_OVER = 1, 8
EXTENSION = "¡Año {nuevo}! [20 €] ^~|\\ ¿@_$? ñ Ñ ü"
EMOJI = "Llegó el paquete 📦 a casa de Núñez 👩‍👩‍👧"
LONG = "Su pedido sale hoy de Zaragoza y llega mañana. " * 8  # three parts of GSM
UCS2 = 2  # Kannel's `coding`


@pytest.fixture(scope="module")
def smpp(card: dict[str, Any], administrator: Administrator) -> dict[str, Any]:
    """A login of the demo account for Kannel."""
    opened = administrator.create(
        f"accounts/{card['account']}/smpp-logins",
        {"name": "Kannel", "system_id": "kannel", "window": WINDOW, "per_second": 5_000, "max_sessions": 4},
    )
    return {**card["smpp"], "system_id": "kannel", "password": opened["password"], "window": WINDOW}


def until(condition: Callable[[], bool], told: Callable[[], object]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, told()
        time.sleep(0.1)


def whole(boxes: Kannel, name: str) -> bool:
    """Whether both have come: what the platform answered, and what became of it."""
    return set(boxes.receipts.get(name, ())) >= {HANDED_OVER, DELIVERED}


@pytest.mark.parametrize("two_sessions", [False, True], ids=["transceiver", "transmitter and receiver"])
def test_every_kind_of_text_arrives_as_it_was_written_with_its_receipt(
    smpp: dict[str, Any], smsc: Smsc, number: Number, tmp_path: Path, two_sessions: bool
) -> None:
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "extension": (EXTENSION, {}),
        "emoji": (EMOJI, {"coding": UCS2}),
        "long": (LONG, {}),
        "flash": ("Su clave: 4711", {"mclass": 0}),
    }
    to = {kind: number() for kind in kinds}
    with kannel.running(tmp_path, smpp, two_sessions=two_sessions) as boxes:
        until(boxes.online, boxes.log)
        with httpx.Client() as client:
            for kind, (text, more) in kinds.items():
                boxes.send(client, kind, to[kind], text, **more)
        until(lambda: all(whole(boxes, kind) for kind in kinds), lambda: (boxes.receipts, boxes.log()[-3000:]))
    for kind, (text, _) in kinds.items():
        (received,) = smsc.received(to[kind])
        assert received["text"] == text, kind
    (flash,) = smsc.received(to["flash"])
    assert flash["data_coding"] & 0x13 == 0x10, flash


def test_a_wrong_password_keeps_it_out(smpp: dict[str, Any], tmp_path: Path) -> None:
    with kannel.running(tmp_path, smpp, password="wrong") as boxes:
        until(lambda: "0x0000000e" in boxes.log().lower(), boxes.log)
        assert not boxes.online()


def test_a_thousand_messages_arrive_once_each_and_all_receipts_come_back(
    smpp: dict[str, Any], smsc: Smsc, number: Number, tmp_path: Path
) -> None:
    sent = {number(): f"Mensaje {at} de {MANY}: [ñ] €{at}" for at in range(MANY)}
    with kannel.running(tmp_path, smpp) as boxes:
        until(boxes.online, boxes.log)
        with httpx.Client() as client:
            for to, text in sent.items():
                boxes.send(client, to.removeprefix("+"), to, text)
        until(
            lambda: len(boxes.receipts) == MANY and all(whole(boxes, to.removeprefix("+")) for to in sent),
            lambda: (len(boxes.receipts), sum(whole(boxes, to.removeprefix("+")) for to in sent), boxes.log()[-2000:]),
        )
        told = [boxes.receipts[to.removeprefix("+")] for to in sent]
    assert all(sorted(statuses) == [DELIVERED, HANDED_OVER] for statuses in told)
    arrived = [(f"+{message['to']}", message["text"]) for message in smsc.messages() if f"+{message['to']}" in sent]
    assert sorted(arrived) == sorted(sent.items())
