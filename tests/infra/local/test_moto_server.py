"""moto's server as the local run has it: connections are kept, and nothing of a request runs into the next."""

import http.client
import time
from collections.abc import Iterator
from contextlib import closing
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from werkzeug.test import run_wsgi_app

from infra.local import moto_server as module
from infra.local.moto_server import KeptConnection, moto_server

BUCKETS = "/"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = moto_server(0)
    serving = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    serving.start()
    yield server.server_port
    server.shutdown()
    serving.join()
    server.server_close()


def _get(line: http.client.HTTPConnection, **given: Any) -> int:
    line.request("GET", BUCKETS, **given)
    answer = line.getresponse()
    answer.read()
    return answer.status


@pytest.mark.usefixtures("environment")
def test_bodies_come_and_go_whole_without_a_wait(port: int) -> None:
    s3: Any = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1")
    s3.create_bucket(Bucket="kept")
    started = time.monotonic()
    for size in (0, 1, 100_000, 1, 1):  # a client that is not told to go on waits for a second with each
        s3.put_object(Bucket="kept", Key="body", Body=b"x" * size)
        assert s3.head_object(Bucket="kept", Key="body")["ContentLength"] == size
        assert s3.get_object(Bucket="kept", Key="body")["Body"].read() == b"x" * size
    assert time.monotonic() - started < 3
    s3.delete_object(Bucket="kept", Key="body")
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="kept", Key="body")
    s3.delete_bucket(Bucket="kept")


def test_a_connection_takes_one_request_after_another(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    connections: list[Any] = []
    answer = KeptConnection.run_wsgi

    def noted(self: KeptConnection) -> None:
        connections.append(self.connection)
        answer(self)

    monkeypatch.setattr(KeptConnection, "run_wsgi", noted)
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as line:
        for given in ({"body": b"x" * 10_000}, {"body": iter([b"in", b"parts"])}, {}):
            assert _get(line, **given) == 200
    assert connections == [connections[0]] * 3


def test_what_moto_fails_at_is_answered_and_the_connection_kept(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [RuntimeError("dictionary changed size during iteration")]

    def fail_once(*given: Any, **named: Any) -> Any:
        if failures:
            raise failures.pop()
        return run_wsgi_app(*given, **named)

    monkeypatch.setattr(module, "run_wsgi_app", fail_once)
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as line:
        assert [_get(line), _get(line)] == [500, 200]
