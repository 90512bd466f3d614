"""Counting AWS calls by hooks on the client."""

import json
import time
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from infra.local.meter import Meter


@pytest.fixture(autouse=True)
def _emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def test_calls_are_counted_with_their_units_chunks_and_errors() -> None:
    meter = Meter("test")
    with mock_aws():
        dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
        meter.watch(dynamodb)
        meter.watch(sqs)
        dynamodb.create_table(
            TableName="t",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        dynamodb.put_item(TableName="t", Item={"id": {"S": "a"}, "body": {"S": "x" * 3000}})
        with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException):
            dynamodb.put_item(TableName="t", Item={"id": {"S": "a"}}, ConditionExpression="attribute_not_exists(id)")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="x" * 100_000)
        sqs.receive_message(QueueUrl=url)
        sqs.receive_message(QueueUrl=url)
    put = meter.lines["dynamodb.PutItem"]
    assert (put.calls, put.errors, put.write_units) == (2, 1, 4.0)
    assert (meter.lines["sqs.SendMessage"].calls, meter.lines["sqs.SendMessage"].billed) == (1, 2)
    assert meter.lines["sqs.ReceiveMessage"].calls == 1
    assert meter.lines["sqs.ReceiveMessage (empty)"].calls == 1


def test_the_counts_are_written_for_whoever_sums_them(tmp_path: Path) -> None:
    meter = Meter("api")
    meter.worked("api", records=1, seconds=0.25, failed=False)
    meter.report_into(str(tmp_path))
    for _ in range(100):
        written = list(tmp_path.glob("api-*.json"))
        if written:
            break
        time.sleep(0.05)
    told = json.loads(written[0].read_text())
    assert told["work"]["api"] == {"invocations": 1, "records": 1, "errors": 0, "milliseconds": 250.0}
    assert told["cpu_seconds"] > 0
