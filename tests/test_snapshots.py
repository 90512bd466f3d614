"""What is kept aside of AWS comes back as it was, whatever was done in between."""

import time

import pytest

from chalicelib import wire
from chalicelib.domain.account import Account
from chalicelib.store import accounts, aws, ledger, made_queues, queues
from tests.conftest import PREFIX
from tests.snapshots import items, put_back, take, waiting, waits

pytestmark = pytest.mark.usefixtures("aws")
VISIT = wire.Visit(id="V", accounts=("acc_1",), windows=())


def _change(number: int) -> None:
    ledger.grant("acc_1", f"grant {number}", 5, who="test", why="test", now_ms=number)
    queues.send(queues.VISITS, VISIT)
    made_queues.create_gateway_queues(f"gw{number}")
    objects = aws.client("s3")
    bucket = objects.list_buckets()["Buckets"][0]["Name"]
    objects.put_object(Bucket=bucket, Key="body", Body=b"%d" % number)


def _all() -> object:
    objects = aws.client("s3")
    bucket = objects.list_buckets()["Buckets"][0]["Name"]
    found = objects.get_object(Bucket=bucket, Key="body")["Body"].read()
    names = aws.client("sqs").list_queues(MaxResults=1000)["QueueUrls"]
    return items("ledger"), items("wallets"), waiting(queues.VISITS), names, found


def test_tables_queues_and_buckets_are_as_they_were_each_time() -> None:
    accounts.create(Account(id="acc_1", name="Acme", created_ms=1))
    _change(1)
    before, snapshot = _all(), take()
    for number in (2, 3):
        _change(number)
        assert _all() != before
        put_back(snapshot)
        assert _all() == before
    assert len(queues.receive(queues.VISITS, wait_seconds=0)) == 1


def test_an_upload_under_way_goes_on_from_where_it_was() -> None:
    objects = aws.client("s3")
    to = {"Bucket": objects.list_buckets()["Buckets"][0]["Name"], "Key": "body"}
    upload = to | {"UploadId": objects.create_multipart_upload(**to)["UploadId"]}
    part = {"PartNumber": 1, "ETag": objects.upload_part(**upload, PartNumber=1, Body=b"one")["ETag"]}
    snapshot = take()
    for _ in range(2):
        objects.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]})
        assert objects.get_object(**to)["Body"].read() == b"one"
        put_back(snapshot)
        assert "Contents" not in objects.list_objects_v2(Bucket=to["Bucket"])


def test_a_received_record_stays_hidden_for_as_long_as_it_had_left_and_its_handle_deletes_it() -> None:
    queues.send(queues.VISITS, VISIT)
    [record] = queues.receive(queues.VISITS, wait_seconds=0, visibility_seconds=1)
    snapshot = take()
    time.sleep(1.1)
    assert waits(queues.VISITS)
    put_back(snapshot)
    assert (waits(queues.VISITS), waiting(queues.VISITS)) == (False, [])
    queues.delete_many(queues.VISITS, [record.handle])
    time.sleep(1.1)
    assert not waits(queues.VISITS)


def test_what_is_seen_without_a_call_is_what_calls_tell() -> None:
    accounts.create(Account(id="acc_1", name="Acme", created_ms=1))
    _change(1)
    queues.send(queues.VISITS, VISIT, delay_seconds=60)
    assert items("ledger") == aws.client("dynamodb").scan(TableName=f"{PREFIX}-ledger")["Items"]
    assert waits(queues.VISITS)
    assert waiting(queues.VISITS) == [record.body for record in queues.receive(queues.VISITS, wait_seconds=0)]
    assert (waiting(queues.VISITS), waits(queues.VISITS)) == ([], True)  # the other is put off
