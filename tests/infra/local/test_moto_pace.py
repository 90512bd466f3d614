"""moto with our cures does what moto does."""

import time
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.core import serialize
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb import models as dynamodb
from moto.dynamodb.models import table as tables
from moto.sqs import models as sqs

from chalicelib.store import aws as clients
from chalicelib.store import made_queues, queues
from infra.local import moto_pace
from tests.conftest import PREFIX
from tests.world import REGION

LEDGER = f"{PREFIX}-ledger"
WALLETS = f"{PREFIX}-wallets"


@pytest.fixture(autouse=True)
def _paced(monkeypatch: pytest.MonkeyPatch, aws: object) -> None:
    for owner, names in (
        (dynamodb.DynamoDBBackend, ("transact_write_items",)),
        (tables.Table, ("query", "all_items")),
        (sqs.Queue, ("attributes", "wait_for_messages", "delete_message")),
        (sqs.SQSBackend, ("send_message", "send_message_batch", "is_message_valid_based_on_retention_period")),
        (sqs, ("unix_time", "unix_time_millis")),
        (serialize.ResponseSerializer, ("get_value",)),
    ):
        for name in names:
            monkeypatch.setattr(owner, name, vars(owner)[name])  # so that it is as before after the test
    moto_pace.keep()


def _dynamodb() -> Any:
    return clients.client("dynamodb")


def _wallet(balance: int) -> dict[str, Any]:
    return {"account": {"S": "acc_1"}, "balance_micros": {"N": str(balance)}}


def _entry(name: str) -> dict[str, Any]:
    return {"account": {"S": "acc_1"}, "entry": {"S": name}}


def _charge(entry: str, amount: int) -> None:
    _dynamodb().transact_write_items(
        TransactItems=[
            {
                "Update": {
                    "TableName": WALLETS,
                    "Key": {"account": {"S": "acc_1"}},
                    "UpdateExpression": "ADD balance_micros :amount",
                    "ExpressionAttributeValues": {":amount": {"N": str(-amount)}},
                }
            },
            {
                "Put": {
                    "TableName": LEDGER,
                    "Item": _entry(entry),
                    "ConditionExpression": "attribute_not_exists(entry)",
                }
            },
        ]
    )


def _standing() -> tuple[str, list[str]]:
    wallet = _dynamodb().get_item(TableName=WALLETS, Key={"account": {"S": "acc_1"}})["Item"]
    found = _dynamodb().query(
        TableName=LEDGER,
        KeyConditionExpression="account = :account",
        ExpressionAttributeValues={":account": {"S": "acc_1"}},
    )
    return wallet["balance_micros"]["N"], [item["entry"]["S"] for item in found["Items"]]


def test_a_transaction_is_all_or_nothing() -> None:
    _dynamodb().put_item(TableName=WALLETS, Item=_wallet(100))
    _charge("a", 10)
    assert _standing() == ("90", ["a"])
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        _charge("a", 10)
    assert _standing() == ("90", ["a"])
    _charge("b", 10)
    assert _standing() == ("80", ["a", "b"])


def test_what_a_failed_transaction_made_is_gone() -> None:
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        _dynamodb().transact_write_items(
            TransactItems=[
                {"Put": {"TableName": WALLETS, "Item": _wallet(5)}},
                {"Put": {"TableName": LEDGER, "Item": _entry("a")}},
                {
                    "ConditionCheck": {
                        "TableName": LEDGER,
                        "Key": _entry("missing"),
                        "ConditionExpression": "attribute_exists(entry)",
                    }
                },
            ]
        )
    assert "Item" not in _dynamodb().get_item(TableName=WALLETS, Key={"account": {"S": "acc_1"}})
    assert "Item" not in _dynamodb().get_item(TableName=LEDGER, Key=_entry("a"))


def test_a_table_that_is_not_there_is_told_as_by_moto() -> None:
    put = {"Put": {"TableName": "nowhere", "Item": _wallet(5)}}
    with pytest.raises(ClientError, match=r"ResourceNotFound|TransactionCanceled"):
        _dynamodb().transact_write_items(TransactItems=[put])


