"""Capacity units by AWS's rules, from what a call sent and received."""

from typing import Any

import pytest

from infra.local.capacity import Index, Units, size_of, units_of

INDEXES = {"indexed": (Index(keys=("recipient", "fact"), carries=None),)}


def _item(size: int, **more: dict[str, Any]) -> dict[str, Any]:
    """An item of exactly `size` bytes, with further attributes on top."""
    return {"k": {"S": "x" * (size - 1)}, **more}


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"id": {"S": "año"}}, 6),  # name 2, value 4 bytes of UTF-8
        ({"n": {"N": "-12345"}}, 5),  # two digits a byte, and one
        ({"b": {"B": b"12345"}}, 6),
        ({"b": {"B": "MTIzNDU="}}, 6),  # base64 of the same
        ({"t": {"BOOL": True}}, 2),
        ({"l": {"L": [{"S": "ab"}]}}, 7),  # 3 for the list, 1 an element
        ({"m": {"M": {"a": {"S": "b"}}}}, 7),
    ],
)
def test_an_item_is_as_big_as_its_names_and_values(item: dict[str, Any], size: int) -> None:
    assert size_of(item) == size


@pytest.mark.parametrize(
    ("operation", "sent", "received", "units"),
    [
        ("PutItem", {"TableName": "t", "Item": _item(1024)}, {}, Units(write=1)),
        ("PutItem", {"TableName": "t", "Item": _item(1025)}, {}, Units(write=2)),
        ("PutItem", {"TableName": "indexed", "Item": _item(500)}, {}, Units(write=1)),
        (
            "PutItem",
            {"TableName": "indexed", "Item": _item(500, recipient={"S": "r"}, fact={"S": "f"})},
            {},
            Units(write=2),
        ),
        (
            "BatchWriteItem",
            {"RequestItems": {"t": [{"PutRequest": {"Item": _item(10)}}, {"DeleteRequest": {"Key": _item(10)}}]}},
            {},
            Units(write=2),
        ),
        (
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "t", "Item": _item(2000)}},
                    {"Update": {"TableName": "t", "Key": _item(10)}},
                ]
            },
            {},
            Units(write=6),
        ),
        ("GetItem", {"TableName": "t"}, {}, Units(read=0.5)),
        ("GetItem", {"TableName": "t", "ConsistentRead": True}, {"Item": _item(4097)}, Units(read=2)),
        ("Query", {"TableName": "t", "ConsistentRead": True}, {"Items": [_item(2048)] * 3}, Units(read=2)),
        ("Query", {"TableName": "t"}, {"Items": [_item(2048)] * 3}, Units(read=1)),
        (
            "BatchGetItem",
            {"RequestItems": {"t": {"Keys": [{}, {}, {}]}}},
            {"Responses": {"t": [_item(10), _item(5000)]}},
            Units(read=2),
        ),
        ("DescribeTable", {"TableName": "t"}, {}, Units()),
    ],
)
def test_a_call_uses_the_units_that_aws_documents(
    operation: str, sent: dict[str, Any], received: dict[str, Any], units: Units
) -> None:
    assert units_of(operation, sent, received, INDEXES) == units
