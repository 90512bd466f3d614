"""Published rules: immutable numbered snapshots in S3; each process holds the newest and looks for a newer one."""

import base64
from collections.abc import Sequence
from functools import lru_cache
from threading import Lock
from typing import Any, Final

import msgspec
from botocore.exceptions import ClientError

from chalicelib.domain.costs import GatewayCosts
from chalicelib.domain.rate_plan import RatePlan
from chalicelib.domain.routing import RoutingTable
from chalicelib.domain.rules import CountryRule, Gateway, NumberingPrefix, Route, Rules, SenderRule, SpamRule
from chalicelib.settings import settings
from chalicelib.store import aws
from chalicelib.store.page import Cursor, Page

MAX_NOTE: Final = 200  # characters; the note travels in S3 metadata, of which there may be 2 KB
_FOLDER: Final = "rules/"
_NUMBERED: Final = 4  # older snapshots held: of a day's messages rarely more have decided
_ATTEMPTS: Final = 10  # administrators who publish at the same moment
_TAKEN: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Rules)


class Overtaken(Exception):
    """Somebody else has published meanwhile."""


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot without its content."""

    number: int
    published_ms: int
    published_by: str
    note: str


class _Newest:
    """The newest snapshot this process has seen, indexed, and when it last looked."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.forget()

    def forget(self) -> None:
        self.table = RoutingTable(Rules(number=0, published_ms=0, published_by=""))
        self.looked_ms: int | None = None

    def at(self, now_ms: int) -> RoutingTable:
        with self.lock:
            if self.looked_ms is None or abs(now_ms - self.looked_ms) >= settings().rules_poll_seconds * 1000:
                number = newest_number(self.table.rules.number)
                if number != self.table.rules.number:
                    self.table = RoutingTable(get(number))
                self.looked_ms = now_ms
            return self.table


_newest: Final = _Newest()


def current(now_ms: int) -> Rules:
    """The newest rules, at most `rules_poll_seconds` late; number 0 and empty before the first are published."""
    return table(now_ms).rules


def table(now_ms: int) -> RoutingTable:
    """The same, indexed for routing."""
    return _newest.at(now_ms)


@lru_cache(_NUMBERED)
def numbered(number: int) -> RoutingTable:
    """The snapshot of that number, indexed; the last few asked for are held. Raises LookupError where there is none."""
    return RoutingTable(get(number))


def forget() -> None:
    """Look anew at the next `current`: after publishing, and in tests between worlds."""
    _newest.forget()
    numbered.cache_clear()


def publish(
    gateways: list[Gateway],
    routes: list[Route],
    numbering: list[NumberingPrefix],
    *,
    by: str,
    note: str,
    now_ms: int,
    spam: Sequence[SpamRule] = (),
    senders: Sequence[SenderRule] = (),
    countries: Sequence[CountryRule] = (),
    rate_plans: Sequence[RatePlan] = (),
    costs: Sequence[GatewayCosts] = (),
    over: int | None = None,
) -> Rules:
    """Publish a snapshot under the next free number, which nobody else can take; or only as the one after `over`.

    Raises ValueError on a long note, Overtaken.
    """
    if len(note) > MAX_NOTE:
        raise ValueError(f"a note has at most {MAX_NOTE} characters")
    number = (newest_number() if over is None else over) + 1
    for _ in range(_ATTEMPTS if over is None else 1):
        rules = Rules(
            number=number,
            published_ms=now_ms,
            published_by=by,
            note=note,
            gateways=tuple(gateways),
            routes=tuple(routes),
            numbering=tuple(numbering),
            spam=tuple(spam),
            senders=tuple(senders),
            countries=tuple(countries),
            rate_plans=tuple(rate_plans),
            costs=tuple(costs),
        )
        if _put_new(rules):
            forget()
            return rules
        number += 1
    raise Overtaken("others published at the same time")


def put_over(base: Rules, changed: Rules) -> bool:
    """Publish `changed` as the one that follows `base`. False where another one follows it already."""
    if changed.number != base.number + 1:
        raise ValueError("it has the next number")
    made = _put_new(changed)
    forget()
    return made


def get(number: int) -> Rules:
    """A snapshot by its number. Raises LookupError where there is none."""
    try:
        found = _s3().get_object(Bucket=settings().rules_bucket, Key=_key(number))
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            raise LookupError(f"no rules {number}") from error
        raise
    return _decoder.decode(found["Body"].read())


def listing(cursor: Cursor | None = None, limit: int = 20) -> Page[Publication]:
    """Up to `limit` publications, newest first; one small request each. `cursor` is `{"before": <number>}`."""
    first = cursor["before"] - 1 if cursor else newest_number()
    last = max(first - limit + 1, 1)
    found = tuple(_publication(number) for number in range(first, last - 1, -1))
    return Page(found, {"before": last} if last > 1 else None)


def newest_number(known: int = 0) -> int:
    """The number of the newest snapshot, looking only after the one known; 0 where there is none."""
    pages = _s3().get_paginator("list_objects_v2")
    newest = known
    for page in pages.paginate(Bucket=settings().rules_bucket, Prefix=_FOLDER, StartAfter=_key(known)):
        for item in page.get("Contents", ()):
            newest = _number(item["Key"])
    return newest


def _put_new(rules: Rules) -> bool:
    what = Publication(
        number=rules.number, published_ms=rules.published_ms, published_by=rules.published_by, note=rules.note
    )
    try:
        _s3().put_object(
            Bucket=settings().rules_bucket,
            Key=_key(rules.number),
            Body=_encoder.encode(rules),
            IfNoneMatch="*",
            ContentType="application/vnd.msgpack",
            Metadata={"publication": base64.b64encode(msgspec.json.encode(what)).decode()},  # metadata is ASCII
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in _TAKEN:
            return False
        raise
    return True


def _publication(number: int) -> Publication:
    head = _s3().head_object(Bucket=settings().rules_bucket, Key=_key(number))
    return msgspec.json.decode(base64.b64decode(head["Metadata"]["publication"]), type=Publication)


def _key(number: int) -> str:
    return f"{_FOLDER}{number:010}.msgpack"


def _number(key: str) -> int:
    return int(key.removeprefix(_FOLDER).partition(".")[0])


def _s3() -> Any:
    return aws.client("s3")
