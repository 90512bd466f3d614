"""A closed day: what the archive says is what the ledger and usage say, to the digit, and to the octet when again."""

import gzip
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.cdr import Cdr
from chalicelib.domain.status import Status
from chalicelib.services import close_day
from chalicelib.services.charge import charge
from chalicelib.services.settle import settle
from chalicelib.settings import settings
from chalicelib.store import accounts, aws, cdrs, day_summaries, dynamo, ledger, messages, usage
from chalicelib.store.messages import MessageTable
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, HOUR_MS, NOW_MS, OTHER_GATEWAY, PRICE_MICROS

pytestmark = pytest.mark.usefixtures("aws")

DAY = "2025-10-09"  # of NOW_MS, 08:53 UTC
DAY_MS = 24 * HOUR_MS
NEXT_NIGHT_MS = NOW_MS + DAY_MS
DDL = Path(__file__).parents[3] / "infra" / "athena.sql"


def a_mixed_day() -> dict[str, int]:
    """Every kind of end, of one and of several parts, over two gateways and midnight; how many of each status."""
    world.open_account(credit_micros=1000 * PRICE_MICROS, refund_policy="not_delivered")
    delivered = [world.draft() for _ in range(5)]
    undelivered, rejected, waiting = world.draft(), world.draft(), world.draft()
    long = world.draft(parts=3)
    bundle = [world.draft(parts=2, priority="bulk") for _ in range(4)]
    yesterday = [created(NOW_MS - 10 * HOUR_MS) for _ in range(2)]  # of which one is charged today
    alone = (*delivered, undelivered, rejected, waiting, long, yesterday[0], world.draft(valid_until_ms=NOW_MS))
    charge([*map(world.routed, alone), world.routed(world.draft(), by="no_route")], NOW_MS)
    charge([world.routed(yesterday[1])], NOW_MS - 9 * HOUR_MS)
    charge([world.routed(*bundle, by=world.decision(OTHER_GATEWAY, 70_000))], NOW_MS + HOUR_MS // 2)
    sent = [*delivered, undelivered, *bundle]
    outcomes: list[wire.Outcome] = [
        *(world.submitted(one.id, one.id) for one in sent),
        *(world.submitted(long.id, f"L{part}", part, 3) for part in (1, 2, 3)),
        *(world.receipt(one.id) for one in [*delivered, *bundle]),
        *(world.receipt(f"L{part}", status=Status.EXPIRED) for part in (1, 2, 3)),
        world.receipt(undelivered.id, status=Status.UNDELIVERED),
        world.ended(rejected.id, Status.REJECTED),
    ]
    settle([world.outcomes(*outcomes)], NOW_MS + HOUR_MS)
    return {"delivered": 9, "undelivered": 1, "rejected": 2, "queued": 2, "expired": 2}


def created(at_ms: int) -> wire.Draft:
    made = world.draft(valid_until_ms=NOW_MS + DAY_MS)
    return msgspec.structs.replace(made, id=ids.new_message_id(at_ms), at_ms=at_ms)


def close(now_ms: int = NEXT_NIGHT_MS, *, final: bool = False, twice: bool = False) -> int:
    """As the queue carries it, each step done once or twice; how many steps."""
    work: wire.ArchiveWork | None = close_day.begin(ACCOUNT, date.fromisoformat(DAY), now_ms, final=final)
    steps = 0
    while work is not None:
        steps += 1
        if twice:
            close_day.close(work, now_ms)
        work = close_day.close(work, now_ms)
    return steps


def archived() -> dict[str, bytes]:
    """All objects of the archive."""
    bucket = settings().cdr_bucket
    found = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=cdrs.PREFIX).get("Contents", [])
    return {one["Key"]: aws.client("s3").get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in found}


def records() -> list[Cdr]:
    return [cdrs.read(line) for key in cdrs.listing(DAY, ACCOUNT).parts for line in cdrs.lines(key)]


