"""The shared ground of all tables: one client, batches that finish, transactions that meet others."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from chalicelib.settings import settings
from chalicelib.store import aws, dynamo, wallets
from chalicelib.store.receipt_pointers import PointerTable
from chalicelib.store.wallets import WalletTable
from tests.chalicelib.services.world import Calls

pytestmark = pytest.mark.usefixtures("aws")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


def wallet(account: str) -> WalletTable:
    return WalletTable(account, balance_micros=1, available_micros=1)


def pointer(name: str) -> PointerTable:
    return PointerTable(name, account="a", message="m", part=1, parts=1, expires=1)


def save(transaction: TransactWrite) -> None:
    transaction.save(wallet("a"), condition=WalletTable.account.does_not_exist())


class Answers:
    """Stands before the client's calls and answers the first of an operation itself."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Any) -> None:
        client = aws.client("dynamodb")
        self.real = client._make_api_call
        self.answers = list(answers)
        self.asked: list[Any] = []
        monkeypatch.setattr(client, "_make_api_call", self.call)

    def call(self, operation: str, arguments: dict[str, Any]) -> Any:
        self.asked.append(arguments)
        if not self.answers:
            return self.real(operation, arguments)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer(arguments) if callable(answer) else answer


def canceled(*codes: str) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "canceled"},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(response, "TransactWriteItems")


def test_all_tables_share_the_process_client() -> None:
    assert WalletTable._get_connection().connection is PointerTable._get_connection().connection
    assert dynamo.connection().client is aws.client("dynamodb")


def test_tables_follow_the_stages_prefix_there_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for prefix in ("chq-test", "other", "chq-test"):
        monkeypatch.setenv("CHASQUI_PREFIX", prefix)
        settings.cache_clear()
        names.append(WalletTable._get_connection().table_name)
    assert names == ["chq-test-wallets", "other-wallets", "chq-test-wallets"]
    wallet("a").save()
    assert wallets.get("a") is not None


def test_items_are_put_twenty_five_a_request_each_once() -> None:
    calls = Calls("dynamodb")
    dynamo.put_all(pointer(f"g#{number % 30}") for number in range(60))
    assert calls.of("BatchWriteItem") == 2
    assert len(list(PointerTable.scan())) == 30


def test_items_left_unprocessed_are_put_again(monkeypatch: pytest.MonkeyPatch) -> None:
    table = "chq-test-receipts"
    answers = Answers(monkeypatch, lambda asked: {"UnprocessedItems": {table: asked["RequestItems"][table][1:]}})
    dynamo.put_all([pointer("g#1"), pointer("g#2")])
    assert [len(asked["RequestItems"][table]) for asked in answers.asked] == [2, 1]
    assert [item.pointer for item in PointerTable.scan()] == ["g#2"]


def test_items_that_stay_unprocessed_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    left: dict[str, Any] = {"UnprocessedItems": {"chq-test-receipts": [{"PutRequest": {"Item": {}}}]}}
    Answers(monkeypatch, *[left] * 20)
    with pytest.raises(dynamo.Overloaded):
        dynamo.put_all([pointer("g#1")])


def test_keys_left_unread_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    dynamo.put_all(pointer(f"g#{number}") for number in range(130))
    table = "chq-test-receipts"
    answers = Answers(
        monkeypatch, lambda asked: {"Responses": {}, "UnprocessedKeys": {table: asked["RequestItems"][table]}}
    )
    keys = [f"g#{number}" for number in range(140)]
    assert len(dynamo.get_all(PointerTable, keys + keys)) == 130
    assert [len(asked["RequestItems"][table]["Keys"]) for asked in answers.asked] == [100, 100, 40]


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError"])
def test_a_transaction_that_met_another_is_done_again(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    Answers(monkeypatch, canceled(code), canceled(code, "ConditionalCheckFailed"))
    assert dynamo.transact(save) == []
    assert wallets.get("a") is not None


def test_a_transaction_that_keeps_meeting_others_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    Answers(monkeypatch, *[canceled("TransactionConflict")] * 50)
    with pytest.raises(dynamo.Overloaded):
        dynamo.transact(save)


def test_a_condition_that_does_not_hold_is_a_result_and_nothing_is_written() -> None:
    wallet("a").save()

    def both(transaction: TransactWrite) -> None:
        transaction.save(wallet("b"))
        save(transaction)

    first, second = dynamo.transact(both)
    assert first is None
    assert second is not None
    assert second.code == "ConditionalCheckFailed"
    assert wallets.get("b") is None


def test_any_other_failure_of_a_transaction_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    Answers(monkeypatch, canceled("ValidationError", "None"))
    with pytest.raises(TransactWriteError):
        dynamo.transact(save)
