"""Announcing: who listens hears each piece of news under one name, and nobody else costs anything."""

from typing import Any

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.facts import Final, Queued, Scheduled
from chalicelib.domain.status import Status
from chalicelib.domain.webhook import Endpoint
from chalicelib.services import announce as service
from chalicelib.services.announce import Heard
from chalicelib.services.charge import charge
from chalicelib.services.settle import settle
from chalicelib.store import accounts, messages, queues, webhooks
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS

pytestmark = pytest.mark.usefixtures("aws")
LATER_MS = NOW_MS + 10_000


@pytest.fixture
def ears(monkeypatch: pytest.MonkeyPatch) -> list[Heard]:
    """What a listener hears."""
    heard: list[Heard] = []
    monkeypatch.setattr(service, "LISTENERS", (lambda told, _: heard.extend(told),))
    return heard


def listen() -> None:
    world.open_account()
    row = accounts.versioned(ACCOUNT)
    assert row is not None
    assert accounts.change(ACCOUNT, row.version, msgspec.structs.replace(row.value, listens=True))


def charged(parts: int = 1) -> str:
    draft = world.draft(parts=parts)
    charge([world.routed(draft)], NOW_MS)
    return draft.id


def settle_all(*happened: wire.Outcome) -> None:
    settle([world.outcomes(*happened)], LATER_MS)


def queued(draft: wire.Draft) -> messages.Noted:
    by = world.decision()
    fact = Queued(
        at_ms=NOW_MS,
        content=draft.content,
        gateway=by.gateway,
        route=by.route,
        operator=by.operator,
        price_micros=by.price_micros,
        charge_micros=by.price_micros,
        rules=by.rules,
        bundle="b",
        why=by.why,
    )
    return messages.Noted(ACCOUNT, draft.id, fact, 90)


def names(heard: list[Heard], message: str) -> list[str]:
    return [one.news.name.removeprefix(f"{message}#") for one in heard]


def test_a_listener_hears_what_became_of_a_message_and_what_message_it_is(ears: list[Heard]) -> None:
    listen()
    message = charged()
    settle_all(world.submitted(message, "A1"), world.receipt("A1"))
    assert names(ears, message) == ["submitted#001", "receipt#001#delivered", "final#delivered"]
    assert {one.content.text for one in ears} == {"hello"}


def test_an_account_that_nobody_listens_to_costs_no_call(ears: list[Heard]) -> None:
    world.open_account()
    message = charged()
    settle_all(world.submitted(message, "A1"))
    calls = world.Calls("dynamodb")
    settle_all(world.receipt("A1"))
    assert ears == []
    assert calls.of("BatchGetItem") == 2  # the receipt's pointer, and for its end how it was charged


def in_a_job() -> str:
    """A charged message of a job."""
    id_ = ids.run_message_id(ids.new_run_id(NOW_MS), 7)
    charge([world.routed(msgspec.structs.replace(world.draft(), id=id_))], NOW_MS)
    return id_


def test_a_jobs_message_costs_no_call_where_only_smpp_logins_listen(ears: list[Heard]) -> None:
    listen()
    message = in_a_job()
    settle_all(world.submitted(message, "A1"))
    calls = world.Calls("dynamodb")
    settle_all(world.receipt("A1"))
    assert ears == []
    # the receipt's pointer, and for its end how it was charged
    assert (calls.of("BatchGetItem"), calls.of("GetItem")) == (2, 0)


def test_a_webhook_hears_of_a_jobs_messages_as_soon_as_it_is_known(ears: list[Heard]) -> None:
    listen()
    message = in_a_job()
    settle_all(world.submitted(message, "A1"))
    endpoint = Endpoint(id="whk_1", url="https://example.com", created_ms=NOW_MS)
    webhooks.change(ACCOUNT, lambda held: msgspec.structs.replace(held, endpoints=(endpoint,)))
    settle_all(world.receipt("A1"))
    assert names(ears, message) == ["receipt#001#delivered", "final#delivered"]


