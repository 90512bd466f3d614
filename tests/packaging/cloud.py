"""The AWS that packaged handlers run against: moto's server on a free port, with the stack of infra/data.yaml."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import boto3
import msgspec

from infra.package import ROOT
from tests.packaging import invoke

PREFIX: Final = "chasqui-prod"
REGION: Final = "eu-west-1"
START_SECONDS: Final = 30
RUN_SECONDS: Final = 60


class Outcome(msgspec.Struct, frozen=True):
    """What tests/packaging/invoke.py says of a run."""

    import_ms: float
    imported: list[str]
    modules: list[str]
    files: list[str]
    answers: list[Any]
    failures: list[str]
    calls: list[dict[str, Any]]


class Cloud:
    """Runs handlers of an unpacked zip in processes of their own, as Lambda does."""

    def __init__(self, endpoint_url: str, folder: Path) -> None:
        self.environment: Final = {
            "PATH": os.defpath,
            "AWS_ENDPOINT_URL": endpoint_url,
            "AWS_ACCESS_KEY_ID": "made-up",
            "AWS_SECRET_ACCESS_KEY": "made-up",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CHASQUI_PREFIX": PREFIX,
            "CHASQUI_RULES_POLL_SECONDS": "0",
        }
        self._folder = folder
        self._session = boto3.session.Session("made-up", "made-up", region_name=REGION)
        self._endpoint_url = endpoint_url
        self._held: dict[str, list[str]] = {}  # receipt handles by queue
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A client of this cloud."""
        if service not in self._clients:
            made = self._session.client(service, endpoint_url=self._endpoint_url)  # type: ignore[call-overload]
            self._clients[service] = made
        return self._clients[service]

    def run(self, handler: str, *events: dict[str, Any]) -> Outcome:
        """Run the handler with each of the events in one new process that sees the folder and the standard library."""
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-B", invoke.__file__, str(self._folder), handler],
            input=json.dumps(events),
            env=self.environment,
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=Outcome)

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
        for handle in held:
            with suppress(sqs.exceptions.ClientError):  # it was deleted
                sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
        records = self._receive(queue)
        for record in records:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=record["ReceiptHandle"])
        self._held.pop(queue)
        return [{"body": record["Body"]} for record in records]

    def send(self, queue: str, body: str) -> None:
        """Put a record on a queue, as the bridge does."""
        self.client("sqs").send_message(QueueUrl=self._url(queue), MessageBody=body)

    def _receive(self, queue: str) -> list[dict[str, Any]]:
        answer = self.client("sqs").receive_message(
            QueueUrl=self._url(queue), MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
        )
        records: list[dict[str, Any]] = answer.get("Messages", [])
        self._held.setdefault(queue, []).extend(record["ReceiptHandle"] for record in records)
        return records

    def _url(self, queue: str) -> str:
        return str(self.client("sqs").get_queue_url(QueueName=f"{PREFIX}-{queue}")["QueueUrl"])


def request(
    paths: dict[str, Any], method: str, path: str, *, key: str | None = None, body: Any = None
) -> dict[str, Any]:
    """An HTTP request as API Gateway gives it to the API's function; `paths` are those of the template's document."""
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
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
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
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
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
        yield cloud
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
