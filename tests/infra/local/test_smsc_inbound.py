"""The simulator's handsets write as POST /inbound asks, or it says why they cannot."""

import asyncio
import json

import pytest

from infra.local.smsc import Config, Smsc
from infra.local.smsc.inbound import Written, inbound_of
from tests.infra.local.esme import Esme
from tests.infra.local.test_smsc_admin import http

WRITTEN = {"from": "+34600000001", "to": "12345", "text": "hola"}


def test_what_is_written_goes_to_whoever_is_bound() -> None:
    async def main() -> None:
        async with Smsc(Config()) as smsc:
            assert smsc.admin_port is not None
            status, told = await http(smsc.admin_port, "POST", "/inbound", json.dumps(WRITTEN).encode())
            assert (status, told["error"]) == (400, "no session is bound that receives")
            esme = await Esme.bound(smsc.port)
            answer = await http(smsc.admin_port, "POST", "/inbound", json.dumps(WRITTEN).encode())
            assert answer == (200, {"pdus": 1})
            await esme.until(lambda: smsc.stats.receipts_acked == 1)
            esme.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    "change",
    [{"from": "@"}, {"to": ""}, {"order": [9]}, {"data": "***", "text": ""}, {"form": "carrier pigeon"}, {"color": 1}],
)
def test_what_cannot_be_written_is_refused(change: dict[str, object]) -> None:
    async def main() -> None:
        async with Smsc(Config()) as smsc:
            assert smsc.admin_port is not None
            esme = await Esme.bound(smsc.port)
            status, _ = await http(smsc.admin_port, "POST", "/inbound", json.dumps(WRITTEN | change).encode())
            assert status == 400
            esme.close()

    asyncio.run(main())


def test_parts_go_in_the_order_and_as_often_as_asked_for() -> None:
    written = Written(sender="+34600000001", to="12345", text="x" * 300, form="sar", order=(2, 1, 1))
    numbers = [mail.pdu.sar_segment_seqnum for mail in inbound_of(written, "demo")]
    assert numbers == [2, 1, 1]
