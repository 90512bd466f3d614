"""The clients that the process shares."""

from typing import Any

import pytest

from chalicelib.store import aws as clients


@pytest.mark.parametrize(("service", "call"), [("dynamodb", "list_tables"), ("sqs", "list_queues")])
def test_a_call_names_the_product_and_botocore_and_no_more(service: str, call: str, aws: object) -> None:
    clients.forget_clients()
    client: Any = clients.client(service)
    told: list[bytes] = []

    def hear(request: Any, **_: Any) -> None:
        told.append(request.headers["User-Agent"])

    client.meta.events.register_first("before-send", hear)
    getattr(client, call)()
    assert [name.split(b"/")[0] for name in told[0].split()] == [b"chasqui", b"Botocore"]
