"""The AWS that packaged handlers run against: a local run's moto on a free port, with the stack of infra/data.yaml."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final
from urllib.parse import parse_qs

import boto3
import msgspec

from infra.package import ROOT
from tests.packaging import invoke
from tests.ports import free_port

PREFIX: Final = "chasqui-prod"
REGION: Final = "eu-west-1"
START_SECONDS: Final = 30
RUN_SECONDS: Final = 60
BATCH: Final = 10  # as many as SQS gives or takes at once


class Outcome(msgspec.Struct, frozen=True):
    """What tests/packaging/invoke.py says of a run."""

    import_ms: float
    imported: list[str]
    modules: list[str]
    files: list[str]
    answers: list[Any]
    failures: list[str]
    calls: list[dict[str, Any]]


class _Process:
    """A handler's process, which waits for events."""

    def __init__(self, folder: Path, handler: str, environment: dict[str, str]) -> None:
        self._errors = TemporaryFile()  # noqa: SIM115 - closed by stop
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", invoke.__file__, str(folder), handler],
            env=environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def run(self, events: Sequence[dict[str, Any]]) -> Outcome:
        """What comes of the events."""
        given, told = self._process.stdin, self._process.stdout
        assert given is not None
        assert told is not None
        limit = threading.Timer(RUN_SECONDS, self._process.kill)
        limit.start()
        try:
            with suppress(BrokenPipeError):  # it is gone: what it said of that comes below
                given.write(json.dumps(events) + "\n")
                given.flush()
            outcome = next((line for line in told if line.startswith(invoke.OUTCOME)), None)
        finally:
            limit.cancel()
        if outcome is None:
            self._errors.seek(0)
            raise AssertionError(self._errors.read().decode())
        return msgspec.json.decode(outcome.removeprefix(invoke.OUTCOME), type=Outcome)

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()


class Cloud:
    """Runs handlers of an unpacked zip each in a process of its own, as Lambda does."""

    def __init__(self, endpoint_url: str, folder: Path) -> None:
        self.environment: Final = {
            "PATH": os.defpath,
            "AWS_ENDPOINT_URL": endpoint_url,
            "AWS_ACCESS_KEY_ID": "made-up",
            "AWS_SECRET_ACCESS_KEY": "made-up",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CHASQUI_PREFIX": PREFIX,
            "CHASQUI_RULES_POLL_SECONDS": "0",  # what is changed is seen at once, and each run asks for all it needs
            "CHASQUI_ACCOUNT_CACHE_SECONDS": "0",
            "CHASQUI_WEBHOOKS_LOCAL": "1",
            "CHASQUI_MAIL_FROM": "Chasqui <no-reply@chasqui.example>",
            "CHASQUI_MAIL_CONFIGURATION_SET": f"{PREFIX}-mails",
        }
        self._folder = folder
        self._session = boto3.session.Session("made-up", "made-up", region_name=REGION)
        self._endpoint_url = endpoint_url
        self._held: dict[str, list[str]] = {}  # receipt handles by queue
        self._urls: dict[str, str] = {}  # by queue
        self._clients: dict[str, Any] = {}
        self._processes: dict[str, _Process] = {}

    def client(self, service: str) -> Any:
        """A client of this cloud."""
        if service not in self._clients:
            made = self._session.client(service, endpoint_url=self._endpoint_url)  # type: ignore[call-overload]
            self._clients[service] = made
        return self._clients[service]

    def run(self, handler: str, *events: dict[str, Any]) -> Outcome:
        """Run the handler with each of the events in its own process, which sees the folder and the standard library.

        The process is new for the handler's first run and kept for the others, as Lambda keeps them.
        """
        if handler not in self._processes:
            self._processes[handler] = _Process(self._folder, handler, self.environment)
        return self._processes[handler].run(events)

    def stop(self) -> None:
        """End the handlers' processes."""
        for process in self._processes.values():
            process.stop()

    def receive(self, queue: str) -> dict[str, Any]:
        """What is on a queue, as the event that Lambda makes of it; the records stay, out of sight."""
        arn = f"arn:aws:sqs:{REGION}:123456789012:{PREFIX}-{queue}"
        return {
            "Records": [
                {
                    "messageId": record["MessageId"],
                    "receiptHandle": record["ReceiptHandle"],
                    "body": record["Body"],
                    "attributes": record["Attributes"],
                    "messageAttributes": {
                        name: {"stringValue": given["StringValue"], "dataType": given["DataType"]}
                        for name, given in record.get("MessageAttributes", {}).items()
                    },
                    "eventSource": "aws:sqs",
                    "eventSourceARN": arn,
                    "awsRegion": REGION,
                }
                for record in self._receive(queue)
            ]
        }

    def take_all(self, queue: str) -> list[dict[str, Any]]:
        """What is on a queue, also what was received and not deleted; it is gone then."""
        sqs = self.client("sqs")
        url = self._url(queue)
        held = self._held.pop(queue, [])
        for at in range(0, len(held), BATCH):  # those that were deleted fail, and nobody minds
            shown = [handle | {"VisibilityTimeout": 0} for handle in _handles(held[at : at + BATCH])]
            sqs.change_message_visibility_batch(QueueUrl=url, Entries=shown)
        records = self._receive(queue)
        if records:
            deleted = sqs.delete_message_batch(QueueUrl=url, Entries=_handles(self._held.pop(queue)))
            assert not deleted.get("Failed")
        return [{"body": record["Body"]} for record in records]

    def send(self, queue: str, body: str) -> None:
        """Put a record on a queue, as the bridge does."""
        self.client("sqs").send_message(QueueUrl=self._url(queue), MessageBody=body)

    def _receive(self, queue: str) -> list[dict[str, Any]]:
        answer = self.client("sqs").receive_message(
            QueueUrl=self._url(queue), MaxNumberOfMessages=BATCH, AttributeNames=["All"], MessageAttributeNames=["All"]
        )
        records: list[dict[str, Any]] = answer.get("Messages", [])
        self._held.setdefault(queue, []).extend(record["ReceiptHandle"] for record in records)
        return records

    def _url(self, queue: str) -> str:
        if queue not in self._urls:
            self._urls[queue] = self.client("sqs").get_queue_url(QueueName=f"{PREFIX}-{queue}")["QueueUrl"]
        return self._urls[queue]


