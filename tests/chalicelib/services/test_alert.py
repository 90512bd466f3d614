"""Rounds of alerts: told once and again after a pause; summaries hold what usage does; what was lost is sent on."""

from typing import Any

import msgspec
import pytest

from chalicelib.domain.gateway_beat import Failure, GatewayBeat
from chalicelib.domain.mail import Kind
from chalicelib.domain.rules import Gateway
from chalicelib.domain.status import Status
from chalicelib.domain.usage import UsageLine
from chalicelib.services.address_notice import address
from chalicelib.services.alert import LOST_MS, alert
from chalicelib.services.notify import Notice, notify
from chalicelib.store import accounts, dynamo, gateway_beats, ledger, mails, queues, rules, usage
from chalicelib.wire import MailBundle, decode
from tests.chalicelib.services.mail_world import (
    ACCOUNT,
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    NOW_MS,
    inbox,
    person,
    pump,
    set_up,
    text_of,
)


@pytest.fixture(autouse=True)
def stage(aws: object, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch)


def change(**more: Any) -> None:
    row = accounts.versioned(ACCOUNT.id)
    assert row is not None
    assert accounts.change(ACCOUNT.id, row.version, msgspec.structs.replace(row.value, **more))


def subjects(now_ms: int) -> list[str]:
    """The subjects of what a round at that instant has mailed."""
    before = len(inbox())
    alert(now_ms)
    pump(now_ms)
    return [str(one["Subject"]) for one in inbox()[before:]]


def test_low_credit_is_told_until_it_is_cured_and_twice_by_no_two_rounds() -> None:
    person("ana@example.com")
    ledger.grant(ACCOUNT.id, "a", 4_500_000, who="t", why="t", now_ms=NOW_MS)
    assert subjects(NOW_MS) == []  # it asked for no threshold
    change(low_credit_micros=5_000_000)
    assert subjects(NOW_MS) == ["Acme is running out of credit: 4.5"]
    assert subjects(NOW_MS + HOUR_MS) == []
    assert subjects(NOW_MS + DAY_MS) == ["Acme is running out of credit: 4.5"]
    ledger.grant(ACCOUNT.id, "b", 1_000_000, who="t", why="t", now_ms=NOW_MS)
    assert subjects(NOW_MS + 2 * DAY_MS) == []
    ledger.grant(ACCOUNT.id, "c", -2_000_000, who="t", why="t", now_ms=NOW_MS)
    assert subjects(NOW_MS + 3 * DAY_MS) == ["Acme is running out of credit: 3.5"]


def test_a_round_that_dies_before_it_notes_that_it_told_tells_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    person("ana@example.com")
    change(low_credit_micros=5_000_000)

    def dies(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as cut:
        cut.setattr("chalicelib.services.alert.domain.told_of", dies)
        for minute in (0, 5):
            with pytest.raises(RuntimeError):
                alert(NOW_MS + minute * MINUTE_MS)
    alert(NOW_MS + 10 * MINUTE_MS)
    pump(NOW_MS + 10 * MINUTE_MS)
    assert len(inbox()) == 1


def test_a_gateway_that_is_not_bound_is_told_to_administrators_with_its_last_error() -> None:
    person("root@example.com", "super", account=None)
    gateways = [
        Gateway(id=name, name=name, host="h", port=1, system_id="x", state=state)  # type: ignore[arg-type]
        for name, state in (("up", "active"), ("down", "active"), ("off", "paused"))
    ]
    rules.publish(gateways, [], [], by="t", note="", now_ms=NOW_MS)
    rules.forget()

    def beats(now_ms: int) -> None:
        failure = Failure(at_ms=now_ms, session="s", reason="connection refused")
        gateway_beats.put(
            GatewayBeat(
                gateway=name, bridge="b", at_ms=now_ms, state="active", sessions=1, bound=bound, failure=failure
            )
            for name, bound in (("up", 1), ("down", 0), ("off", 0))
        )

    beats(NOW_MS)
    assert subjects(NOW_MS) == []
    beats(NOW_MS + 5 * MINUTE_MS)
    assert subjects(NOW_MS + 5 * MINUTE_MS) == ["Gateway down: down"]
    assert "The last error: connection refused" in text_of(inbox()[0])
    # Then the bridge itself dies: no gateway has a beat any more.
    assert subjects(NOW_MS + HOUR_MS) == []
    assert subjects(NOW_MS + HOUR_MS + 5 * MINUTE_MS) == ["Gateway down: up"]


def count(slot: str, messages: int, country: str = "ES", **ends: int) -> None:
    line = UsageLine(
        slot=slot, country=country, messages=messages, parts=2 * messages, credits_micros=messages * 40_000
    )
    dynamo.transact(lambda transaction: usage.add_to(transaction, ACCOUNT.id, [line]))
    ended = UsageLine(slot=slot, country=country, ends={Status(name): count for name, count in ends.items()})
    if ends:
        dynamo.transact(lambda transaction: usage.add_ends_to(transaction, ACCOUNT.id, [ended]))


def test_the_day_and_the_week_are_summed_up_in_the_morning_after_in_the_accounts_own_time() -> None:
    """Monday the 21st, 14:13 UTC. In Madrid the 20th (a Sunday) lasted from 22:00 of the 19th to 22:00 UTC."""
    person("ana@example.com", language="es")
    count("2026-09-19T21:45", 1)
    count("2026-09-19T22:00", 3, delivered=2, expired=1)
    count("2026-09-20T21:45", 4, "PT", delivered=4)
    count("2026-09-20T22:00", 100)
    assert subjects(NOW_MS - DAY_MS) == []  # the first round only notes where it begins
    assert subjects(NOW_MS) == [
        "Resumen de Acme: 2026-09-20",
        "Resumen semanal de Acme: 2026-09-14 – 2026-09-20",
    ]
    text = text_of(inbox()[0])
    assert "Mensajes: 8" in text_of(inbox()[1])
    assert "Mensajes: 7\nPartes: 14\nCrédito: 0.28" in text
    assert "entregados: 6\ncaducados: 1" in text
    assert "PT: 4 / 0.16\nES: 3 / 0.12" in text
    assert subjects(NOW_MS + 5 * MINUTE_MS) == []


def test_rounds_that_were_missed_are_made_up_for_by_the_last_day_and_nothing_is_told_of_days_without_messages() -> None:
    person("ana@example.com")
    count("2026-09-22T12:00", 1)
    alert(NOW_MS)
    assert subjects(NOW_MS + 2 * DAY_MS) == ["Summary of Acme: 2026-09-22"]
    assert subjects(NOW_MS + 3 * DAY_MS) == []


def test_a_mail_that_was_lost_on_its_way_is_sent_on() -> None:
    person("ana@example.com")
    notify(Notice(Kind.CREDIT_GRANTED, "g", account=ACCOUNT.id, values={"amount": "5"}), NOW_MS)
    (record,) = queues.receive(queues.MAILS, wait_seconds=0)
    bundle = decode(record.body)
    assert isinstance(bundle, MailBundle)
    assert bundle.notice is not None
    address(bundle.notice, NOW_MS, NOW_MS)
    queues.delete_many(queues.MAILS, [record.handle])
    queues.delete_many(queues.MAILS, [one.handle for one in queues.receive(queues.MAILS, wait_seconds=0)])
    assert alert(NOW_MS + LOST_MS - 1)["lost"] == 0
    assert alert(NOW_MS + LOST_MS + 1)["lost"] == 1
    pump(NOW_MS + LOST_MS + 1)
    assert len(inbox()) == 1
    assert not mails.waiting(NOW_MS + DAY_MS, 10)