def test_a_days_records_say_what_ledger_usage_and_summary_say(monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = a_mixed_day()
    monkeypatch.setattr(close_day, "PART_RECORDS", 5)
    assert close(twice=True) > 2
    told = records()
    assert Counter(one.status for one in told) == statuses
    charged = [one for one in told if one.charged_ms is not None]
    since = datetime.fromisoformat(DAY).replace(tzinfo=UTC)
    since_ms = int(since.timestamp()) * 1000
    entries = [one for one in ledger.entries(ACCOUNT).items if since_ms <= one.at_ms < since_ms + DAY_MS]
    by_kind: Counter[str] = Counter()
    for entry in entries:
        by_kind[entry.kind] += entry.amount_micros
    assert sum(one.credit_micros for one in told) == -by_kind["charge"] > 0
    assert sum(one.refunded_micros for one in told) == by_kind["refund"] > 0
    lines = usage.between(ACCOUNT, since_ms, since_ms + DAY_MS)
    summary, closed = day_summaries.get(DAY), cdrs.closed(DAY, ACCOUNT)
    assert closed is not None
    for name, of_records in (
        ("messages", len(charged)),
        ("parts", sum(one.parts for one in charged)),
        ("credits_micros", sum(one.credit_micros for one in told)),
        ("refunded_micros", sum(one.refunded_micros for one in told)),
        ("refused", sum(one.charged_ms is None for one in told)),
    ):
        assert sum(getattr(line, name) for line in lines) == of_records, name
        assert sum(getattr(line, name) for line in summary) == of_records, name
        assert getattr(closed, name, of_records) == of_records, name
    assert closed.records == len(told) == sum(line.records for line in summary)
    assert {line.gateway for line in summary} == {GATEWAY, OTHER_GATEWAY, ""}
    assert sum(sum(line.latency) for line in summary) == statuses["delivered"]
    assert day_summaries.accounts_of(DAY) == {ACCOUNT}


def test_closing_again_writes_the_same_octets_and_later_news_replace_what_was(monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = a_mixed_day()
    monkeypatch.setattr(close_day, "PART_RECORDS", 9)
    close()
    first, lines = archived(), day_summaries.get(DAY)
    close()
    assert (archived(), day_summaries.get(DAY)) == (first, lines)
    late = next(one for one in records() if one.status == "queued" and one.created_ms == NOW_MS)
    settle([world.outcomes(world.submitted(late.message_id, "S9"), world.receipt("S9"))], NEXT_NIGHT_MS)
    close(NOW_MS + 3 * DAY_MS, final=True)
    again = archived()
    assert {key for key, body in again.items() if first[key] != body} > set()
    assert again.keys() == first.keys()
    (told,) = (one for one in records() if one.message_id == late.message_id)
    assert (told.status, told.submitted_to, told.smsc_ids) == ("delivered", GATEWAY, ("S9",))
    monkeypatch.setattr(close_day, "PART_RECORDS", 1_000)
    close()
    assert len(cdrs.listing(DAY, ACCOUNT).parts) == 1  # those of the closing before do not stay
    assert len(records()) == sum(statuses.values())


def test_athena_reads_each_line_as_the_tables_definition_says() -> None:
    a_mixed_day()
    close()
    columns = dict(re.findall(r"^  `(\w+)` ([a-z<>]+)", DDL.read_text(), re.MULTILINE))
    assert list(columns) == [name for name in Cdr.__struct_fields__ if name != "account"]  # which is a partition
    allowed: dict[str, Any] = {"string": str, "bigint": int, "int": int, "boolean": bool, "array<string>": list}
    (body,) = (body for key, body in archived().items() if key.endswith(".jsonl.gz"))
    lines = gzip.decompress(body).splitlines()
    assert lines
    for line in lines:
        told: dict[str, Any] = msgspec.json.decode(line)
        assert told.pop("account") == ACCOUNT
        assert list(told) == list(columns)
        for name, value in told.items():
            assert value is None or type(value) is allowed[columns[name]], name
    assert b"hello" not in b"".join(lines)  # the text
    assert {key.split("/")[1:3][0] for key in archived()} == {f"day={DAY}"}


def test_what_is_closed_for_good_and_differs_from_usage_is_told_and_stays_when_the_log_is_gone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    a_mixed_day()
    close(final=True)
    assert [one.message for one in caplog.records if one.levelname == "ERROR"] == []
    gone = next(one for one in records() if one.charged_ms is not None)
    for fact in list(MessageTable.query(messages.log_of(ACCOUNT, DAY, 0))):
        if fact.fact.startswith(gone.message_id):
            fact.delete()
    world.open_account()
    close(final=True)
    told = [one for one in caplog.records if one.levelname == "ERROR"]
    assert {one.message for one in told} == {"the archive differs from usage"}
    first = archived()
    dynamo.delete_all(list(MessageTable.query(messages.log_of(ACCOUNT, DAY, 0))))
    close(NOW_MS + 91 * DAY_MS, final=True)
    assert archived() == first  # its log has expired: what is closed stays


def test_a_night_closes_yesterday_and_for_good_the_third_day_before_while_the_log_has_it() -> None:
    world.open_account()
    account = accounts.get(ACCOUNT)
    assert account is not None
    today = datetime.fromtimestamp(NOW_MS / 1000, UTC).date()
    told = [(work.day, work.final) for work in close_day.due(account, NOW_MS)]
    assert told == [
        ((today - timedelta(days=1)).isoformat(), False),
        ((today - timedelta(days=3)).isoformat(), True),
    ]
    brief = msgspec.structs.replace(account, retention_days=3)
    assert [work.final for work in close_day.due(brief, NOW_MS)] == [False]


def test_news_that_come_when_a_day_is_closed_for_good_close_it_once_more_and_nothing_else_does() -> None:
    statuses = a_mixed_day()
    charged_late = next(one.message_id for one in closed_for_good() if one.status == "queued" and one.charged_ms)
    again = msgspec.structs.replace(
        close_day.begin(ACCOUNT, date.fromisoformat(DAY), NOW_MS, final=True), if_changed=True
    )
    calls = world.Calls("dynamodb")
    assert close_day.close(again, NOW_MS + 10 * DAY_MS) is None
    assert set(calls.made) == {"GetItem", "Query"}
    assert calls.of("Query") <= 3  # of the account's own usage
    expired = world.ended(charged_late, Status.EXPIRED)
    settle([world.outcomes(world.submitted(charged_late, "S9"), expired)], NOW_MS + 5 * DAY_MS)
    settle([world.outcomes(world.receipt("S9"))], NOW_MS + 6 * DAY_MS)
    close_day.close(again, NOW_MS + 10 * DAY_MS)
    (told,) = (one for one in records() if one.message_id == charged_late)
    assert (told.status, told.refunded_micros) == ("delivered", PRICE_MICROS)  # it was paid back before
    ends = Counter[str]()
    for line in day_summaries.get(DAY):
        ends.update(line.ends)
    assert ends["delivered"] == statuses["delivered"] + 1
    assert close_day.close(again, NOW_MS + 33 * DAY_MS) is None


def closed_for_good() -> list[Cdr]:
    close(NOW_MS + 3 * DAY_MS, final=True)
    return records()


def test_a_night_looks_for_late_news_of_days_that_the_account_had_then() -> None:
    world.open_account()
    account = accounts.get(ACCOUNT)
    assert account is not None
    for after, told in ((9, set()), (10, {10}), (40, {10, 33})):
        now_ms = NOW_MS + after * DAY_MS
        works = [work for work in close_day.due(account, now_ms) if work.if_changed]
        today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
        assert {(today - date.fromisoformat(work.day)).days for work in works} == told
        assert all(work.final for work in works)
    brief = msgspec.structs.replace(account, retention_days=45)  # what was scheduled a month before may be gone by then
    assert [work.day for work in close_day.due(brief, NOW_MS + 43 * DAY_MS) if work.if_changed] == ["2025-11-11"]


def test_what_had_waited_for_days_counts_on_the_day_of_its_charge_wherever_a_step_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world.open_account(credit_micros=100 * PRICE_MICROS)
    waited = [created(NOW_MS - days * DAY_MS) for days in (20, 9, 3)]
    soon = [created(NOW_MS - HOUR_MS * 2), created(NOW_MS)]
    for one in (*waited, *soon):
        charge([world.routed(one)], NOW_MS)
    for step in (2, 100):
        monkeypatch.setattr(close_day, "STEP_MESSAGES", step)
        close()
        assert [one.message_id for one in records()] == [one.id for one in (*soon, *waited)]
