"""A customer over SMPP, from its bind to its receipts: by whichever session, now or after it was away."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from smpp_bridge.protocol.events import BindRefused, Bound
from smpp_bridge.protocol.pdu import Bind, BindReceiver, BindTransceiver, BindTransmitter, DeliverSm
from smpp_bridge.protocol.status import Status
from tests.flows.platform import Administrator, Customer, Smsc
from tests.infra.local.esme import Esme

pytestmark = pytest.mark.flow
Number = Callable[..., str]
PATIENCE_SECONDS = 30.0


@pytest.fixture(scope="module")
def shop(card: dict[str, Any], administrator: Administrator, smsc: Smsc) -> dict[str, Any]:
    """An account of its own with credit for a hundred messages, and its SMPP login, open."""
    customer, account = opened(administrator, "4.5")
    return {**card["smpp"], **login_of(administrator, account, "shop"), "customer": customer, "account": account}


def opened(administrator: Administrator, credit: str) -> tuple[Customer, str]:
    customer = administrator.customer(credit, default_region="ES")
    return customer, str(customer.call("GET", "/v1/account").json()["id"])


def login_of(administrator: Administrator, account: str, system_id: str, **settings: Any) -> dict[str, Any]:
    login = {"name": "a test's", "system_id": system_id, "window": 50, "per_second": 1_000, **settings}
    told = administrator.create(f"accounts/{account}/smpp-logins", login)
    return {"system_id": system_id, "password": told["password"]}


@asynccontextmanager
async def bound(smpp: dict[str, Any], kind: type[Bind] = BindTransceiver) -> AsyncIterator[Esme]:
    """A bound session; a login that was opened a moment ago is waited for."""
    request = kind(system_id=smpp["system_id"], password=smpp["password"], interface_version=0x34)
    end = time.monotonic() + PATIENCE_SECONDS
    while not (esme := await Esme.bound(smpp["port"], request)).of(Bound):
        assert esme.of(BindRefused) == [BindRefused(Status.BIND_FAILED)]
        assert time.monotonic() < end
        esme.close()
    try:
        yield esme
    finally:
        esme.session.unbind(esme.loop.time())
        esme.flush()
        with contextlib.suppress(TimeoutError):
            await esme.until(lambda: esme.closed)
        esme.close()


async def answered(esme: Esme, to: str, text: bytes = b"hola", **fields: object) -> str:
    """The id that a submit was answered with."""
    before = len(esme.responses)
    esme.submit(to.removeprefix("+"), text, source_addr_ton=5, dest_addr_ton=1, **fields)
    await esme.until(lambda: len(esme.responses) > before)
    response = esme.responses[-1]
    assert response.status == Status.OK, hex(response.status)
    return response.message_id


async def receipts(esme: Esme, count: int) -> list[str]:
    """The texts of the receipts, once so many have come."""
    end = time.monotonic() + PATIENCE_SECONDS
    while len(esme.receipts) < count:
        assert time.monotonic() < end, esme.events
        await asyncio.sleep(0.05)
    assert all(isinstance(one, DeliverSm) and one.esm_class & 0x3C == 0x04 for one in esme.receipts)
    return [receipt.content.decode() for receipt in esme.receipts]


@pytest.mark.parametrize(
    ("outcome", "state"), [("7777", "DELIVRD"), ("0001", "UNDELIV"), ("0003", "REJECTD"), ("0010", "REJECTD")]
)
def test_a_submit_becomes_a_message_and_its_end_a_receipt(
    shop: dict[str, Any], number: Number, outcome: str, state: str
) -> None:
    async def main() -> str:
        async with bound(shop) as esme:
            message_id = await answered(esme, number(outcome))
            (receipt,) = await receipts(esme, 1)
            assert receipt.startswith(f"id:{message_id} ")
            assert f" stat:{state} " in receipt
            return message_id

    message = shop["customer"].final(asyncio.run(main()))
    assert message["status"] == {"DELIVRD": "delivered", "UNDELIV": "undelivered", "REJECTD": "rejected"}[state]


def test_a_receipt_waits_for_a_customer_that_is_away_and_comes_once(shop: dict[str, Any], number: Number) -> None:
    async def send() -> list[str]:
        async with bound(shop, BindTransmitter) as esme:
            return [await answered(esme, number()) for _ in range(3)]

    async def fetch(count: int) -> list[str]:
        async with bound(shop, BindReceiver) as esme:
            told = await receipts(esme, count)
            await asyncio.sleep(0.3)
            assert len(esme.receipts) == count
            return told

    sent = asyncio.run(send())
    for message_id in sent:
        shop["customer"].final(message_id)
    told = asyncio.run(fetch(3))
    assert sorted(receipt.split()[0] for receipt in told) == sorted(f"id:{message_id}" for message_id in sent)
    assert asyncio.run(fetch(0)) == []


def test_a_receipt_goes_to_the_receiver_when_another_session_sent(shop: dict[str, Any], number: Number) -> None:
    async def main() -> None:
        async with bound(shop, BindReceiver) as receiver, bound(shop, BindTransmitter) as sender:
            message_id = await answered(sender, number())
            (receipt,) = await receipts(receiver, 1)
            assert receipt.startswith(f"id:{message_id} ")
            assert sender.receipts == []

    asyncio.run(main())


def test_parts_are_one_message_with_one_price_and_a_receipt_each(
    shop: dict[str, Any], smsc: Smsc, number: Number
) -> None:
    text = "Su pedido sale hoy de Zaragoza y llega a casa antes de las nueve. " * 6
    parts = [text[at : at + 153].encode() for at in range(0, len(text), 153)]
    to = number()

    async def main() -> list[str]:
        async with bound(shop) as esme:
            sent = [
                await answered(esme, to, bytes((5, 0, 3, 77, len(parts), at)) + part, esm_class=0x40)
                for at, part in enumerate(parts, 1)
            ]
            told = await receipts(esme, len(parts))
            assert sorted(receipt.split()[0] for receipt in told) == sorted(f"id:{one}" for one in sent)
            return sent

    first, *_ = asyncio.run(main())
    message = shop["customer"].final(first)
    assert (message["parts"], message["price"]) == (3, "0.135")
    (received,) = smsc.received(to)
    assert (received["text"], received["total"]) == (text, 3)


def test_who_asks_for_no_receipt_gets_none_and_one_of_failures_of_failures_alone(
    shop: dict[str, Any], number: Number
) -> None:
    async def main() -> None:
        async with bound(shop) as esme:
            silent = await answered(esme, number(), registered_delivery=0)
            delivered = await answered(esme, number(), registered_delivery=2)
            failed = await answered(esme, number("0001"), registered_delivery=2)
            (receipt,) = await receipts(esme, 1)
            assert receipt.startswith(f"id:{failed} ")
            for message_id in (silent, delivered):
                await asyncio.to_thread(shop["customer"].final, message_id)
            await asyncio.sleep(0.3)
            assert len(esme.receipts) == 1

    asyncio.run(main())


def test_a_session_is_seen_by_its_customer_and_the_administrator_while_it_is_bound(
    shop: dict[str, Any], administrator: Administrator
) -> None:
    def seen() -> list[dict[str, Any]]:
        path = f"/v1/admin/smpp-logins/{shop['system_id']}/sessions"
        return list(administrator.call("GET", path).raise_for_status().json()["data"])

    async def main() -> None:
        async with bound(shop, BindReceiver):
            (one,) = await asyncio.to_thread(seen)
            assert (one["bind"], one["address"], one["account"]) == ("receiver", "127.0.0.1", shop["account"])
            answer = await asyncio.to_thread(shop["customer"].call, "GET", "/v1/account/smpp-sessions")
            assert [own["id"] for own in answer.json()["data"]] == [one["id"]]

    asyncio.run(main())
    end = time.monotonic() + PATIENCE_SECONDS
    while seen():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_without_credit_a_submit_is_refused_for_good(
    card: dict[str, Any], administrator: Administrator, number: Number
) -> None:
    _, account = opened(administrator, "0")
    smpp = {**card["smpp"], **login_of(administrator, account, "poor")}

    async def main() -> int:
        async with bound(smpp) as esme:
            esme.submit(number().removeprefix("+"), source_addr_ton=5, dest_addr_ton=1)
            await esme.until(lambda: bool(esme.responses))
            return esme.responses[0].status

    assert asyncio.run(main()) not in {Status.OK, Status.SYSTEM_ERROR, Status.THROTTLED, Status.QUEUE_FULL}
