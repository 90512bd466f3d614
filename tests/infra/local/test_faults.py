"""Failing AWS calls and repeated records, as chaos has them, against a server that counts what was really done."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from infra.local import faults
from infra.local.faults import Failing, Faults, Settings


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class Queue:
    """A queue with a client that has faults, and one that has none."""

    def __init__(self, endpoint: str, name: str, settings: Settings, folder: Path) -> None:
        self.flag, self.log = folder / "on", folder / "faults.log"
        self.flag.touch()
        self.plain, self.faulty = self._client(endpoint), self._client(endpoint)
        self.url: str = self.plain.create_queue(QueueName=name)["QueueUrl"]
        Faults(settings, self.flag, self.log).watch(self.faulty)

    def _client(self, endpoint: str) -> Any:
        return boto3.client(
            "sqs",
            endpoint_url=endpoint,
            config=Config(retries={"mode": "standard"}),
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
        )

    def send(self) -> None:
        self.faulty.send_message(QueueUrl=self.url, MessageBody="x")

    def receive(self) -> list[Any]:
        found: list[Any] = self.faulty.receive_message(QueueUrl=self.url, VisibilityTimeout=60).get("Messages", [])
        return found

    @property
    def depth(self) -> int:
        name = "ApproximateNumberOfMessages"
        return int(self.plain.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])["Attributes"][name])


@pytest.mark.parametrize(
    ("failing", "is_told", "times_done"),
    [(Failing.REFUSED, False, 1), (Failing.UNHEARD, False, 2), (Failing.FAILED, True, 0), (Failing.UNKNOWN, True, 1)],
    ids=lambda value: value.value if isinstance(value, Failing) else "",
)
def test_a_call_fails_before_or_after_it_is_done_and_its_caller_hears_of_it_or_not(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, failing: Failing, is_told: bool, times_done: int
) -> None:
    monkeypatch.setattr(faults, "_KINDS", (failing,))
    queue = Queue(endpoint, failing.value, Settings("1", calls=1.0), tmp_path)
    if is_told:
        with pytest.raises(ClientError, match="on purpose"):
            queue.send()
    else:
        queue.send()
    assert queue.depth == times_done
    assert queue.log.read_text().split()[1:] == [failing.value, "sqs.SendMessage"]


def test_a_record_comes_again_though_it_is_hidden_or_deleted(endpoint: str, tmp_path: Path) -> None:
    queue = Queue(endpoint, "again", Settings("1", records=1.0, later_seconds=0.0), tmp_path)
    queue.send()
    (first,) = queue.receive()
    queue.plain.delete_message(QueueUrl=queue.url, ReceiptHandle=first["ReceiptHandle"])
    (again,) = queue.receive()
    assert again["MessageId"] == first["MessageId"]
    assert queue.receive() == []  # a repetition is not repeated


def test_without_its_file_nothing_goes_wrong(endpoint: str, tmp_path: Path) -> None:
    queue = Queue(endpoint, "calm", Settings("1", calls=1.0, records=1.0, later_seconds=0.0), tmp_path)
    queue.flag.unlink()
    queue.send()
    assert len(queue.receive()) == 1
    assert queue.receive() == []


def test_a_process_has_faults_only_where_its_environment_asks_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (faults.WHILE, faults.SETTINGS):
        monkeypatch.delenv(name, raising=False)
    assert faults.from_environment("bridge") is None
    monkeypatch.setenv(faults.WHILE, str(tmp_path / "on"))
    monkeypatch.setenv(faults.SETTINGS, '{"seed": "7", "calls": 0.5}')
    assert faults.from_environment("bridge") is not None


def chosen(settings: Settings, folder: Path, *, attempt: int = 1) -> list[Failing | None]:
    """What becomes of a thousand calls."""
    (folder / "on").touch()
    faulty = Faults(settings, folder / "on", folder / "faults.log")
    request = SimpleNamespace(headers={"amz-sdk-request": f"attempt={attempt}; max=5".encode()})
    return [faulty._choice(request, "sqs.SendMessage") for _ in range(1_000)]


def test_as_many_calls_fail_as_was_asked_in_each_way_and_the_same_ones_with_the_same_seed(tmp_path: Path) -> None:
    settings = Settings("7", calls=0.1)
    told = chosen(settings, tmp_path)
    assert set(told) == {None, *Failing}
    assert 70 <= sum(one is not None for one in told) <= 130
    assert chosen(settings, tmp_path) == told != chosen(Settings("8", calls=0.1), tmp_path)


def test_what_the_client_asks_again_is_left_alone(tmp_path: Path) -> None:
    assert set(chosen(Settings("7", calls=1.0), tmp_path, attempt=2)) == {None}
    assert not (tmp_path / "faults.log").read_text()
