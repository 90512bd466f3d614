"""What waits for its time can be replaced until it is taken to be sent: its customer is first, or the scheduler."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chalicelib.domain.account import Account
from chalicelib.domain.message import Message
from chalicelib.domain.text import Encoding
from chalicelib.services.accept import Acceptance
from chalicelib.services.accept_many import accept_many
from chalicelib.services.cancel import cancel
from chalicelib.services.check import Submission
from chalicelib.services.faults import Fault
from chalicelib.services.find_submitted import find_submitted, find_waiting
from chalicelib.services.replace import Replacement, replace
from chalicelib.services.send_scheduled import AHEAD_MS, send_due
from chalicelib.settings import Settings
from chalicelib.store import ledger, queues, scheduled
from tests.chalicelib.services.test_accept_many import bundles, opened, submission
from tests.chalicelib.services.world import ACCOUNT, HOUR_MS, NOW_MS, PRICE_MICROS

DUE_MS = NOW_MS + HOUR_MS


@pytest.fixture
def account(aws: Settings) -> Account:
    return opened()


def waiting(account: Account, **more: Any) -> Message:
    """A message of the login's for an hour from now."""
    asked = msgspec.structs.replace(submission(), **({"send_at_ms": DUE_MS, "data_coding": 0} | more))
    (made,) = accept_many(account, [asked], NOW_MS)
    assert isinstance(made, Acceptance)
    return found(account, made.draft.id)


def found(account: Account, message_id: str) -> Message:
    message = find_submitted(account, message_id)
    assert message is not None
    return message


def instead(**more: Any) -> Replacement:
    fields: dict[str, Any] = {"login": "acme", "sender": "ACME", "body": "adiós €", "registered": 2}
    return Replacement(**fields | more)


def refused(account: Account, message: Message, asked: Replacement, now_ms: int = NOW_MS) -> str:
    with pytest.raises(Fault) as told:
        replace(account, message, asked, now_ms)
    return told.value.code


def test_another_text_goes_out_under_the_same_id_at_the_same_time(account: Account) -> None:
    message = waiting(account)
    for _ in range(2):
        replace(account, message, instead(), NOW_MS)
    now = found(account, message.id)
    assert now.content is not None
    assert message.content is not None
    assert (now.content.text, now.content.registered, now.content.encoding) == ("adiós €", 2, Encoding.UCS2)
    assert (now.due_ms, now.content.valid_until_ms) == (DUE_MS, message.content.valid_until_ms)
    assert send_due(DUE_MS) == 1
    (bundle,) = bundles()
    assert [(one.id, one.content.text) for one in bundle.messages] == [(message.id, "adiós €")]
    assert found(account, message.id).content == now.content


@pytest.mark.parametrize("by_hours", [5, -0.5], ids=["later", "earlier"])
def test_another_time_is_the_only_one_that_it_is_sent_at(account: Account, by_hours: float) -> None:
    message, due_ms = waiting(account), DUE_MS + int(by_hours * HOUR_MS)
    replace(account, message, instead(send_at_ms=due_ms), NOW_MS)
    assert found(account, message.id).due_ms == due_ms
    assert send_due(due_ms - AHEAD_MS - 1) == 0
    assert send_due(due_ms) == 1
    assert len(bundles()) == 1


def test_the_end_of_its_validity_stays_but_where_another_is_asked_for(account: Account) -> None:
    message = waiting(account, validity_seconds=7200)
    end_ms = DUE_MS + 2 * HOUR_MS
    replace(account, message, instead(send_at_ms=DUE_MS + HOUR_MS), NOW_MS)
    content = found(account, message.id).content
    assert content is not None
    assert content.valid_until_ms == end_ms
    assert refused(account, message, instead(send_at_ms=end_ms)) == "invalid_request"
    replace(account, message, instead(send_at_ms=end_ms, validity_seconds=60), NOW_MS)
    content = found(account, message.id).content
    assert content is not None
    assert content.valid_until_ms == end_ms + 60_000


def test_data_stay_data(account: Account) -> None:
    message = waiting(account, text=None, data=b"\0\1", encoding=Encoding.BINARY)
    replace(account, message, instead(body=b"\2\3"), NOW_MS)
    assert send_due(DUE_MS) == 1
    assert bundles()[0].messages[0].content.data == b"\2\3"


def test_what_is_to_go_at_once_leaves_and_asked_again_is_the_same(account: Account) -> None:
    message, asked = waiting(account, validity_seconds=60), instead(send_at_ms=NOW_MS + 1, validity_seconds=60)
    replace(account, message, asked, NOW_MS)
    assert scheduled.get(message.id) is None
    replace(account, found(account, message.id), asked, NOW_MS)
    assert refused(account, found(account, message.id), instead(body="otra")) == "not_replaceable"
    assert send_due(DUE_MS) == 0


