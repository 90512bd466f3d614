"""Rules, lists, held messages and SMPP customers' receipts through the packaged functions."""

import time
from typing import Any, Final

import msgspec

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.content import Content
from chalicelib.domain.smpp_login import EsmeSession
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding
from chalicelib.store import esme_sessions, queues
from tests.packaging.cloud import PREFIX, Cloud
from tests.packaging.hooks import LOGIN
from tests.packaging.journey import CHARGE, GATEWAY, ROUTE, SETTLE, SHELVE, Journey

QUIET: Final = "+34600000007"  # on the list of those not to be disturbed
LEFT: Final = "+34600000006"  # wants no more of the account's messages
ESME: Final = queues.esme_queue(LOGIN)
REPORTED: Final = "Ana"  # in what a job sends
RULES: Final = (("word", "casino", "hold"), ("phrase", "free money", "block"), ("word", REPORTED, "report"))
TO: Final = "+34600000005"


def keep_from_harm(journey: Journey, cloud: Cloud, admin: str, key: str) -> None:
    """Lists and rules as they are kept, what they do to messages, and what an SMPP customer is told of it."""
    (own,) = journey.call(key, ("GET", "/v1/account", None))
    _list_numbers(journey, admin, key)
    _make_rules(journey, admin)
    released, dropped = _send(journey, cloud, key, own["id"])
    _review(journey, admin, released, dropped)
    _receipts(journey, cloud, own["id"])
    _look_after_login(journey, cloud, admin, own["id"])
    for queue in ("accepted", "billing", "outcomes", ESME, f"gateway-{GATEWAY}"):
        cloud.take_all(queue)


def _list_numbers(journey: Journey, admin: str, key: str) -> None:
    journey.call(
        admin,
        ("POST", "/v1/admin/dnd", {"number": QUIET}),
        ("POST", "/v1/admin/dnd/import", ["+34600000008", "+34600000010"]),
        ("GET", f"/v1/admin/dnd/{QUIET}", None),
        ("DELETE", "/v1/admin/dnd/+34600000008", None),
        ("GET", "/v1/admin/dnd?country=ES", None),
    )
    journey.call(
        key,
        ("POST", "/v1/opt-outs", {"number": LEFT}),
        ("POST", "/v1/opt-outs/import", ["+34600000011", "+34600000012"]),
        ("GET", "/v1/opt-outs", None),
        ("GET", f"/v1/opt-outs/{LEFT}", None),
        ("DELETE", "/v1/opt-outs/+34600000011", None),
        ("GET", "/v1/opt-outs/keywords", None),
        ("PUT", "/v1/opt-outs/keywords", {"languages": []}),
    )


def _make_rules(journey: Journey, admin: str) -> None:
    """Rules of each kind, of which one is changed and one is deleted; then those of content are in force."""
    content, sender, country = "/v1/admin/content-rules", "/v1/admin/sender-rules", "/v1/admin/countries"
    written = [{"kind": kind, "patterns": [pattern], "action": action} for kind, pattern, action in RULES]
    first, *_, spare, allowed = journey.call(
        admin,
        *(("POST", content, rule) for rule in (*written, written[0])),
        ("POST", sender, {"senders": ["Acme"]}),
        ("PUT", f"{country}/FR", {"time_zone": "Europe/Paris"}),
    )[: len(written) + 2]
    journey.call(
        admin,
        ("PUT", f"{content}/{first['id']}", {**written[0], "version": first["version"]}),
        ("DELETE", f"{content}/{spare['id']}", None),
        ("GET", content, None),
        ("GET", f"{content}/{first['id']}", None),
        ("POST", f"{content}/try", {"text": "A casino"}),
        ("GET", sender, None),
        ("GET", f"{sender}/{allowed['id']}", None),
        ("PUT", f"{sender}/{allowed['id']}", {"senders": ["Acme", "Other"], "version": allowed["version"]}),
        ("DELETE", f"{sender}/{allowed['id']}", None),
        ("GET", country, None),
        ("DELETE", f"{country}/FR", None),
        ("POST", "/v1/admin/rules/publish", {"note": "content"}),
    )


def _send(journey: Journey, cloud: Cloud, key: str, account: str) -> list[str]:
    """Messages that are held, and by SMPP one that is blocked and one to a number on a list; who is held."""
    for queue in ("accepted", ESME):
        cloud.take_all(queue)  # what others left there
    text = {"to": TO, "from": "Acme", "text": "A casino"}
    *held, _ = journey.call(
        key,
        *(("POST", "/v1/messages", text) for _ in range(2)),
        ("POST", "/v1/messages", {**text, "text": "Hello", "dry_run": True}),
    )
    drafts = tuple(smpp_draft(to, said) for to, said in ((TO, "Free money!"), (QUIET, "Hello"), (LEFT, "Hello")))
    cloud.send(
        "accepted", wire.encode(wire.AcceptedBundle(id=ids.new_ulid(_now_ms()), account=account, messages=drafts))
    )
    assert journey.run(ROUTE, cloud.receive("accepted")).failures == []
    cloud.take_all("accepted")
    assert journey.run(CHARGE, cloud.receive("billing")).failures == []
    cloud.take_all("billing")
    told = _told(cloud)
    assert {receipt.err for receipt in told} == {"909", "910", "912"}  # not to be disturbed, left, blocked
    return [message["id"] for message in held]


