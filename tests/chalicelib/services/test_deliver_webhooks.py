"""Events reach the endpoints that asked for them, signed; who is slow, gone or silent stands in nobody's way."""

import logging
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sqs.models import sqs_backends

from chalicelib import wire
from chalicelib.domain.status import Status
from chalicelib.domain.webhook import CALLBACKS, WAITS_SECONDS, EventType
from chalicelib.outward.calls import MAX_AT_ONE
from chalicelib.services import keep_webhooks
from chalicelib.services.deliver_webhooks import FAST, deliver
from chalicelib.services.keep_webhooks import Settings
from chalicelib.services.look_after_webhooks import SLOW_MS, send_due
from chalicelib.store import cached, queues, webhook_deliveries, webhook_health, webhooks
from chalicelib.wire import MailBundle, WebhookBundle
from infra.local.echo import Echo
from tests.chalicelib.services import world
from tests.chalicelib.services.webhook_world import (
    DAY_MS,
    Hooks,
    hooks,
    log_of,
    news,
    pump,
    pump_slow,
    tell,
)
from tests.chalicelib.services.world import ACCOUNT, NOW_MS
from tests.world import PREFIX, REGION


@pytest.fixture
def hooked(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hooks]:
    with hooks(monkeypatch) as made:
        yield made


def messages_of(queue: str) -> list[Any]:
    """All that moto has on a queue, also what waits for its time."""
    held: Any = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues[f"{PREFIX}-{queue}"]
    return list(held._messages)


def delayed(queue: str = queues.WEBHOOKS) -> list[tuple[WebhookBundle, int]]:
    """What waits on a queue for its time, with the seconds it waits for."""
    found = [(wire.decode(message.body), message) for message in messages_of(queue)]
    return [
        (bundle, round((message.delayed_until - message.sent_timestamp) / 1000))
        for bundle, message in found
        if isinstance(bundle, WebhookBundle) and message.delayed_until > message.sent_timestamp
    ]


def test_an_end_is_told_to_the_endpoint_signed_and_logged(hooked: Hooks) -> None:
    endpoint = hooked.open()
    heard = news()
    tell(heard)
    assert pump() == 1
    (came,) = hooked.echo.received()
    assert came["body"]["type"] == "message.delivered"
    assert came["body"]["data"]["id"] == heard.news.message
    assert came["id"] == f"evt_{heard.news.message}_final-delivered"
    assert log_of(endpoint.id) == [("delivered", 1)]


