"""People on the running platform: invited by mail, in with their own password, and helped in their account's place."""

import re
import time
from typing import Any

import httpx

from infra.local.mails import sent
from tests.flows.local_run import LocalRun
from tests.flows.platform import Customer

PASSWORD = "a horse of another colour"
TOKEN = re.compile(r"usr_[0-9A-Z]{26}\.[A-Za-z0-9_-]+")
MAIL_SECONDS = 30.0


def log_in(base_url: str, email: str, password: str) -> Customer:
    answer = httpx.post(f"{base_url}/v1/login", json={"email": email, "password": password}, timeout=30)
    assert answer.status_code == 200, answer.text
    return Customer(base_url, answer.json()["token"])


def mailed_token(run: LocalRun, email: str) -> str:
    """The token in the newest mail to that address, once there is one."""
    end = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < end:
        found = [TOKEN.search(one.text) for one in sent(run.folder) if one.to == email]
        if found and found[-1]:
            return found[-1].group()
        time.sleep(0.1)
    raise AssertionError(f"no mail with a token came to {email}")


def test_an_invited_user_chooses_a_password_by_mail_and_support_acts_in_the_accounts_place(
    local_run: LocalRun, card: dict[str, Any], number: Any
) -> None:
    base_url = card["base_url"]
    owner = log_in(base_url, **card["owner"])
    assert owner.final(owner.send(number())["id"])["status"] == "delivered"
    body = {"email": "eva@demo.example", "name": "Eva", "role": "viewer"}
    eva = owner.call("POST", "/v1/users", body).raise_for_status().json()
    assert eva["invited"]
    chosen = {"token": mailed_token(local_run, "eva@demo.example"), "password": PASSWORD}
    assert httpx.post(f"{base_url}/v1/password-reset/confirm", json=chosen, timeout=30).is_success
    viewer = log_in(base_url, "eva@demo.example", PASSWORD)
    assert viewer.call("GET", "/v1/account").is_success
    refused = viewer.call("POST", "/v1/messages", {"to": number(), "from": "Chasqui", "text": "Hola"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    administrator = log_in(base_url, **card["administrator"])
    acting = administrator.call("POST", f"/v1/admin/accounts/{card['account']}/impersonate", {"role": "sender"})
    helper = Customer(base_url, acting.raise_for_status().json()["token"])
    assert helper.final(helper.send(number())["id"])["status"] == "delivered"
    assert helper.call("POST", "/v1/groups", {"name": "made by support"}).is_success
    root = administrator.call("GET", "/v1/profile").json()["id"]
    told = administrator.call("GET", "/v1/admin/audit?impersonated=true").raise_for_status().json()["data"]
    assert (told[0]["account"], told[0]["impersonated_by"]) == (card["account"], f"user:{root}")
    assert owner.call("DELETE", f"/v1/users/{eva['id']}").is_success
