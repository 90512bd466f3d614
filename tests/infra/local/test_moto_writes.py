"""moto with quicker writes answers, keeps and refuses what DynamoDB does."""

from typing import Any, Final

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models import dynamo_type

from chalicelib.store import aws as clients
from infra.local import moto_writes
from tests.conftest import PREFIX

WALLETS: Final = f"{PREFIX}-wallets"
KEY: Final = {"account": {"S": "acc_1"}}
BEFORE: Final[dict[str, Any]] = {
    "n": {"N": "5"},
    "words": {"SS": ["a", "b"]},
    "parts_of": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}]},
    "map": {"M": {"inner": {"M": {"x": {"N": "1"}}}}},
}
CHANGES: Final = [
    ("SET n = n + :one", {":one": 1}, {"n": {"N": "6"}}),
    ("SET n = if_not_exists(n, :one) - :one", {":one": 1}, {"n": {"N": "4"}}),
    ("SET fresh = if_not_exists(fresh, :one)", {":one": 1}, {"fresh": {"N": "1"}}),
    (
        "SET #m.#i.x = :one, n = #m.#i.x",
        {":one": 9},
        {"n": {"N": "1"}, "map": {"M": {"inner": {"M": {"x": {"N": "9"}}}}}},
    ),
    ("ADD n :one, fresh :one", {":one": 2}, {"n": {"N": "7"}, "fresh": {"N": "2"}}),
    ("REMOVE parts_of[0], parts_of[2]", {}, {"parts_of": {"L": [{"N": "2"}]}}),
    (
        "SET parts_of = list_append(parts_of, :l)",
        {":l": [4]},
        {"parts_of": {"L": [*BEFORE["parts_of"]["L"], {"N": "4"}]}},
    ),
    ("REMOVE n SET fresh = :one", {":one": 3}, {"n": None, "fresh": {"N": "3"}}),
]
REFUSED: Final = [
    ("SET n = :one, n = :one", "Two document paths overlap"),
    ("SET account = :one", "Cannot update attribute account"),
    ("SET n = :none", "An expression attribute value used in expression is not defined"),
    ("SET n = n + words", "[Ii]ncorrect operand type"),
    ("ADD n :one ADD parts_of :one", 'The "ADD" section can only be used once'),
    ("SET n ? :one", "Syntax error"),
]


@pytest.fixture(autouse=True)
def _there(aws: object) -> None:
    moto_writes.write_sooner()
    _dynamodb().put_item(TableName=WALLETS, Item=KEY | BEFORE)


def _dynamodb() -> Any:
    return clients.client("dynamodb")


def _item() -> dict[str, Any]:
    found: dict[str, Any] = _dynamodb().get_item(TableName=WALLETS, Key=KEY)["Item"]
    return found


def _value(value: int | list[int]) -> dict[str, Any]:
    return {"N": str(value)} if isinstance(value, int) else {"L": [{"N": str(one)} for one in value]}


def _update(expression: str, values: dict[str, Any], **more: Any) -> None:
    names = {name: word for name, word in (("#m", "map"), ("#i", "inner")) if name in expression}
    given = {":" + name.strip(":"): _value(value) for name, value in values.items()}
    told = {"ExpressionAttributeNames": names, "ExpressionAttributeValues": given}
    _dynamodb().update_item(
        TableName=WALLETS, Key=KEY, UpdateExpression=expression, **{k: v for k, v in told.items() if v}, **more
    )


@pytest.mark.parametrize(("expression", "values", "changed"), CHANGES)
def test_an_update_changes_what_it_names_and_nothing_else_each_time(
    expression: str, values: dict[str, Any], changed: dict[str, Any]
) -> None:
    for _ in range(2):  # the second time, the expression is known
        _dynamodb().put_item(TableName=WALLETS, Item=KEY | BEFORE)
        _update(expression, values)
        after = {name: value for name, value in (KEY | BEFORE | changed).items() if value is not None}
        assert _item() == after


def test_the_same_expression_takes_each_calls_values() -> None:
    for value in (1, 2, 3):
        _update("SET n = n + :v", {":v": value}, ConditionExpression="n < :v OR n > :v")
    assert _item()["n"] == {"N": "11"}


@pytest.mark.parametrize(("expression", "why"), REFUSED)
def test_a_wrong_update_is_refused_and_nothing_is_written(expression: str, why: str) -> None:
    for _ in range(2):
        with pytest.raises(ClientError, match=why) as refusal:
            _update(expression, {":one": 1} if ":one" in expression else {})
        assert refusal.value.response["Error"]["Code"] == "ValidationException"
    assert _item() == KEY | BEFORE


def test_a_condition_is_held_against_the_item_as_it_is_now() -> None:
    below = {":v": 1, ":most": 7}
    _update("SET n = n + :v", below, ConditionExpression="n < :most")
    _update("SET n = n + :v", below, ConditionExpression="n < :most")
    for _ in range(2):
        with pytest.raises(ClientError, match="ConditionalCheckFailed"):
            _update("SET n = n + :v", below, ConditionExpression="n < :most")
    assert _item()["n"] == {"N": "7"}


def test_a_value_that_no_expression_has_use_for_is_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(ClientError, match="unused in expressions"):
            _update("SET n = :v", {":v": 1, ":w": 2}, ConditionExpression="n < :v")


@pytest.mark.parametrize("pieces", [1, 5, 40])
def test_an_item_may_hold_400_kilobytes_and_no_more(pieces: int) -> None:
    kinds: Any = dynamo_type
    room = kinds.LimitedSizeDict()
    for i in range(pieces):
        room[f"a{i}"] = kinds.DynamoType({"S": "x" * (400_000 // pieces)})
    with pytest.raises(kinds.ItemSizeTooLarge):
        room["more"] = kinds.DynamoType({"S": "x" * 10_000})
    assert len(room) == pieces
