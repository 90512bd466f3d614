"""Mails over the API: what people choose, addresses that are asked before anything goes there, and the mail log."""

from typing import Any

import pytest

from chalicelib.domain.email_address import key
from chalicelib.domain.forward import MAX_ASKED_A_DAY, MAX_FORWARDS
from chalicelib.domain.mail import FORWARDED, Kind, Notice
from chalicelib.domain.mail_event import MailEvent
from chalicelib.services.begin_session import From, begin
from chalicelib.services.note_mail_event import note
from chalicelib.services.notify import notify
from tests.chalicelib.api.world import ACCOUNT, World
from tests.chalicelib.services.mail_world import inbox, person, pump, set_up, text_of

OTHER = "accountant@books.example"
HOUR_MS = 3_600_000


@pytest.fixture(autouse=True)
def stage(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch)


def session(world: World, email: str, *role: Any, **more: Any) -> str:
    user = person(email, *role, **more)
    return begin(user, From("192.0.2.1", "test"), world.now_ms()).token


def forwarded(world: World, **more: Any) -> dict[str, Any]:
    answer = world.call("POST", "/v1/forwards", {"address": OTHER, "modules": ["credits"], **more})
    assert answer.status_code == 201, answer.body
    pump(world.now_ms())
    return dict(answer.json_body)


def grant(world: World, why: str = "x") -> None:
    answer = world.as_admin("POST", f"/v1/admin/accounts/{ACCOUNT.id}/credits", {"amount": "2.5", "why": why})
    assert answer.status_code == 201, answer.body
    pump(world.now_ms())


def token_of(text: str, page: str) -> str:
    (line,) = [
        line for line in text.splitlines() if line.startswith(f"https://api.example/v1/mail-links/{page}?token=")
    ]
    return line.partition("token=")[2]


def to(address: str) -> list[str]:
    """The subjects of the mails to it, oldest first."""
    return [str(one["Subject"]) for one in inbox() if one["To"].addresses[0].addr_spec == address]


def test_a_person_chooses_which_mails_it_wants(world: World) -> None:
    own = session(world, "ana@example.com", "sender")
    mails = world.call("GET", "/v1/profile/mails", key=own).json_body["mails"]
    assert {one["kind"]: (one["wanted"], one["optional"]) for one in mails} == {
        "user_created": (True, False),
        "email_changed": (True, False),
        "password_changed": (True, False),
        "password_reset": (True, False),
        "job_finished": (True, True),
    }
    chosen = world.call("PUT", "/v1/profile/mails", {"off": ["job_finished", "job_finished"]}, key=own)
    assert [one["kind"] for one in chosen.json_body["mails"] if not one["wanted"]] == ["job_finished"]
    refused = world.call("PUT", "/v1/profile/mails", {"off": ["password_changed"]}, key=own)
    assert (refused.status_code, refused.json_body["code"]) == (422, "invalid_request")
    notify(Notice(Kind.JOB_FINISHED, "j", account=ACCOUNT.id, values={"job_name": "x"}), world.now_ms())
    pump()
    assert to("ana@example.com") == []
    assert world.call("GET", "/v1/profile/mails").status_code == 403  # a key is nobody


