"""`make audit` against the running platform: the books of real traffic agree, and what was edited by hand is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.local.place import PREFIX, REGION
from tests.flows.audited import audited
from tests.flows.platform import Administrator, Customer

pytestmark = pytest.mark.flow

Audit = Callable[..., tuple[int, dict[str, Any]]]
ENDS = ("7777", "0001", "0002", "0003", "0010", "0047")  # delivered, undelivered, expired, rejected twice, delivered


@pytest.fixture
def audit(card: dict[str, Any], tmp_path: Path) -> Audit:
    """Runs it; its exit code and its JSON."""
    return lambda *arguments: audited(card, tmp_path, *arguments)


def test_the_books_of_a_customer_agree_after_every_kind_of_end(
    administrator: Administrator, number: Callable[[str], str], audit: Audit
) -> None:
    customer = administrator.customer("5", refund_policy="not_delivered", default_region="ES")
    sent = [customer.send(number(end), text)["id"] for end in ENDS for text in ("Hola", "¡Señorita 🚚! " * 12)]
    for message_id in sent:
        customer.final(message_id)
    account = customer.call("GET", "/v1/account").json()["id"]
    code, told = audit("--account", account, "--pause", "5")
    assert (code, told["differences"]) == (0, 0), told
    (line,) = told["accounts"]
    assert line["messages"] == len(sent)
    assert float(line["refunded"]) > 0


def test_a_wallet_that_was_edited_by_hand_is_named(
    administrator: Administrator, card: dict[str, Any], audit: Audit
) -> None:
    customer: Customer = administrator.customer("5")
    account = customer.call("GET", "/v1/account").json()["id"]
    dynamodb: Any = boto3.session.Session("local", "local", region_name=REGION).client(
        "dynamodb", endpoint_url=card["endpoint_url"]
    )
    dynamodb.update_item(
        TableName=f"{PREFIX}-wallets",
        Key={"account": {"S": account}},
        UpdateExpression="ADD balance_micros :more, available_micros :more",
        ExpressionAttributeValues={":more": {"N": "1"}},
    )
    code, told = audit("--account", account, "--pause", "0")
    assert code == 1
    ((difference,),) = (line["differences"] for line in told["accounts"])
    assert (difference["check"], difference["delta"]) == ("wallet", 1)