def test_hearing_of_a_hundred_messages_takes_one_call(ears: list[Heard]) -> None:
    listen()
    drafts = [world.draft() for _ in range(100)]
    messages.put_facts(queued(draft) for draft in drafts)
    calls = world.Calls("dynamodb")
    ended = Final(at_ms=NOW_MS, status=Status.DELIVERED)
    service.announce([service.News(account=ACCOUNT, message=draft.id, fact=ended) for draft in drafts], NOW_MS)
    assert len(ears) == 100
    assert calls.of("BatchGetItem") == 1


def test_news_told_again_has_the_same_names(ears: list[Heard]) -> None:
    listen()
    message = charged()
    for _ in range(2):
        settle_all(world.submitted(message, "A1"), world.receipt("A1"))
    assert names(ears[:3], message) == names(ears[3:], message)


def test_a_delivery_after_an_expiry_is_told_and_an_expiry_after_a_delivery_is_not(ears: list[Heard]) -> None:
    listen()
    first, second = charged(), charged()
    settle_all(world.submitted(first, "A1"), world.submitted(second, "A2"))
    for status, other in ((Status.EXPIRED, Status.DELIVERED), (Status.DELIVERED, Status.EXPIRED)):
        settle_all(world.receipt("A1", status=status), world.receipt("A2", status=other))
    ends = [(one.news.message, one.news.fact.status) for one in ears if isinstance(one.news.fact, Final)]
    assert ends == [(first, Status.EXPIRED), (second, Status.DELIVERED), (first, Status.DELIVERED)]


def test_the_end_of_several_parts_is_told_once_when_all_have_ended(ears: list[Heard]) -> None:
    listen()
    message = charged(parts=2)
    settle_all(*(world.submitted(message, f"A{part}", part, 2) for part in (1, 2)), world.receipt("A1"))
    assert "final#delivered" not in names(ears, message)
    settle_all(world.receipt("A2"))
    assert names(ears, message)[-1] == "final#delivered"


def test_a_refusal_is_told_with_its_message_and_kept_with_it(ears: list[Heard]) -> None:
    listen()
    drafts = [world.draft(), world.draft()]
    calls = world.Calls("dynamodb")
    charge([world.routed(*drafts, by="no_route")], NOW_MS)
    assert [one.news.message for one in ears] == [draft.id for draft in drafts]
    assert {one.content.text for one in ears} == {"hello"}
    assert calls.of("BatchGetItem") == 1  # whether a higher end is known: the content is at hand
    told = world.message(drafts[1].id)
    assert (told.status, told.content) == (Status.REJECTED, drafts[1].content)


def test_news_of_a_message_that_is_not_kept_any_more_is_not_told(
    ears: list[Heard], caplog: pytest.LogCaptureFixture
) -> None:
    listen()
    settle_all(world.ended(world.draft().id, Status.FAILED))
    assert ears == []
    assert "no content to announce" in caplog.text


def test_where_a_listener_fails_the_step_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    listen()
    message = charged()
    heard: list[Heard] = []

    def fail_once(told: Any, _: int) -> None:
        heard.extend(told)
        if len(heard) == 1:
            raise queues.Undelivered("a queue is not well")

    monkeypatch.setattr(service, "LISTENERS", (fail_once,))
    with pytest.raises(queues.Undelivered):
        settle_all(world.submitted(message, "A1"))
    settle_all(world.submitted(message, "A1"))
    assert names(heard, message) == ["submitted#001", "submitted#001"]


def test_the_end_of_what_was_only_scheduled_is_told(ears: list[Heard]) -> None:
    listen()
    draft = world.draft()
    scheduled = Scheduled(at_ms=NOW_MS, content=draft.content, due_ms=LATER_MS)
    messages.put_facts([messages.Noted(ACCOUNT, draft.id, scheduled, 90)])
    settle_all(world.ended(draft.id, Status.CANCELED))
    (one,) = ears
    assert (one.news.message, one.content) == (draft.id, draft.content)