def test_nothing_is_forwarded_before_its_reader_says_yes_and_nothing_after_it_says_no(world: World) -> None:
    made = forwarded(world, language="es")
    assert (made["state"], made["asked"]) == ("pending", 1)
    grant(world)
    assert to(OTHER) == ["¿Quieres los avisos de One?"]
    token = token_of(text_of(inbox()[0]), "confirm")
    assert world.call("GET", f"/v1/mail-links/confirm?token={token}", key="").status_code == 200  # opened, no more
    grant(world)
    assert len(to(OTHER)) == 1
    for _ in range(2):
        said = world.call("POST", "/v1/mail-links/confirm", {"token": token}, key="")
        assert said.json_body == {"state": "confirmed", "modules": ["credits"]}
    grant(world)
    notify(Notice(Kind.WEBHOOK_FAILING, "w", account=ACCOUNT.id, values={"url": "https://x"}), world.now_ms())
    pump(world.now_ms())
    assert to(OTHER)[1:] == ["Crédito para One: 2.5"]  # of the module that was asked for, and from then on
    stop = token_of(text_of(inbox()[-1]), "stop")
    assert world.call("POST", "/v1/mail-links/stop", {"token": stop}, key="").json_body["state"] == "stopped"
    grant(world)
    assert len(to(OTHER)) == 2
    answer = world.call("POST", "/v1/mail-links/confirm", {"token": token}, key="")
    assert answer.status_code == 404  # the old yes does not stand over the later no


@pytest.mark.parametrize(
    "damage",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: "acc_two" + token[7:],
        lambda _: "x",
        lambda _: "...",
    ],
)
def test_a_token_that_is_none_confirms_and_stops_nothing(world: World, damage: Any) -> None:
    forwarded(world)
    token = damage(token_of(text_of(inbox()[0]), "confirm"))
    for page in ("confirm", "stop"):
        answer = world.call("POST", f"/v1/mail-links/{page}", {"token": token}, key="")
        assert (answer.status_code, answer.json_body["code"]) == (404, "not_found")
    (one,) = world.call("GET", "/v1/forwards").json_body["data"]
    assert one["state"] == "pending"


def test_what_waits_for_a_forward_that_was_deleted_is_not_sent(world: World) -> None:
    made = forwarded(world)
    token = token_of(text_of(inbox()[0]), "confirm")
    world.call("POST", "/v1/mail-links/confirm", {"token": token}, key="")
    changed = world.call("PUT", f"/v1/forwards/{made['id']}", {"modules": ["jobs", "credits"]}).json_body
    assert (changed["modules"], changed["state"]) == (["jobs", "credits"], "confirmed")
    world.as_admin("POST", f"/v1/admin/accounts/{ACCOUNT.id}/credits", {"amount": "1", "why": "x"})
    assert world.call("DELETE", f"/v1/forwards/{made['id']}").status_code == 200
    pump(world.now_ms())
    assert len(to(OTHER)) == 1
    assert world.call("DELETE", f"/v1/forwards/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    "address",
    [
        "x@y.com\r\nBcc: eve@evil.example",
        "x@y.com\n",
        "Eve <x@y.com>",
        "x@y.com,eve@evil.example",
        "x@localhost",
        "ü@y.com",
    ],
)
def test_an_address_that_is_none_is_refused(world: World, address: str) -> None:
    answer = world.call("POST", "/v1/forwards", {"address": address, "modules": ["credits"]})
    assert answer.status_code == 422
    assert answer.json_body["errors"][0]["pointer"] == "/address"
    assert pump() == 0


def test_strangers_are_not_asked_again_and_again(world: World) -> None:
    made = forwarded(world)
    again = world.call("POST", "/v1/forwards", {"address": OTHER.upper(), "modules": ["jobs"]})
    assert (again.status_code, again.json_body["code"]) == (409, "already_exists")
    soon = world.call("POST", f"/v1/forwards/{made['id']}/ask")
    assert soon.status_code == 429
    assert int(soon.headers["Retry-After"]) > 3_000
    # Taken out and put in again, it is asked under the same name: the mail is the same.
    world.call("DELETE", f"/v1/forwards/{made['id']}")
    forwarded(world)
    assert len(to(OTHER)) == 1
    codes = [
        world.call("POST", "/v1/forwards", {"address": f"x{number}@y.com", "modules": ["jobs"]}).json_body.get("code")
        for number in range(MAX_FORWARDS)
    ]
    assert codes == [None] * (MAX_FORWARDS - 1) + ["too_many"]
    held = world.call("GET", "/v1/forwards").json_body["data"]
    for one in held[: MAX_ASKED_A_DAY - MAX_FORWARDS]:
        world.call("DELETE", f"/v1/forwards/{one['id']}")
    rest = [
        world.call("POST", "/v1/forwards", {"address": f"z{number}@y.com", "modules": ["jobs"]}).json_body.get("code")
        for number in range(MAX_ASKED_A_DAY - MAX_FORWARDS)
    ]
    assert rest[-1] == "rate_limited"
    assert rest[0] is None


