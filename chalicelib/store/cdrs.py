"""The CDR archive in S3: gzip JSON lines, `cdr/day=…/account=…/part-N.jsonl.gz`, as Athena reads them."""

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import msgspec
from botocore.exceptions import ClientError

from chalicelib.domain.cdr import Cdr
from chalicelib.domain.day_summary import SummaryLine
from chalicelib.settings import settings
from chalicelib.store import aws

PREFIX: Final = "cdr/"
_SUMMARIES: Final = "summaries/"  # of each part, until the day is closed; the bucket's lifecycle removes them
_CLOSED: Final = "_closed.json"  # Athena leaves out what begins with an underscore
_ENDING: Final = ".jsonl.gz"
_GZIP: Final = zlib.MAX_WBITS | 16
_BLOCK: Final = 256 * 1024
_MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound"})
_encoder: Final = msgspec.json.Encoder()
_cdr: Final = msgspec.json.Decoder(Cdr)
_packed: Final = msgspec.msgpack.Encoder()
_lines: Final = msgspec.msgpack.Decoder(list[SummaryLine])


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """An account's day as it was archived. `final`: late receipts were waited for."""

    day: str
    account: str
    final: bool
    objects: int  # numbers of its parts; those without records have no object
    records: int
    messages: int  # of them: charged
    credits_micros: int
    refunded_micros: int
    ends: dict[str, int] = {}  # of the charged ones, by status


_closed: Final = msgspec.json.Decoder(Closed)


class PartWriter:
    """The records of a part, compressed as they come: in memory is what it will weigh. The same records, the same
    octets: gzip's time is left at 0.
    """

    def __init__(self) -> None:
        self._compressor = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
        self._body = bytearray()
        self.records = 0

    def add(self, line: bytes) -> None:
        """One more line, with its end."""
        self._body += self._compressor.compress(line)
        self.records += 1

    def body(self) -> bytes:
        """The object, whole. The last call."""
        return bytes(self._body) + self._compressor.flush()


def line_of(cdr: Cdr) -> bytes:
    """The record as a line of JSON with its end."""
    return _encoder.encode(cdr) + b"\n"


def read(line: bytes) -> Cdr:
    """The record in a line."""
    return _cdr.decode(line)


def folder(day: str, account: str) -> str:
    """Where an account's day lies."""
    return f"{PREFIX}day={day}/account={account}/"


def day_of(key: str) -> str:
    """The day (YYYY-MM-DD) that a part is of."""
    return key.removeprefix(f"{PREFIX}day=").partition("/")[0]


def account_of(key: str) -> str:
    """The account that a part is of."""
    return key.partition("/account=")[2].partition("/")[0]


def put_part(day: str, account: str, part: int, writer: PartWriter, summary: list[SummaryLine]) -> None:
    """Write a part, and what it adds to the day's summary, over what stood there."""
    _put(f"{_summaries(day, account)}{part:05}", _packed.encode(summary), "application/octet-stream")
    if writer.records:
        _put(_part(day, account, part), writer.body(), "application/gzip")
    else:
        _delete(_part(day, account, part))


def summaries(day: str, account: str, parts: int) -> Iterator[SummaryLine]:
    """What the parts add to the day's summary. Raises NoSuchKey where one was not written."""
    for part in range(parts):
        yield from _lines.decode(_get(f"{_summaries(day, account)}{part:05}"))


def close(closed: Closed) -> None:
    """Note that the account's day is archived, once the parts of a longer archiving before this one are gone."""
    for key in listing(closed.day, closed.account).parts:
        if key >= _part(closed.day, closed.account, closed.objects):
            _delete(key)
    _put(f"{folder(closed.day, closed.account)}{_CLOSED}", _encoder.encode(closed), "application/json")


def closed(day: str, account: str) -> Closed | None:
    """What is archived of the account's day; None where it is not (yet)."""
    try:
        return _closed.decode(_get(f"{folder(day, account)}{_CLOSED}"))
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return None
        raise


class Listing(NamedTuple):
    """What is archived of a day: of which accounts it is closed, and the keys of the parts, in order."""

    closed: frozenset[str]
    parts: tuple[str, ...]


def listing(day: str, account: str | None = None) -> Listing:
    """What is archived of a day, of all accounts or of one."""
    keys = list(_keys(folder(day, account) if account else f"{PREFIX}day={day}/", ""))
    closed = frozenset(account_of(key) for key in keys if key.endswith(_CLOSED))
    return Listing(closed, tuple(key for key in keys if key.endswith(_ENDING)))


def keys_after(key: str) -> Iterator[str]:
    """The keys of all parts behind one ('': all), by day, account and number; listed as they are asked for."""
    return (found for found in _keys(PREFIX, key) if found.endswith(_ENDING))


def lines(key: str, skip: int = 0) -> Iterator[bytes]:
    """The lines of a part behind the first `skip`, unpacked as they are asked for."""
    unpacker = zlib.decompressobj(_GZIP)
    rest, seen = b"", 0
    stream = _s3().get_object(Bucket=settings().cdr_bucket, Key=key)["Body"]
    for block in stream.iter_chunks(_BLOCK):
        *whole, rest = (rest + unpacker.decompress(block)).split(b"\n")
        yield from whole[max(0, skip - seen) :]
        seen += len(whole)


def rewrite(key: str, number: str, change: Callable[[Cdr], Cdr]) -> int:
    """Change the records of a part that are to a number; how many. A part without any is let be."""
    sought = _encoder.encode(number)
    writer, changed = PartWriter(), 0
    for line in lines(key):
        cdr = read(line) if sought in line else None
        if cdr is not None and cdr.mobile_number == number:
            changed += 1
            writer.add(line_of(change(cdr)))
        else:
            writer.add(line + b"\n")
    if changed:
        _put(key, writer.body(), "application/gzip")
    return changed


def has(key: str, number: str) -> bool:
    """Whether a part has the number in it anywhere."""
    sought = _encoder.encode(number)
    return any(sought in line for line in lines(key))


def _keys(prefix: str, after: str) -> Iterator[str]:
    pages = (
        _s3().get_paginator("list_objects_v2").paginate(Bucket=settings().cdr_bucket, Prefix=prefix, StartAfter=after)
    )
    for page in pages:
        yield from (str(one["Key"]) for one in page.get("Contents", ()))


def _part(day: str, account: str, part: int) -> str:
    return f"{folder(day, account)}part-{part:05}{_ENDING}"


def _summaries(day: str, account: str) -> str:
    return f"{_SUMMARIES}day={day}/account={account}/"


def _put(key: str, body: bytes, kind: str) -> None:
    _s3().put_object(Bucket=settings().cdr_bucket, Key=key, Body=body, ContentType=kind)


def _get(key: str) -> bytes:
    return bytes(_s3().get_object(Bucket=settings().cdr_bucket, Key=key)["Body"].read())


def _delete(key: str) -> None:
    _s3().delete_object(Bucket=settings().cdr_bucket, Key=key)


def _s3() -> Any:
    return aws.client("s3")
