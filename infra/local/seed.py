"""A platform that can send, planted through the API as an administrator would; only the first key is not."""

import secrets
import time
from pathlib import Path
from typing import Any, Final

import httpx

from chalicelib.domain.user import UserRole
from chalicelib.services import keep_user
from chalicelib.services.issue_key import issue_admin_key
from chalicelib.services.keep_user import Profile, Terms
from infra.local.card import Keys, Login, Person
from infra.local.children import RunFailed
from infra.local.demo import authorization
from infra.local.place import HOST, Place

NUMBERING: Final = Path(__file__).with_name("numbering.csv")
CREDIT: Final = "1000"
OPERATOR: Final = "demo-operator"  # stands for an operator's SMSC: live messages go there
SIMULATOR: Final = "simulator"  # where test keys' messages go
# Country → price of a part. None: anywhere else.
PRICES: Final[dict[str | None, str]] = {
    "ES": "0.045",
    "PT": "0.031",
    "MX": "0.028",
    "PE": "0.039",
    "CO": "0.012",
    "AR": "0.052",
    "US": "0.0081",
    "CA": "0.0075",
    None: "0.08",
}
GATEWAY: Final[dict[str, Any]] = {
    "host": HOST,
    "password": "secret",
    "window": 500,
    "messages_per_second": 2000.0,  # the simulator's machine is the limit, not the gateway
    "response_timeout_seconds": 10.0,
}
LOGIN: Final[dict[str, Any]] = {
    "name": "demo",
    "system_id": "demo",
    "max_sessions": 20,
    "window": 100,
    "per_second": 2000.0,  # as the gateways
}


def plant(where: Place) -> Keys:
    """Accounts, credit, keys, numbering plan, gateways, routes and prices; published. Raises RunFailed."""
    admin_key = issue_admin_key("local run", time.time_ns() // 1_000_000).text
    with httpx.Client(base_url=where.base_url, headers=authorization(admin_key), timeout=60) as client:
        demo = {"name": "Demo", "default_region": "ES", "default_sender": "Chasqui"}
        account = _post(client, "/v1/admin/accounts", demo)["id"]
        _post(client, f"/v1/admin/accounts/{account}/credits", {"amount": CREDIT, "why": "to try it out"})
        keys = {
            mode: _post(client, f"/v1/admin/accounts/{account}/keys", {"mode": mode, "name": f"demo {mode}"})["key"]
            for mode in ("live", "test")
        }
        login = _post(client, f"/v1/admin/accounts/{account}/smpp-logins", LOGIN)
        _gateways(client, where)
        _routes(client)
        _import_numbering(client)
        _post(client, "/v1/admin/rules/publish", {"note": "what make run begins with"})
    return Keys(
        account=account,
        api_key=keys["live"],
        test_key=keys["test"],
        admin_key=admin_key,
        smpp=Login(login["system_id"], login["password"]),
        owner=_person(account, "owner", "Demo's owner", "owner@demo.example"),
        administrator=_person(None, "super", "Administrator", "administrator@chasqui.example"),
    )


def plant_webhook(where: Place, keys: Keys) -> None:
    """The demo account's webhook, at the echo endpoint. Quiet runs, for tests and benchmarks, open what they want."""
    if where.quiet:
        return
    with httpx.Client(base_url=where.base_url, headers=authorization(keys.api_key), timeout=60) as client:
        secret = _post(client, "/v1/webhooks", {"url": where.webhook_echo_url, "description": "The echo"})["secret"]
    httpx.put(f"{where.webhook_echo_url}secrets", json={"secret": secret}, timeout=5).raise_for_status()


def bound(client: httpx.Client, where: Place) -> bool:
    """Whether the bridge has a session with each gateway's SMSC."""
    try:
        stats = client.get(f"{where.smsc_admin_url}/stats").raise_for_status().json()
        healthy = client.get(f"{where.bridge_url}/health").is_success
    except httpx.HTTPError:
        return False
    return healthy and int(stats["sessions"]) >= 2


def _person(account: str | None, role: UserRole, name: str, email: str) -> Person:
    """With a password that only this run's card tells. Straight to the service: the API has people choose their own."""
    password = secrets.token_urlsafe(18)
    terms = Terms(email=email, role=role, profile=Profile(name=name))
    keep_user.create(account, terms, "the local run", time.time_ns() // 1_000_000, password=password)
    return Person(email, password)


def _gateways(client: httpx.Client, where: Place) -> None:
    for name, simulator in ((OPERATOR, False), (SIMULATOR, True)):
        body = {
            **GATEWAY,
            "id": name,
            "name": "An operator" if name == OPERATOR else "SMSC simulator",
            "port": where.smsc_port,
            "system_id": name,
            "simulator": simulator,
        }
        _post(client, "/v1/admin/gateways", body)


def _routes(client: httpx.Client) -> None:
    for country, price in PRICES.items():
        place = {"country": country} if country else {}
        _post(client, "/v1/admin/routes", {**place, "targets": [{"gateway": OPERATOR}], "price": price})


def _import_numbering(client: httpx.Client) -> None:
    answer = client.post("/v1/admin/numbering", content=NUMBERING.read_bytes(), headers={"Content-Type": "text/csv"})
    _check(answer)


def _post(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(path, json=body)
    _check(answer)
    return dict(answer.json())


def _check(answer: httpx.Response) -> None:
    if not answer.is_success:
        raise RunFailed(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")
