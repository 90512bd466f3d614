"""The API's tests' world: a customer with credit and keys, an administrator, published rules, and what was written."""

import json
import time
from typing import Any, Final

from chalice.test import Client, HTTPResponse

from app import app
from chalicelib.domain.account import Account
from chalicelib.domain.rules import Gateway, NumberingPrefix, Route, Target
from chalicelib.services.issue_key import issue_admin_key, issue_customer_key
from chalicelib.settings import settings
from chalicelib.store import accounts, aws, ledger, made_queues, queues, rules
from tests.once import made_once

NUMBER: Final = "+34600000001"
ACCOUNT: Final = Account(id="acc_one", name="One", created_ms=0, default_sender="Chasqui", max_parts=3)
CREDIT_MICROS: Final = 10_000_000
GATEWAYS: Final = [
    Gateway(id="real", name="Real", host="smsc.example", port=2775, system_id="one"),
    Gateway(id="sim", name="Simulator", host="localhost", port=2776, system_id="two", simulator=True),
]
ROUTES: Final = [Route(id="rte_es", targets=(Target(gateway="real"),), price_micros=50_000, country="ES")]
NUMBERING: Final = [NumberingPrefix(prefix="346", country="ES", operator="Movistar ES")]
_client: Final = Client(app)  # one for all calls: it reads the project's configuration
TABLES_OF_SENDING: Final = ("messages", "idempotency", "ledger", "dispatches", "wallets", "usage")


class World:
    """Talks to the app, and looks behind it."""

    def __init__(self) -> None:
        self.account = ACCOUNT
        this_minute = self.now_ms() // 60_000  # so that it is of now for all that asks about today
        self.live, self.test, self.admin = made_once(("the API's world", this_minute), self._make)

    def _make(self) -> tuple[str, str, str]:
        now_ms = self.now_ms()
        live = self.customer(ACCOUNT, CREDIT_MICROS)
        rules.publish(GATEWAYS, ROUTES, NUMBERING, by="test", note="", now_ms=now_ms)
        for gateway in GATEWAYS:
            made_queues.create_gateway_queues(gateway.id)
        return live, issue_customer_key(ACCOUNT.id, "test", "test", now_ms).text, issue_admin_key("root", now_ms).text

    @staticmethod
    def now_ms() -> int:
        return time.time_ns() // 1_000_000

    def customer(self, account: Account, credit_micros: int) -> str:
        """A further account with that credit; its key."""
        assert accounts.create(account)
        if credit_micros:
            ledger.grant(account.id, "01GRANT", credit_micros, who="test", why="start", now_ms=self.now_ms())
        return issue_customer_key(account.id, "live", "live", self.now_ms()).text

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> HTTPResponse:
        """A request with the customer's key (or `key`; '' for none). A body that is no bytes is sent as JSON."""
        sent = {"Authorization": f"Bearer {self.live if key is None else key}"} if key != "" else {}
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        if body is not None:
            sent["Content-Type"] = "application/json"
        return _client.http.request(method, path, headers={**sent, **(headers or {})}, body=raw)

    def send(self, body: Any = None, **more: Any) -> HTTPResponse:
        """POST /v1/messages; `body` over a plain message."""
        return self.call("POST", "/v1/messages", {"to": NUMBER, "text": "hola", **(body or {})}, **more)

    def as_admin(self, method: str, path: str, body: Any = None, **more: Any) -> HTTPResponse:
        return self.call(method, path, body, key=self.admin, **more)

    def written(self) -> dict[str, Any]:
        """All that sending writes: what the tables hold, and how many records the queues."""
        tables: dict[str, Any] = {
            suffix: sorted(
                json.dumps(item, sort_keys=True, default=str)
                for item in aws.client("dynamodb").scan(TableName=f"{settings().prefix}-{suffix}")["Items"]
            )
            for suffix in TABLES_OF_SENDING
        }
        return tables | {name: self.waiting(name) for name in ("accepted", "billing", "outcomes")}

    def waiting(self, queue: str) -> int:
        """How many records a queue holds."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = aws.client("sqs").get_queue_attributes(QueueUrl=queues.url(queue), AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)
