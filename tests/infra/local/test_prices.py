"""Counted calls, priced."""

import pytest

from infra.local import prices


def _line(calls: int = 0, billed: int = 0, write: float = 0.0, read: float = 0.0) -> dict[str, float]:
    return {"calls": calls, "billed": billed, "write_units": write, "read_units": read}


def test_a_million_of_each_costs_its_list_price() -> None:
    million = 1_000_000
    calls = {
        "dynamodb.PutItem": _line(calls=million, billed=million, write=million),
        "dynamodb.Query": _line(calls=million, billed=million, read=million),
        "sqs.SendMessage": _line(calls=million, billed=2 * million),
        "sqs.ReceiveMessage (empty)": _line(calls=million, billed=million),
        "s3.ListObjectsV2": _line(calls=million, billed=million),
        "s3.GetObject": _line(calls=million, billed=million),
    }
    work = {
        "api": {"invocations": million, "milliseconds": 0.0},
        "route": {"invocations": 0, "milliseconds": 4_000_000.0},
    }
    bill = prices.bill(calls, work)
    assert bill.dynamodb == pytest.approx(0.625 + 0.125)
    assert bill.sqs == pytest.approx(0.80)
    assert bill.idle_polls == pytest.approx(0.40)
    assert bill.other == pytest.approx(5.40)
    assert bill.api_gateway == pytest.approx(3.50)
    assert bill.lambda_estimate == pytest.approx(0.20 + 1000 * 0.0000133334)
    assert bill.total == pytest.approx(0.75 + 0.80 + 5.40 + 3.50 + 0.2133334)