def test_who_dies_after_it_is_taken_has_it_sent_by_the_next_who_looks(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, asked = waiting(account), instead(send_at_ms=NOW_MS + 60_000)

    def down(*_: Any, **__: Any) -> None:
        raise OSError("down")

    with monkeypatch.context() as patch:
        patch.setattr(queues, "send_many", down)
        with pytest.raises(OSError, match="down"):
            replace(account, message, asked, NOW_MS)
    assert refused(account, message, instead(body="otra", send_at_ms=DUE_MS)) == "not_replaceable"
    assert send_due(NOW_MS) == 1
    assert send_due(DUE_MS) == 0


# --- the race with the scheduler


def test_the_scheduler_is_first(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the message between our reading it and our writing it."""
    message, get = waiting(account), scheduled.get

    def then_it_is_sent(message_id: str) -> Any:
        kept = get(message_id)
        assert send_due(DUE_MS) == 1
        return kept

    monkeypatch.setattr(scheduled, "get", then_it_is_sent)
    assert refused(account, message, instead()) == "not_replaceable"
    (bundle,) = bundles()
    assert bundle.messages[0].content.text == "hola"
    content = found(account, message.id).content
    assert content is not None
    assert content.text == "hola"


@pytest.mark.parametrize(("later_ms", "sent"), [(0, 1), (HOUR_MS, 0)], ids=["its text", "its time"])
def test_the_customer_is_first(account: Account, monkeypatch: pytest.MonkeyPatch, later_ms: int, sent: int) -> None:
    """The scheduler knows it by an index that is behind."""
    message = waiting(account)
    behind = list(scheduled.due(DUE_MS))
    replace(account, message, instead(send_at_ms=DUE_MS + later_ms), NOW_MS)
    with monkeypatch.context() as patch:
        patch.setattr(scheduled, "due", lambda _: iter(behind))
        assert send_due(DUE_MS) == sent
    assert send_due(DUE_MS + HOUR_MS) == 1 - sent
    (bundle,) = bundles()
    assert bundle.messages[0].content.text == "adiós €"


def test_of_two_customers_at_once_one_is_first(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    message, get = waiting(account), scheduled.get

    def then_another_is(message_id: str) -> Any:
        kept = get(message_id)
        monkeypatch.setattr(scheduled, "get", get)
        replace(account, message, instead(body="la otra"), NOW_MS)
        return kept

    monkeypatch.setattr(scheduled, "get", then_another_is)
    assert refused(account, message, instead()) == "not_replaceable"
    content = found(account, message.id).content
    assert content is not None
    assert content.text == "la otra"


def test_what_is_canceled_does_not_come_back(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    message, get = waiting(account), scheduled.get

    def then_it_is_canceled(message_id: str) -> Any:
        kept = get(message_id)
        cancel(account, message.id, NOW_MS)
        return kept

    monkeypatch.setattr(scheduled, "get", then_it_is_canceled)
    assert refused(account, message, instead()) == "not_replaceable"
    assert refused(account, found(account, message.id), instead()) == "not_replaceable"
    assert send_due(DUE_MS) == 0


# --- what is refused


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (instead(login="other"), "not_replaceable"),
        (instead(sender="OTHER"), "not_replaceable"),
        (instead(sender=None), "not_replaceable"),  # the account's default, which it has none of
        (instead(body=""), "invalid_request"),
        (instead(body="x" * 5000), "text_too_long"),
        (instead(send_at_ms=NOW_MS + 31 * 24 * HOUR_MS), "invalid_request"),
    ],
)
def test_what_may_not_be_changes_nothing(account: Account, asked: Replacement, code: str) -> None:
    message = waiting(account)
    assert refused(account, message, asked) == code
    assert found(account, message.id) == message


def test_a_longer_text_must_be_within_the_credit(account: Account) -> None:
    message = waiting(account)
    ledger.grant(ACCOUNT, "taken", -999 * PRICE_MICROS, who="test", why="", now_ms=NOW_MS)
    assert refused(account, message, instead(body="x" * 161), NOW_MS + 60_000) == "no_credit"
    replace(account, message, instead(body="x" * 160), NOW_MS + 60_000)


Kind = Callable[[Account], Message]


def by_https(account: Account) -> Message:
    return waiting(account, source="https", login="", data_coding=None)


def with_a_header(account: Account) -> Message:
    return waiting(account, udh=b"\x05\x04\x0b\x84\x0b\x84")


def of_many(account: Account) -> Message:
    return waiting(account, segment_ids=("msg_first",))


@pytest.mark.parametrize("kind", [by_https, with_a_header, of_many])
def test_a_text_alone_cannot_stand_for_what_is_more_than_a_text(account: Account, kind: Kind) -> None:
    message = kind(account)
    assert refused(account, message, instead(login=message.content.login if message.content else "")) == (
        "not_replaceable"
    )


def test_what_is_not_scheduled_is_not_replaced(account: Account) -> None:
    asked = Submission(
        to="+34600111222", sender="ACME", text="hola", source="smpp", login="acme", send_at_ms=NOW_MS + 60_000
    )
    (made,) = accept_many(account, [asked], NOW_MS)
    assert isinstance(made, Acceptance)
    assert refused(account, found(account, made.draft.id), instead()) == "not_replaceable"


def test_what_waits_for_its_time_is_found_by_its_addresses_once(account: Account) -> None:
    message = waiting(account)
    assert [one.id for one in find_waiting(account, "acme", "ACME", "+34600111222")] == [message.id]