def test_one_accounts_forwards_are_nothing_to_another(world: World) -> None:
    made = forwarded(world)
    other = world.customer(ACCOUNT.__class__(id="acc_two", name="Two", created_ms=0), 0)
    for method, path in (("PUT", ""), ("DELETE", ""), ("POST", "/ask")):
        body = {"modules": ["jobs"]} if method == "PUT" else None
        assert world.call(method, f"/v1/forwards/{made['id']}{path}", body, key=other).status_code == 404
    assert world.call("GET", "/v1/forwards", key=other).json_body["data"] == []


def test_every_module_of_an_account_can_be_forwarded_and_none_of_a_persons_login() -> None:
    assert set(FORWARDED) == {"credits", "prices", "jobs", "webhooks", "summaries"}


def test_the_log_tells_of_every_mail_shows_it_and_sends_it_again_once_a_name(world: World) -> None:
    person("ana@example.com")
    grant(world, "campaign <b>")
    (line,) = world.as_admin("GET", f"/v1/admin/mails?account={ACCOUNT.id}").json_body["data"]
    assert (line["kind"], line["state"], line["address"]) == ("credit_granted", "sent", "ana@example.com")
    assert line["subject"] == "Credit for One: 2.5"
    read = world.as_admin("GET", f"/v1/admin/mails/{line['id']}").json_body
    assert "What for: campaign <b>" in read["text"]
    for _ in range(2):
        again = world.as_admin("POST", f"/v1/admin/mails/{line['id']}/resend", headers={"Idempotency-Key": "k"})
        assert (again.status_code, again.json_body["again_of"]) == (202, line["id"])
    pump(world.now_ms())
    assert len(to("ana@example.com")) == 2
    unknown = "mal_" + "0" * 32
    assert world.as_admin("POST", f"/v1/admin/mails/{unknown}/resend").status_code == 404


def test_the_log_shows_no_token_of_a_mail_that_had_one(world: World) -> None:
    ana = person("ana@example.com")
    notify(Notice(Kind.PASSWORD_RESET, "r", account=ACCOUNT.id, user=ana.id), world.now_ms())
    pump(world.now_ms())
    secret = text_of(inbox()[0]).partition("token=")[2].split()[0]
    (line,) = world.as_admin("GET", "/v1/admin/mails?kind=password_reset").json_body["data"]
    told = world.as_admin("GET", f"/v1/admin/mails/{line['id']}")
    assert "Choose it here:\n…" in told.json_body["text"]
    assert secret not in told.body.decode()
    assert secret.rpartition(".")[2] not in told.body.decode()