def _handles(receipts: Sequence[str]) -> list[dict[str, Any]]:
    """Entries of a batch."""
    return [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(receipts)]


def request(
    paths: dict[str, Any], method: str, path: str, *, key: str | None = None, body: Any = None
) -> dict[str, Any]:
    """An HTTP request as API Gateway gives it to the API's function; `paths` are those of the template's document."""
    path, _, query = path.partition("?")
    given = parse_qs(query)
    patterns = {template: re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) for template in paths}
    template, match = next((name, found) for name in paths if (found := re.fullmatch(patterns[name], path)))
    headers = {"Content-Type": "application/json"} if body is not None else {}
    headers |= {"Authorization": f"Bearer {key}"} if key is not None else {}
    headers |= {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {}
    return {
        "httpMethod": method,
        "path": path,
        "resource": template,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in given.items()} or None,
        "multiValueQueryStringParameters": given or None,
        "pathParameters": match.groupdict() or None,
        "stageVariables": None,
        "requestContext": {
            "httpMethod": method,
            "resourcePath": template,
            "path": f"/api{path}",
            "requestId": "request",
            "identity": {"sourceIp": "192.0.2.1"},
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


@contextmanager
def running(folder: Path) -> Iterator[Cloud]:
    """A cloud with its stack, for the handlers in `folder`."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "infra.local.worker", "emulator"],
        env=os.environ | {"BACKEND": "moto", "CHASQUI_AWS_PORT": str(port)},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(server, port)
        cloud = Cloud(f"http://127.0.0.1:{port}", folder)
        formation = cloud.client("cloudformation")
        formation.create_stack(
            StackName="data",
            TemplateBody=(ROOT / "infra" / "data.yaml").read_text(),
            Parameters=[{"ParameterKey": "Prefix", "ParameterValue": PREFIX}],
        )
        try:
            yield cloud
        finally:
            cloud.stop()
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("moto's server did not start")
