"""Rate buckets: one number each, the instant until which a rate is used up, moved on by whoever takes of it."""

from typing import Any, Final, NamedTuple

import msgspec
from botocore.exceptions import ClientError

from chalicelib.settings import settings
from chalicelib.store import aws, dynamo

KEPT_SECONDS: Final = 3_600  # after its last use a bucket is full again, and as good as none
_ATTEMPTS: Final = 6  # others take of the bucket at the same moment
_MICROS: Final = 1_000_000


class Taken(msgspec.Struct, frozen=True):
    """How many were given, fewer than asked for or none; where none, after how long to come again.

    `until_us` is how far the rate is used up now: whoever takes next need not find out.
    """

    count: int
    wait_ms: int = 0
    until_us: int | None = None


class Rate(NamedTuple):
    """A bucket, what it gains a second, and how many it holds."""

    bucket: str
    per_second: float
    burst: int


def take(rate: Rate, count: int, now_ms: int, until_us: int | None = None) -> Taken:
    """Take up to `count`: in one call where `until_us` is what the last one said, beside others in two.

    The generic cell rate algorithm (ITU-T I.371, annex A): the bucket's instant moves on by 1/rate for each one taken,
    never more than burst/rate ahead of now. Raises dynamo.Overloaded where others kept coming first.
    """
    now_us = now_ms * 1_000
    each_us = _MICROS / rate.per_second
    most_us = now_us + round(rate.burst * each_us)
    want = min(count, rate.burst)
    for _ in range(_ATTEMPTS):
        start_us = max(until_us or 0, now_us)
        want = min(want, int((most_us - start_us) / each_us + 1e-6))
        if want < 1:
            return Taken(0, max(1, round((start_us + each_us - most_us) / 1_000)), until_us)
        to_us = start_us + round(want * each_us)
        held = _move(rate.bucket, until_us, now_us, to_us)
        if held is None:
            return Taken(want, 0, to_us)
        until_us, want = held, min(count, rate.burst)
    raise dynamo.Overloaded(f"rate {rate.bucket}")


def _move(bucket: str, until_us: int | None, now_us: int, to_us: int) -> int | None:
    """Move the instant, if it stands where it is thought to stand (before now is all one); else where it stands."""
    free = until_us is None or until_us < now_us
    condition = "attribute_not_exists(until_us) OR until_us < :now" if free else "until_us = :held"
    stands = {":now": {"N": str(now_us)}} if free else {":held": {"N": str(until_us)}}
    try:
        _client().update_item(
            TableName=_table(),
            Key={"bucket": {"S": bucket}},
            UpdateExpression="SET until_us = :to, expires = :expires",
            ConditionExpression=condition,
            ExpressionAttributeValues={
                ":to": {"N": str(to_us)},
                ":expires": {"N": str(now_us // _MICROS + KEPT_SECONDS)},
                **stands,
            },
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        item: Any = error.response.get("Item", {})  # none: its time to live was over
        return int(item["until_us"]["N"]) if item else 0
    return None


def _table() -> str:
    return f"{settings().prefix}-rates"


def _client() -> Any:
    return aws.client("dynamodb")
