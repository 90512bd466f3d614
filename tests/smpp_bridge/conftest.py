"""AWS as a server, for bridges that are processes of their own or whose way to AWS is to be cut."""

from collections.abc import Iterator
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import pytest

from chalicelib.settings import Settings
from chalicelib.store import aws as aws_clients
from infra.local.moto_server import moto_server
from tests.conftest import PREFIX, TEMPLATE, cold_start
from tests.world import wipe_out


@pytest.fixture
def aws_server(environment: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of an empty AWS that holds the stack of infra/data.yaml; this process's clients go to it, too."""
    wipe_out()
    server = moto_server(0)
    serving = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    serving.start()
    port = server.server_port
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    cold_start()
    cloudformation: Any = aws_clients.client("cloudformation")
    parameters = [{"ParameterKey": "Prefix", "ParameterValue": PREFIX}]
    cloudformation.create_stack(StackName=PREFIX, TemplateBody=TEMPLATE.read_text(), Parameters=parameters)
    yield port
    _reset(port)
    server.shutdown()
    serving.join()
    server.server_close()
    cold_start()


def _reset(port: int) -> None:
    """moto keeps its state in the process, for whoever comes next."""
    urlopen(Request(f"http://127.0.0.1:{port}/moto-api/reset", method="POST"))
