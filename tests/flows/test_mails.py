"""Mails through the running platform, read as their readers get them."""

import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local import mails
from tests.flows.local_run import LocalRun
from tests.flows.platform import Administrator

pytestmark = pytest.mark.flow
SECONDS = 20.0
PASSWORD = "an owl over nine quiet rivers"
BOUNCES = "bounce@simulator.amazonses.com"


def mail(run: Path, to: str, subject: str) -> mails.Sent:
    """The newest mail to an address whose subject begins so, once it is there."""
    end = time.monotonic() + SECONDS
    while True:
        found = [one for one in mails.sent(run) if one.to == to and one.subject.startswith(subject)]
        if found:
            return found[-1]
        assert time.monotonic() < end, [one.line for one in mails.sent(run)]
        time.sleep(0.1)


def test_somebody_who_is_invited_chooses_a_password_forgets_it_and_reads_of_credit(
    administrator: Administrator, local_run: LocalRun, card: dict[str, Any]
) -> None:
    account = administrator.create("accounts", {"name": "Posta"})["id"]
    ana = {"account": account, "email": "ana@posta.example", "role": "owner", "name": "Ana", "language": "es"}
    administrator.create("users", ana)
    with httpx.Client(base_url=card["base_url"], timeout=30) as stranger:
        for subject in ("Tu acceso a Chasqui", "Una contraseña nueva"):
            if subject.startswith("Una"):
                assert stranger.post("/v1/password-reset", json={"email": "ANA@posta.example"}).status_code == 202
            token = re.findall(r"usr_\w+\.[\w-]+", mail(local_run.folder, "ana@posta.example", subject).text)[0]
            given = {"token": token, "password": f"{PASSWORD} {len(subject)}"}
            assert stranger.post("/v1/password-reset/confirm", json=given).status_code == 200
            assert stranger.post("/v1/password-reset/confirm", json=given).status_code == 422  # it works once
        login = {"email": "ana@posta.example", "password": given["password"]}
        assert stranger.post("/v1/login", json=login).status_code == 200
    administrator.create(f"accounts/{account}/credits", {"amount": "3", "why": "for a test"})
    told = mail(local_run.folder, "ana@posta.example", "Crédito para Posta: 3")
    assert "Concepto: for a test" in told.text
    (page,) = [httpx.get(f"{card['mails_url']}{told.number}").raise_for_status().text]
    assert "Crédito para Posta: 3" in page
    for log in (local_run.folder / "logs").glob("*.log"):
        assert token.rpartition(".")[2] not in log.read_text(errors="replace")


def test_a_mail_that_bounces_is_told_in_the_log_and_the_next_is_held_back(administrator: Administrator) -> None:
    account = administrator.create("accounts", {"name": "Nobody"})["id"]
    administrator.create("users", {"account": account, "email": BOUNCES, "role": "owner", "name": "Nobody"})
    _until(administrator, account, "user_created", "bounced")
    administrator.create(f"accounts/{account}/credits", {"amount": "1", "why": "for a test"})
    _until(administrator, account, "credit_granted", "failed")


def _until(administrator: Administrator, account: str, kind: str, state: str) -> None:
    end = time.monotonic() + SECONDS
    while True:
        listed = administrator.call("GET", f"/v1/admin/mails?account={account}").raise_for_status().json()["data"]
        states = {one["kind"]: one["state"] for one in listed}
        if states.get(kind) == state:
            return
        assert time.monotonic() < end, listed
        time.sleep(0.1)