def _review(journey: Journey, admin: str, released: str, dropped: str) -> None:
    held = "/v1/admin/held"
    listed, *_, go, stop = journey.call(
        admin,
        ("GET", held, None),
        ("GET", f"{held}/{released}", None),
        ("POST", f"{held}/{released}/release", None),
        ("POST", f"{held}/{dropped}/drop", None),
    )
    assert {one["id"] for one in listed["data"]} == {released, dropped}
    assert (go["state"], stop["state"]) == ("released", "dropped")


def _receipts(journey: Journey, cloud: Cloud, account: str) -> None:
    """A message of an SMPP customer's is delivered, which its client does not take at first."""
    cloud.take_all("accepted")
    cloud.take_all("outcomes")
    draft = smpp_draft(TO, "Hello")
    bundle = wire.AcceptedBundle(id=ids.bundle_of_single(draft.id), account=account, messages=(draft,))
    cloud.send("accepted", wire.encode(bundle))
    assert journey.run(ROUTE, cloud.receive("accepted")).failures == []
    assert journey.run(CHARGE, cloud.receive("billing")).failures == []
    cloud.take_all("billing")
    end = wire.EndOutcome(account=account, message=draft.id, at_ms=_now_ms(), gateway=GATEWAY, status=Status.DELIVERED)
    journey.tell(end)
    assert journey.run(SETTLE, cloud.receive("outcomes")).failures == []
    (receipt,) = _told(cloud)
    assert (receipt.id, receipt.status) == (draft.id, Status.DELIVERED)
    journey.tell(wire.ToldInVain(login=LOGIN, items=(receipt,), attempt=1))
    assert journey.run(SETTLE, cloud.receive("outcomes")).failures == []
    assert _told(cloud) == [receipt]


def _look_after_login(journey: Journey, cloud: Cloud, admin: str, account: str) -> None:
    """A login from its change to its end, a session of its own, and a letter to it that was lost on the way."""
    own, one = f"/v1/admin/accounts/{account}/smpp-logins", f"/v1/admin/smpp-logins/{LOGIN}"
    session = _bind(cloud, account)
    lost = wire.EsmeBundle(id="lost", login=LOGIN, items=())
    cloud.send("dead", wire.encode(lost))
    assert journey.run(SHELVE, cloud.receive("dead")).failures == []
    cloud.take_all("dead")
    waiting, login, *_ = journey.call(
        admin,
        ("GET", "/v1/admin/dead-letters", None),
        ("GET", one, None),
        ("GET", own, None),
        ("GET", "/v1/admin/smpp-logins", None),
        ("GET", f"{one}/sessions", None),
        ("GET", "/v1/admin/smpp-sessions", None),
        ("POST", f"{one}/sessions/{session}/unbind", None),
        ("POST", f"{one}/rotate-password", {"unbind_sessions": True}),
    )
    (letter,) = (told["id"] for told in waiting["data"] if told["queue"] == ESME)
    journey.call(
        admin,
        ("POST", f"/v1/admin/dead-letters/{letter}/resend", None),
        ("PUT", one, {"name": "Acme Ltd", "version": login["version"] + 1}),
        ("DELETE", one, None),
    )


def _bind(cloud: Cloud, account: str) -> str:
    """A session in the first place of the login, as a bridge puts it there; its id."""
    session = EsmeSession(
        id="s1",
        system_id=LOGIN,
        account=account,
        bind="transceiver",
        address="192.0.2.1",
        bridge="b",
        bound_ms=_now_ms(),
    )
    row = esme_sessions.EsmeSessionTable(
        LOGIN,
        0,
        session=session.id,
        body=msgspec.json.encode(session).decode(),
        beat_ms=_now_ms(),
        expires=_now_ms() // 1000 + 3_600,
    )
    cloud.client("dynamodb").put_item(TableName=f"{PREFIX}-esme_sessions", Item=row.serialize())
    return session.id


def smpp_draft(to: str, text: str) -> wire.Draft:
    """What the bridge accepts of an SMPP customer, who wants receipts."""
    content = Content(
        to=to,
        country="ES",
        sender="Acme",
        encoding=Encoding.GSM7,
        parts=1,
        valid_until_ms=_now_ms() + 3_600_000,
        text=text,
        source="smpp",
        login=LOGIN,
        registered=1,
    )
    return wire.Draft(id=ids.new_message_id(_now_ms()), at_ms=_now_ms(), content=content)


def _told(cloud: Cloud) -> list[Any]:
    """What waits for the login, taken as the bridge does."""
    bundles = [wire.decode(record["body"]) for record in cloud.take_all(ESME)]
    return [item for bundle in bundles if isinstance(bundle, wire.EsmeBundle) for item in bundle.items]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
