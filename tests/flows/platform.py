"""The running platform as its three kinds of people see it: a customer, the administrator, and the operator's SMSC."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import httpx

FINAL_SECONDS: Final = 30.0


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def web(**more: Any) -> httpx.Client:
    """A client. By itself each would read anew whom this machine trusts: 20 ms, as much as a few requests take."""
    return httpx.Client(verify=_trust(), timeout=30, **more)


@dataclass
class Customer:
    """An API key at work."""

    base_url: str
    key: str
    _client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self._client = web(base_url=self.base_url, headers={"Authorization": f"Bearer {self.key}"})

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, **more: Any) -> httpx.Response:
        return self._client.request(method, path, json=body, **more)

    def send(self, to: str, text: str = "Hola", **more: Any) -> dict[str, Any]:
        """The answer to an accepted message."""
        answer = self.call("POST", "/v1/messages", {"to": to, "from": "Chasqui", "text": text, **more})
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def message(self, message_id: str) -> dict[str, Any]:
        return dict(self.call("GET", f"/v1/messages/{message_id}").raise_for_status().json())

    def final(self, message_id: str, seconds: float = FINAL_SECONDS) -> dict[str, Any]:
        """The message once it is final."""
        return self.until(message_id, lambda message: bool(message["final"]), seconds)

    def until(self, message_id: str, condition: Any, seconds: float = FINAL_SECONDS) -> dict[str, Any]:
        """The message once a condition holds for it. One that came in a bundle is not told of before it is charged."""
        end = time.monotonic() + seconds
        while True:
            answer = self.call("GET", f"/v1/messages/{message_id}")
            if answer.status_code != 404 and condition(message := dict(answer.raise_for_status().json())):
                return message
            assert time.monotonic() < end, answer.text
            time.sleep(0.1)

    def events(self, message_id: str) -> list[dict[str, Any]]:
        return list(self.call("GET", f"/v1/messages/{message_id}/events").raise_for_status().json()["data"])

    def balance(self) -> str:
        return str(self.call("GET", "/v1/account").raise_for_status().json()["balance"])


@dataclass
class Smsc:
    """The simulator's truthful counter."""

    admin_url: str
    _client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self._client = web(base_url=self.admin_url)

    def messages(self) -> list[dict[str, Any]]:
        """All that it was sent."""
        found: list[dict[str, Any]] = self._client.get("/messages", params={"limit": 100_000}).raise_for_status().json()
        return found

    def received(self, to: str) -> list[dict[str, Any]]:
        """The whole messages that a number got."""
        answer = self._client.get("/messages", params={"to": to.removeprefix("+")})
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found

    def stats(self) -> dict[str, Any]:
        return dict(self._client.get("/stats").raise_for_status().json())

    def control(self, **settings: Any) -> None:
        self._client.post("/control", json=settings).raise_for_status()

    def write(self, message: Mapping[str, Any]) -> int:
        """Have a person write; the PDUs that it took."""
        return int(self._client.post("/inbound", json=message).raise_for_status().json()["pdus"])


@dataclass
class Administrator(Customer):
    """An administrator's key at work."""

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.call("POST", f"/v1/admin/{path}", body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def customer(self, credit: str, **settings: Any) -> Customer:
        """A customer of a new account with that much credit."""
        account = self.create("accounts", {"name": "A test's", **settings})["id"]
        if credit != "0":
            self.create(f"accounts/{account}/credits", {"amount": credit, "why": "for a test"})
        return Customer(self.base_url, self.create(f"accounts/{account}/keys", {"name": "a test's"})["key"])

    def publish(self) -> None:
        self.create("rules/publish", {"note": "a test's"})