def test_a_queue_tells_its_depth_when_asked() -> None:
    for body in "abc":
        queues.send_again(queues.ACCEPTED, body)
    assert queues.depth(queues.ACCEPTED) == 3
    assert sorted(record.body for record in queues.receive(queues.ACCEPTED, wait_seconds=0)) == ["a", "b", "c"]
    assert queues.receive(queues.ACCEPTED, wait_seconds=0) == []
    assert queues.depth(queues.ACCEPTED) == 3  # in our hands


def test_a_group_in_somebodys_hands_is_waited_for_without_a_core() -> None:
    queue = queues.esme_queue("acme")
    made_queues.create_esme_queue("acme")
    for _ in range(2):
        queues.send_again(queue, "a")
    (first,) = queues.receive(queue, maximum=1, wait_seconds=0)
    before = time.process_time()
    assert queues.receive(queue, wait_seconds=1) == []
    assert time.process_time() - before < 0.5
    queues.delete_many(queue, [first.handle])
    assert len(queues.receive(queue, wait_seconds=0)) == 1


def test_an_answer_has_all_that_moto_s_has(monkeypatch: pytest.MonkeyPatch) -> None:
    item = {
        **_entry("a"),
        "number": {"N": "1"},
        "octets": {"B": b"x"},
        "nothing": {"NULL": True},
        "yes": {"BOOL": False},
        "S": {"M": {"N": {"S": "a name like a type's"}, "list": {"L": [{"S": ""}, {"M": {}}]}}},
        "names": {"SS": ["a", "b"]},
    }
    _dynamodb().put_item(TableName=LEDGER, Item=item)
    queues.send_again(queues.ACCEPTED, "a")

    def answers() -> list[Any]:
        url = queues.url(queues.ACCEPTED)
        told = [
            _dynamodb().scan(TableName=LEDGER),
            _dynamodb().batch_get_item(RequestItems={LEDGER: {"Keys": [_entry("a")]}}),
            _dynamodb().describe_table(TableName=LEDGER),
            clients.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"]),
            clients.client("sqs").receive_message(QueueUrl=url, AttributeNames=["SentTimestamp"], VisibilityTimeout=0),
            clients.client("s3").list_buckets(),
        ]
        for one in told:
            del one["ResponseMetadata"]
            for message in one.get("Messages", ()):
                del message["ReceiptHandle"]
        return told

    ours = answers()
    assert ours[0]["Items"] == [item]
    serializer: Any = serialize.ResponseSerializer
    monkeypatch.setattr(serializer, "get_value", serializer.get_value.__wrapped__)
    assert answers() == ours


def test_what_is_sent_while_two_delete_at_once_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = clients.client("sqs")
    url = queues.url(queues.ACCEPTED)
    client.send_message_batch(QueueUrl=url, Entries=[{"Id": one, "MessageBody": one} for one in ("1", "2")])
    one, other = (
        record["ReceiptHandle"] for record in client.receive_message(QueueUrl=url, MaxNumberOfMessages=2)["Messages"]
    )
    backend: Any = sqs.sqs_backends[DEFAULT_ACCOUNT_ID][REGION]
    name = f"{PREFIX}-{queues.ACCEPTED}"
    had_receipt_handle: Any = sqs.Message.had_receipt_handle
    asked: list[str] = []

    def delete_and_send() -> None:
        backend.delete_message(name, other)
        backend.send_message(name, "3")

    meanwhile = Thread(target=delete_and_send)

    def had(message: Any, handle: str) -> bool:
        asked.append(handle)
        if len(asked) == 2:  # moto looks whether it is there, and then makes a list of those that stay
            meanwhile.start()
            meanwhile.join(0.2)
        return bool(had_receipt_handle(message, handle))

    monkeypatch.setattr(sqs.Message, "had_receipt_handle", had)
    client.delete_message(QueueUrl=url, ReceiptHandle=one)
    meanwhile.join()
    assert [message.body for message in backend.get_queue(name)._messages] == ["3"]