def test_the_log_is_listed_by_address_and_month_and_its_pages_hold_together(world: World) -> None:
    person("ana@example.com")
    person("eva@example.com")
    for _ in range(3):
        grant(world)
    by_address = world.as_admin("GET", "/v1/admin/mails?address=EVA@example.com").json_body["data"]
    assert [one["address"] for one in by_address] == ["eva@example.com"] * 3
    seen: list[str] = []
    cursor = ""
    while True:
        page = world.as_admin("GET", f"/v1/admin/mails?limit=4{cursor}").json_body
        seen += [one["id"] for one in page["data"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(set(seen)) == len(seen) == 6
    assert world.as_admin("GET", "/v1/admin/mails?month=2020-01").json_body["data"] == []
    assert world.as_admin("GET", "/v1/admin/mails?state=failed").json_body["data"] == []
    elsewhere = world.as_admin("GET", f"/v1/admin/mails?account={ACCOUNT.id}{cursor}")
    assert (elsewhere.status_code, elsewhere.json_body["code"]) == (400, "invalid_cursor")
    for wrong in ("month=2026-13", f"account={ACCOUNT.id}&address=eva@example.com", "state=lost"):
        assert world.as_admin("GET", f"/v1/admin/mails?{wrong}").status_code == 422


def test_an_address_that_bounced_is_told_of_and_lifted(world: World) -> None:
    person("Ana@example.com")
    grant(world)
    (line,) = world.as_admin("GET", "/v1/admin/mails").json_body["data"]
    note(MailEvent(kind="bounced", mail=line["id"], ses_id="s", for_good=True, reason="550"), world.now_ms())
    (held,) = world.as_admin("GET", "/v1/admin/bad-mailboxes").json_body["data"]
    assert (held["address"], held["trouble"], held["mail"]) == (key("ana@example.com"), "bounced", line["id"])
    answer = world.as_admin("POST", f"/v1/admin/mails/{line['id']}/resend")
    assert (answer.status_code, answer.json_body["code"]) == (409, "not_resendable")
    for status in (200, 404):
        lifted = world.as_admin("POST", "/v1/admin/bad-mailboxes/lift", {"address": "ANA@example.com"})
        assert lifted.status_code == status
    assert world.as_admin("POST", f"/v1/admin/mails/{line['id']}/resend").status_code == 202


def test_a_grant_that_is_asked_for_again_is_mailed_once(world: World) -> None:
    person("ana@example.com")
    for _ in range(2):
        world.as_admin(
            "POST",
            f"/v1/admin/accounts/{ACCOUNT.id}/credits",
            {"amount": "1", "why": "x"},
            headers={"Idempotency-Key": "k"},
        )
    world.as_admin("POST", f"/v1/admin/accounts/{ACCOUNT.id}/credits", {"amount": "-1", "why": "taken back"})
    pump(world.now_ms())
    assert to("ana@example.com") == ["Credit for One: 1"]


def test_administrators_notifications_are_forwarded_too(world: World) -> None:
    given = {"address": "ops@example.com", "modules": ["gateways"]}
    made = world.as_admin("POST", "/v1/admin/forwards", given)
    assert made.status_code == 201, made.body
    pump(world.now_ms())
    assert to("ops@example.com") == ["Do you want notifications of Chasqui?"]
    token = token_of(text_of(inbox()[0]), "confirm")
    assert world.call("POST", "/v1/mail-links/confirm", {"token": token}, key="").status_code == 200
    down = {"gateway": "gtw", "gateway_name": "G", "reason": "refused"}
    notify(Notice(Kind.GATEWAY_DOWN, "gtw/1", values=down), world.now_ms())
    pump(world.now_ms())
    assert to("ops@example.com")[1:] == ["Gateway down: gtw"]
    stop = token_of(text_of(inbox()[-1]), "stop")
    assert world.call("POST", "/v1/mail-links/stop", {"token": stop}, key="").json_body["state"] == "stopped"
    path = f"/v1/admin/forwards/{made.json_body['id']}"
    assert world.as_admin("PUT", path, {"modules": ["gateways"], "language": "es"}).json_body["language"] == "es"
    assert world.as_admin("POST", f"{path}/ask").status_code == 429
    assert [one["state"] for one in world.as_admin("GET", "/v1/admin/forwards").json_body["data"]] == ["stopped"]
    assert world.call("GET", "/v1/forwards").json_body["data"] == []  # an account has its own
    assert world.call("DELETE", f"/v1/forwards/{made.json_body['id']}").status_code == 404
    assert world.as_admin("DELETE", path).status_code == 200
    assert world.as_admin("POST", "/v1/admin/forwards", {**given, "modules": ["credits"]}).status_code == 422
