"""The mails' functions, ended at any AWS call: each reader gets one mail. And what SES tells, garbage among it."""

import json
from typing import Any

import pytest

from chalicelib import wire
from chalicelib.domain.mail import Kind, Notice
from chalicelib.domain.mail_event import parse
from chalicelib.services.note_mail_event import note
from chalicelib.services.notify import notify
from chalicelib.services.post_mail import post
from chalicelib.store import aws as clients
from chalicelib.store import bad_mailboxes, mails, queues
from functions.mails import mail_event
from functions.records import RecordsFailed
from infra.local import mails as taken
from infra.local.ses import listening
from tests.chalicelib.services.mail_world import ACCOUNT, MINUTE_MS, NOW_MS, inbox, person, pump, set_up
from tests.conftest import empty_aws
from tests.functions.lambda_runs import Killed, Tracer, bodies, kill

GRANTED = Notice(Kind.CREDIT_GRANTED, "01GRANT", account=ACCOUNT.id, values={"amount": "5"})


def work(todo: list[wire.Bundle], now_ms: int, tracer: Tracer) -> None:
    """Do what lies on ⟨mails⟩ and what it brings, as the tracer lets it; `todo` keeps what a run left undone."""
    todo += bodies(queues.MAILS)
    while todo:
        bundle = todo[0]
        assert isinstance(bundle, wire.MailBundle)
        with tracer.watching():
            post([bundle], now_ms)
        todo.pop(0)
        todo += bodies(queues.MAILS)


def ses_tells() -> None:
    """Of everything that it has sent."""
    for message in inbox():
        told = {"eventType": "Send", "mail": {"messageId": "s", "tags": {"mail": [str(message["X-Chasqui-Mail"])]}}}
        event = parse(json.dumps(told))
        assert event is not None
        note(event, NOW_MS)


def test_wherever_the_function_ends_each_reader_gets_one_mail(
    environment: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Tracer().watching():  # the clients that are made from now on tell
        at, ended = 0, True
    while ended:
        at, ended = at + 1, False
        with empty_aws():
            set_up(monkeypatch)
            person("ana@example.com")
            notify(GRANTED, NOW_MS)
            todo: list[wire.Bundle] = []
            tracer = Tracer(at, "before", kill)
            try:
                work(todo, NOW_MS, tracer)
            except Killed:
                ended = True
            ses_tells()
            work(todo, NOW_MS + 2 * MINUTE_MS, Tracer())
            assert len(inbox()) == 1, f"ended before call {at}: {tracer.calls}"
            (one,) = mails.of_account(ACCOUNT.id, None, 10).items
            assert one.fate.state == "sent"
    assert {"PutItem", "SendMessageBatch", "UpdateItem", "SendEmail"} <= set(tracer.calls)


def bring(*records: str) -> None:
    told = [{"messageId": str(n), "receiptHandle": str(n), "body": one} for n, one in enumerate(records)]
    mail_event({"Records": told}, None)


def test_an_event_that_is_none_goes_with_the_dead_letters_and_stops_no_other(
    aws: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(monkeypatch)
    person("ana@example.com")
    notify(GRANTED, NOW_MS)
    pump()
    (one,) = mails.of_account(ACCOUNT.id, None, 10).items
    bounce = {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": []}
    body = {"eventType": "Bounce", "mail": {"messageId": "s", "tags": {"mail": [one.mail.id]}}, "bounce": bounce}
    bring("garbage", json.dumps({"Message": json.dumps(body)}), "{}")
    assert queues.depth(queues.DEAD) == 2
    assert bad_mailboxes.of("ana@example.com") is not None
    monkeypatch.setattr("functions.mails.note", lambda *_: (_ for _ in ()).throw(RuntimeError("throttled")))
    with pytest.raises(RecordsFailed):
        bring(json.dumps(body))


def test_the_local_ses_keeps_mails_to_be_read_and_bounces_as_sess_simulator_does(
    aws: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    with listening(tmp_path) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SESV2", f"http://127.0.0.1:{port}")
        clients.forget_clients()
        set_up(monkeypatch)
        person("bounce@simulator.amazonses.com")
        person("ana@example.com", name="Ana")
        notify(GRANTED, NOW_MS)
        pump()
        shown = {one.to: one.subject for one in taken.sent(tmp_path)}
        assert shown == dict.fromkeys(("bounce@simulator.amazonses.com", "ana@example.com"), "Credit for Acme: 5")
        records = []
        while more := queues.receive(queues.MAIL_EVENTS, wait_seconds=0):
            records += [record.body for record in more]
        bring(*records)
    clients.forget_clients()
    states = {one.mail.address: one.fate.state for one in mails.of_account(ACCOUNT.id, None, 10).items}
    assert states == {"bounce@simulator.amazonses.com": "bounced", "ana@example.com": "sent"}
    assert bad_mailboxes.of("bounce@simulator.amazonses.com") is not None
    assert {path.stat().st_mode & 0o777 for path in tmp_path.glob("mails")} == {0o700}
