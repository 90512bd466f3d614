"""A set-up is made by calls once, and is there again wherever it is asked for in an AWS that holds nothing."""

from collections.abc import Iterator

import pytest

from chalicelib.domain.account import Account
from chalicelib.settings import Settings
from chalicelib.store import accounts, made_queues, queues
from tests import once
from tests.once import made_once
from tests.world import empty_aws, wipe_out

ACCOUNT = Account(id="acc_1", name="Acme", created_ms=1)
made: list[int] = []


@pytest.fixture(autouse=True)
def _none_made(environment: Settings) -> Iterator[None]:
    made.clear()
    yield
    once._done.pop("one", None)


def _make() -> int:
    made.append(1)
    accounts.create(ACCOUNT)
    made_queues.create_gateway_queues("gw")
    return len(made)


def _is_there() -> bool:
    return accounts.get(ACCOUNT.id) == ACCOUNT and queues.waiting("gateway-gw") == 0


def _spoil() -> None:
    there = accounts.versioned(ACCOUNT.id)
    assert there is not None
    assert accounts.change(ACCOUNT.id, there.version, Account(id="acc_1", name="Another", created_ms=1))
    assert not _is_there()


def test_it_is_made_once_and_there_each_time_whatever_was_done_to_it() -> None:
    for _ in range(3):
        with empty_aws():
            assert made_once("one", _make) == 1
            assert _is_there()
            _spoil()
    assert made == [1]


def test_where_something_is_already_it_is_made_by_calls_and_nothing_goes() -> None:
    with empty_aws():
        made_once("one", _make)
    with empty_aws():
        made_queues.create_gateway_queues("another")
        assert made_once("one", _make) == 2
        assert _is_there()
        assert queues.waiting("gateway-another") == 0


def test_in_a_stack_that_was_made_anew_it_is_made_anew() -> None:
    with empty_aws():
        made_once("one", _make)
    wipe_out()
    with empty_aws():
        assert made_once("one", _make) == 2
        assert _is_there()
    assert made == [1, 1]