def test_the_signature_is_the_endpoints(hooked: Hooks) -> None:
    hooked.open()
    tell(news())
    pump(now_ms=time.time_ns() // 1_000_000)  # by the customer's clock it must be of today
    assert hooked.echo.received()[0]["verified"] is True


def test_each_endpoint_is_told_what_it_asked_for(hooked: Hooks) -> None:
    hooked.open("/all")
    hooked.open("/failures", events=(EventType.FAILED, EventType.UNDELIVERED))
    tell(news(Status.DELIVERED), news(Status.FAILED))
    pump()
    came = sorted((one["path"], one["body"]["type"]) for one in hooked.echo.received())
    assert came == [("/all", "message.delivered"), ("/all", "message.failed"), ("/failures", "message.failed")]


def test_a_message_with_its_own_url_is_told_there_too_signed_by_the_first_endpoint(hooked: Hooks) -> None:
    endpoint = hooked.open(events=(EventType.RECEIVED,))
    tell(news(callback_url=hooked.url("/mine")))
    pump()
    (came,) = hooked.echo.received()
    assert came["path"] == "/mine"
    assert log_of(endpoint.id) == []
    assert log_of(CALLBACKS) == [("delivered", 1)]


def test_many_events_of_an_endpoint_share_records_and_log_writes(hooked: Hooks) -> None:
    hooked.open()
    tell(news())  # what is looked up is remembered now
    pump()
    sqs, dynamodb = world.Calls("sqs"), world.Calls("dynamodb")
    tell(*(news() for _ in range(50)))
    assert (sqs.of("SendMessageBatch"), len(dynamodb.made)) == (1, 0)
    assert pump() == 5
    assert len(hooked.echo.received()) == 51
    assert (dynamodb.of("BatchWriteItem"), len(dynamodb.made)) == (2, 2)


def test_a_failure_is_tried_again_by_the_schedule_then_given_up(hooked: Hooks) -> None:
    endpoint = hooked.open("/hook?status=500")
    tell(news())
    bundles: list[WebhookBundle] = [b for b in world.waiting(queues.WEBHOOKS) if isinstance(b, WebhookBundle)]
    now_ms = NOW_MS
    for attempt, wait in enumerate(WAITS_SECONDS[1:], start=1):
        deliver(bundles, now_ms, FAST)
        assert log_of(endpoint.id) == [("waiting", attempt)]
        if wait <= 900:
            ((bundle, seconds),) = delayed()
            assert wait <= seconds <= wait * 1.1 + 1
            messages_of(queues.WEBHOOKS)[0].delayed_until = 0
            assert world.waiting(queues.WEBHOOKS) == [bundle]
            bundles, now_ms = [bundle], now_ms + seconds * 1000
        else:
            assert delayed() == []
            assert send_due(now_ms + wait * 1000 - 1) == 0
            now_ms += int(wait * 1100)
            assert send_due(now_ms) == 1
            assert send_due(now_ms) == 0
            bundles = [b for b in world.waiting(queues.WEBHOOKS) if isinstance(b, WebhookBundle)]
        assert [bundle.attempts for bundle in bundles] == [attempt]
    deliver(bundles, now_ms, FAST)
    assert log_of(endpoint.id) == [("failed", 10)]
    assert (send_due(now_ms + 10 * DAY_MS), delayed()) == (0, [])
    assert {one["id"] for one in hooked.echo.received()} == {hooked.echo.received()[0]["id"]}
    assert len(hooked.echo.received()) == 10


def test_a_due_event_whose_sender_died_before_it_noted_so_is_sent_again(
    hooked: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked.open("/hook?status=429&retry_after=3600")
    tell(news())
    pump()
    monkeypatch.setattr(webhook_deliveries, "release", lambda *_: (_ for _ in ()).throw(RuntimeError("died")))
    for _ in range(2):
        with pytest.raises(RuntimeError):
            send_due(NOW_MS + DAY_MS)
    assert len(world.waiting(queues.WEBHOOKS)) == 2


def test_a_late_copy_of_a_record_does_not_undo_a_delivery(hooked: Hooks) -> None:
    endpoint = hooked.open()
    tell(news())
    bundles = [b for b in world.waiting(queues.WEBHOOKS) if isinstance(b, WebhookBundle)]
    deliver(bundles, NOW_MS)
    keep_webhooks.change_webhook(ACCOUNT, endpoint.id, Settings(url=hooked.url("/?status=500"), events=endpoint.events))
    deliver(bundles, NOW_MS)
    assert log_of(endpoint.id) == [("delivered", 1)]


def test_an_endpoint_that_is_gone_is_disabled_and_told_nothing_more_and_its_owner_hears_of_it(hooked: Hooks) -> None:
    endpoint = hooked.open("/hook?status=410")
    tell(news())
    pump()
    (told,) = [one.notice for one in world.waiting(queues.MAILS) if isinstance(one, MailBundle) and one.notice]
    assert (told.kind.value, told.values["reason"], told.values["since_ms"]) == (
        "webhook_failing",
        "HTTP 410",
        str(NOW_MS),
    )
    (held,) = webhooks.get(ACCOUNT).endpoints
    assert (held.state, held.disabled_why) == ("disabled", "it answered 410 Gone")
    assert log_of(endpoint.id) == [("failed", 1)]
    tell(news())
    assert world.waiting(queues.WEBHOOKS) == []


def test_an_endpoint_that_asks_for_rest_is_left_alone_with_all_its_events(hooked: Hooks) -> None:
    endpoint = hooked.open("/hook?status=429&retry_after=120")
    other = hooked.open("/other")
    tell(news())
    pump()
    tell(news())
    pump()
    paths = [one["path"] for one in hooked.echo.received()]
    assert sorted(paths) == ["/hook?status=429&retry_after=120", "/other", "/other"]
    assert log_of(endpoint.id) == [("waiting", 1)]
    assert len(log_of(other.id)) == 2
    assert sorted(seconds for _, seconds in delayed()) == [120, 121]  # the one tried again, and the one not tried yet


def test_a_slow_endpoint_leaves_the_fast_lane_and_delays_no_other(hooked: Hooks) -> None:
    limits = msgspec.structs.replace(FAST.pace.limits, total=0.1, read=0.1)
    hasty = msgspec.structs.replace(FAST, pace=msgspec.structs.replace(FAST.pace, limits=limits))
    slow, quick = hooked.open("/slow?delay=0.2"), hooked.open("/quick")
    tell(*(news() for _ in range(20)))
    pump(hasty)
    assert log_of(quick.id) == [("delivered", 1)] * 20
    assert all(state == "waiting" for state, _ in log_of(slow.id))
    assert len(log_of(slow.id)) == MAX_AT_ONE  # the others were not begun
    assert sum(len(bundle.events) for bundle, _ in delayed(queues.WEBHOOKS_SLOW)) == 16
    tell(news())
    assert [bundle.endpoint for bundle in world.waiting(queues.WEBHOOKS_SLOW)] == [slow.id]  # type: ignore[union-attr]
    assert webhook_health.get(slow.id).slow_until_ms == NOW_MS + SLOW_MS
    cached.forget_all()
    tell(news(), now_ms=NOW_MS + SLOW_MS)  # then it is given another chance
    assert slow.id in {bundle.endpoint for bundle in world.waiting(queues.WEBHOOKS)}  # type: ignore[union-attr]


def test_in_the_slow_lane_there_is_time(hooked: Hooks) -> None:
    slow = hooked.open("/slow?delay=0.2")
    webhook_health.is_slow(slow.id, NOW_MS + SLOW_MS)
    tell(news())
    assert pump() == 0
    assert pump_slow() == 1
    assert log_of(slow.id) == [("delivered", 1)]


def test_what_comes_on_the_fast_lane_for_a_slow_endpoint_changes_lanes(hooked: Hooks) -> None:
    slow = hooked.open()
    tell(news())
    webhook_health.is_slow(slow.id, NOW_MS + SLOW_MS)
    pump()
    assert hooked.echo.received() == []
    assert pump_slow() == 1


def test_a_day_of_failure_is_told_once_and_forgotten_with_the_first_success(
    hooked: Hooks, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = hooked.open("/hook?status=500")

    def told() -> int:
        return sum(record.message == "webhook failing" for record in caplog.records)

    with caplog.at_level(logging.WARNING):
        for at_ms in (NOW_MS, NOW_MS + DAY_MS - 1):
            tell(news(), now_ms=at_ms)
            pump(now_ms=at_ms)
        assert told() == 0
        for _ in range(2):
            tell(news(), now_ms=NOW_MS + DAY_MS)
            pump(now_ms=NOW_MS + DAY_MS)
        assert told() == 1
    notices = [one.notice for one in world.waiting(queues.MAILS) if isinstance(one, MailBundle) and one.notice]
    assert {(one.kind.value, one.account, one.values["url"]) for one in notices} == {
        ("webhook_failing", ACCOUNT, hooked.url())  # without what stands behind its `?`
    }
    assert len({one.name for one in notices}) == 1
    keep_webhooks.change_webhook(ACCOUNT, endpoint.id, Settings(url=hooked.url(), events=endpoint.events))
    tell(news(), now_ms=NOW_MS + DAY_MS)
    pump(now_ms=NOW_MS + DAY_MS)
    assert webhook_health.get(endpoint.id) == type(webhook_health.get("another"))()


@pytest.mark.parametrize("how", ["deleted", "disabled"])
def test_what_waits_for_an_endpoint_that_is_no_more_is_dropped_and_says_why(hooked: Hooks, how: str) -> None:
    endpoint = hooked.open()
    tell(news())
    if how == "deleted":
        keep_webhooks.delete_webhook(ACCOUNT, endpoint.id)
    else:
        off = Settings(url=endpoint.url, events=endpoint.events, active=False)
        keep_webhooks.change_webhook(ACCOUNT, endpoint.id, off)
    pump()
    assert hooked.echo.received() == []
    assert log_of(endpoint.id) == [("dropped", 0)]


def test_a_callback_without_any_webhook_left_is_dropped(hooked: Hooks) -> None:
    tell(news(callback_url=hooked.url()))
    pump()
    assert hooked.echo.received() == []
    assert log_of(CALLBACKS) == [("dropped", 0)]


def test_the_log_of_deliveries_that_cannot_be_written_does_not_deliver_again(
    hooked: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked.open()
    tell(news())
    monkeypatch.setattr(webhook_deliveries, "put", lambda *_: (_ for _ in ()).throw(RuntimeError("no")))
    pump()
    assert len(hooked.echo.received()) == 1


def test_an_account_without_webhooks_is_told_nothing(hooked: Hooks) -> None:
    tell(news())
    assert world.waiting(queues.WEBHOOKS) == []
    assert isinstance(hooked.echo, Echo)
