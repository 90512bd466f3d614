"""Rates over many processes: never more than is allowed, with few calls; refusals cost nothing."""

from collections.abc import Callable, Iterator

import msgspec
import pytest

from chalicelib.domain.account import Account, ApiKey
from chalicelib.services import limit_rate
from chalicelib.services.faults import Fault
from tests.chalicelib.services.world import NOW_MS, Calls
from tests.figures import FIGURE

pytestmark = pytest.mark.usefixtures("aws")
ACCOUNT = Account(id="acc_1", name="A", created_ms=0, messages_per_second=100.0, messages_burst=100)
KEY = ApiKey(
    id="K",
    role="customer",
    account="acc_1",
    mode="live",
    name="k",
    secret_sha256="",
    created_ms=0,
    requests_per_second=2.0,
)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    limit_rate.forget_all()
    yield
    limit_rate.forget_all()


def passes(account: Account, now_ms: int, count: int = 1) -> bool:
    try:
        limit_rate.messages(account, count, now_ms)
    except Fault as fault:
        return fault.code != "rate_limited" or not fault.retry_after_seconds
    return True


class Process:
    """What one process remembers, in place of another's."""

    def __init__(self) -> None:
        self._blocks: dict[str, limit_rate._Block] = {}

    def passes(self, account: Account, now_ms: int) -> bool:
        limit_rate._blocks.clear()
        limit_rate._blocks.update(self._blocks)
        told = passes(account, now_ms)
        self._blocks = dict(limit_rate._blocks)
        return told


def test_an_account_and_a_key_without_a_rate_cost_no_call() -> None:
    calls = Calls("dynamodb")
    limit_rate.messages(Account(id="acc_2", name="B", created_ms=0), 1, NOW_MS)
    limit_rate.request(msgspec.structs.replace(KEY, requests_per_second=None), NOW_MS)
    assert calls.made == []


def test_a_key_has_a_second_s_worth_at_once_and_then_its_rate() -> None:
    limit_rate.request(KEY, NOW_MS)
    limit_rate.request(KEY, NOW_MS)
    with pytest.raises(Fault) as refused:
        limit_rate.request(KEY, NOW_MS)
    assert (refused.value.code, refused.value.retry_after_seconds) == ("rate_limited", 1)
    limit_rate.request(KEY, NOW_MS + 500)


def test_who_is_refused_and_asks_again_costs_no_call_until_it_is_over() -> None:
    slow = msgspec.structs.replace(ACCOUNT, messages_per_second=0.5, messages_burst=1)
    assert passes(slow, NOW_MS)
    assert not passes(slow, NOW_MS)
    calls = Calls("dynamodb")
    assert not any(passes(slow, NOW_MS + ms) for ms in range(0, 1_900, 100))
    assert calls.made == []
    assert passes(slow, NOW_MS + 2_000)


@pytest.mark.parametrize(("processes", "most"), [(1, 0.15), (10, 0.6)])
def test_all_processes_together_give_the_rate_and_its_burst_and_no_more(
    processes: int, most: float, record_property: Callable[[str, object], None]
) -> None:
    """Two seconds of twice the rate, dealt out to the processes in turn."""
    crew = [Process() for _ in range(processes)]
    calls = Calls("dynamodb")
    given = sum(crew[n % processes].passes(ACCOUNT, NOW_MS + n * 5) for n in range(400))
    assert 0.85 * 300 <= given <= 100 + 200
    each = len(calls.made) / given
    record_property(
        FIGURE, f"rate limit: {each:.2f} calls a message, {processes} process(es), 100/s allowed, 200/s asked"
    )
    assert each < most


def test_one_process_below_its_rate_makes_a_few_calls_a_second(
    record_property: Callable[[str, object], None],
) -> None:
    calls = Calls("dynamodb")
    assert all(passes(ACCOUNT, NOW_MS + n * 12) for n in range(400))
    each = len(calls.made) / 400
    record_property(FIGURE, f"rate limit: {each:.3f} calls a message, 1 process, 100/s allowed, 83/s asked")
    assert each < 0.12


def test_many_at_once_are_counted_as_many() -> None:
    assert passes(ACCOUNT, NOW_MS, 60)
    assert not passes(ACCOUNT, NOW_MS, 60)
    assert passes(ACCOUNT, NOW_MS + 1_000, 60)
