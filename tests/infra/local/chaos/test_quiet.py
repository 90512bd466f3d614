"""A run is over when every message is final and the queues are empty; or when nothing moves any more."""

import time
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from chalicelib.domain.account import Account
from chalicelib.domain.status import Status
from chalicelib.services.charge import charge
from chalicelib.services.settle import settle
from chalicelib.settings import Settings
from chalicelib.store import aws as clients
from chalicelib.store import made_queues, queues
from infra.local.chaos import quiet
from infra.local.chaos.driver import Driver
from infra.local.chaos.load import GATEWAYS, Customer, Sent
from infra.local.chaos.quiet import Stillness, shorten
from infra.local.chaos.reckoning import Fate
from infra.local.children import Crew, RunFailed
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, NOW_MS


class Platform:
    """Crew and driver in one; `work` is done at each look."""

    def __init__(self) -> None:
        self.work: list[Any] = []
        self.receipts_waiting = 0
        self.looks = 0

    def check(self) -> None:
        self.looks += 1
        if self.work:
            self.work.pop(0)()

    def stats(self) -> dict[str, int]:
        return {"receipts_waiting": self.receipts_waiting}


@pytest.fixture(autouse=True)
def _impatient(aws: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(quiet, "_SETTLED_SECONDS", 0.0)
    monkeypatch.setattr(quiet, "PATIENCE_SECONDS", 0.2)
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=time.sleep, time_ns=lambda: (NOW_MS + 60_000) * 1_000_000)
    monkeypatch.setattr(quiet, "time", clock)  # the log is read by the days since the run began
    for gateway in GATEWAYS:
        made_queues.create_gateway_queues(gateway)


def one_charged() -> Sent:
    """A message that waits for its gateway, which is none of the run's."""
    world.open_account()
    draft = world.draft()
    charge([world.routed(draft)], NOW_MS)
    return Sent(
        id=draft.id,
        to=draft.content.to,
        parts=1,
        priority="normal",
        account=ACCOUNT,
        gateway=GATEWAY,
        bundle=draft.id,
    )


def wait(platform: Platform, sent: Sent) -> dict[str, Fate]:
    account = Account(id=ACCOUNT, name="Acme", created_ms=NOW_MS)
    return Stillness(
        cast(Crew, platform),
        cast(Driver, platform),
        sent=[sent],
        customers=[Customer(account, GATEWAY)],
        begun=NOW_MS / 1000,
        show=lambda _: None,
    ).wait()


def test_it_is_over_when_the_last_message_is_final() -> None:
    sent, platform = one_charged(), Platform()
    outcome = world.outcomes(world.ended(sent.id, Status.REJECTED))
    platform.work = [*([lambda: None] * 3), lambda: settle([outcome], NOW_MS)]
    known = wait(platform, sent)
    assert known[sent.id].status is Status.REJECTED
    assert platform.work == []


def test_what_is_on_a_queue_or_at_the_smsc_is_waited_for() -> None:
    sent, platform = one_charged(), Platform()
    settle([world.outcomes(world.ended(sent.id, Status.REJECTED))], NOW_MS)
    queues.send(queues.OUTCOMES, world.outcomes(world.submitted(sent.id, "A1")))
    platform.receipts_waiting = 1

    def receipt_goes() -> None:
        platform.receipts_waiting = 0

    platform.work = [lambda: None, lambda: world.waiting(queues.OUTCOMES), lambda: None, receipt_goes]
    wait(platform, sent)
    assert platform.work == []


def test_where_nothing_moves_any_more_what_is_not_final_is_told_as_it_is() -> None:
    sent, platform = one_charged(), Platform()
    assert wait(platform, sent)[sent.id].status is Status.QUEUED
    queues.send(queues.BILLING, world.routed(world.draft()))  # a record that nobody takes
    assert wait(platform, sent)[sent.id].status is Status.QUEUED


def test_a_process_that_dies_while_it_is_waited_ends_the_run() -> None:
    def dies() -> None:
        raise RunFailed("bridge died")

    platform = Platform()
    platform.work = [dies]
    with pytest.raises(RunFailed, match="bridge died"):
        wait(platform, one_charged())


def test_a_simulator_that_does_not_answer_is_not_taken_for_one_without_receipts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent, platform = one_charged(), Platform()
    settle([world.outcomes(world.ended(sent.id, Status.REJECTED))], NOW_MS)
    asked = []

    def stats(self: Platform) -> dict[str, int]:
        asked.append(self)
        if len(asked) < 3:
            raise httpx.ConnectError("it is busy")
        return {"receipts_waiting": 0}

    monkeypatch.setattr(Platform, "stats", stats)
    wait(platform, sent)
    assert len(asked) >= 3


def hidden_seconds(queue: str) -> int:
    asked = clients.client("sqs").get_queue_attributes(QueueUrl=queues.url(queue), AttributeNames=["VisibilityTimeout"])
    return int(asked["Attributes"]["VisibilityTimeout"])


def test_the_queues_deliver_again_as_soon_as_a_run_asks_for_and_otherwise_as_ever() -> None:
    before = hidden_seconds("gateway-eager")
    shorten(functions=7, gateways=0)
    assert {hidden_seconds(name) for name in (queues.ACCEPTED, queues.BILLING, queues.OUTCOMES)} == {7}
    assert hidden_seconds("gateway-eager") == before == made_queues.GATEWAY_VISIBILITY_SECONDS
    shorten(functions=7, gateways=11)
    assert {hidden_seconds(name) for name in ("gateway-careful", "gateway-mixed-bulk")} == {11}
