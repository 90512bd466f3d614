"""A simulator and an ESME bound to it, for a test to walk through."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from infra.local.smsc import Config, Smsc
from smpp_bridge.protocol.pdu import BindReceiver, BindTransceiver, BindTransmitter, DataSm, DeliverSm
from tests.infra.local.esme import Esme

QUICK = Config(receipt_delay_seconds=0.02, receipt_retry_seconds=0.05, admin_port=None)
RECEIPT = re.compile(
    r"id:(?P<id>\S+) sub:001 dlvrd:(?P<dlvrd>\d{3}) submit date:\d{10} done date:\d{10} "
    r"stat:(?P<stat>[A-Z]{7}) err:(?P<err>\w{3}) text:(?P<text>.{0,20})"
)
PREFIX = "521555123"


def run(scenario: Callable[[Smsc], Awaitable[None]], config: Config = QUICK) -> None:
    async def whole() -> None:
        async with Smsc(config) as smsc:
            await scenario(smsc)

    asyncio.run(whole())


@asynccontextmanager
async def bound(
    smsc: Smsc, request: BindTransceiver | BindTransmitter | BindReceiver | None = None
) -> AsyncIterator[Esme]:
    esme = await Esme.bound(smsc.port, request)
    try:
        yield esme
    finally:
        esme.close()


def text_of(receipt: DeliverSm | DataSm) -> dict[str, str]:
    found = RECEIPT.fullmatch(receipt.content.decode("ascii"))
    assert found, receipt.content
    return found.groupdict()


async def settled(smsc: Smsc, **expected: int) -> None:
    """Wait until the counters say so."""
    async with asyncio.timeout(5):
        while any(getattr(smsc.stats, name) != value for name, value in expected.items()):
            await asyncio.sleep(0.005)
