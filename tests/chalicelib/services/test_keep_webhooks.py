"""A webhook's secrets: rotated without a gap, and nowhere to be read."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.services import keep_webhooks
from chalicelib.store import aws, cached, webhooks
from tests.chalicelib.services.webhook_world import DAY_MS, Hooks, hooks, news, pump, tell
from tests.chalicelib.services.world import ACCOUNT, NOW_MS


@pytest.fixture
def hooked(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hooks]:
    with hooks(monkeypatch) as made:
        yield made


def test_both_secrets_sign_for_a_day_after_a_rotation(hooked: Hooks) -> None:
    endpoint = hooked.open()
    first = hooked.told[endpoint.id].secret
    second = keep_webhooks.rotate_secret(ACCOUNT, endpoint.id, NOW_MS).secret
    third = keep_webhooks.rotate_secret(ACCOUNT, endpoint.id, NOW_MS + 1).secret
    assert webhooks.secrets_in_force(endpoint.id, NOW_MS + 2) == (third, second, first)
    assert webhooks.secrets_in_force(endpoint.id, NOW_MS + DAY_MS) == (third, second)
    cached.forget_all()
    assert webhooks.secrets_in_force(endpoint.id, NOW_MS + DAY_MS + 1) == (third,)
    tell(news())
    pump()
    assert hooked.echo.received()[0]["signatures"] == 3


def test_a_secret_is_in_no_table_and_no_log_line(hooked: Hooks, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        endpoint = hooked.open("/hook?status=500")
        tell(news())
        pump()
    secret = hooked.told[endpoint.id].secret.removeprefix("whsec_")
    kept = [aws.client("dynamodb").scan(TableName=name) for name in aws.client("dynamodb").list_tables()["TableNames"]]
    assert secret not in repr(kept)
    assert secret not in "".join(
        repr(vars(record)) for record in caplog.records if record.name.startswith("chalicelib")
    )
