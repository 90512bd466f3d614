"""Exports of records: out of the archive and the log, one file however it is broken off, in the customer's days."""

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain.account import Account
from chalicelib.domain.facts import Final, Queued
from chalicelib.domain.status import Status
from chalicelib.services import close_day, export_cdrs, make_file
from chalicelib.services.faults import Fault
from chalicelib.settings import settings
from chalicelib.store import accounts, aws, dynamo, messages
from chalicelib.store.messages import MessageTable, Noted
from tests.chalicelib.services import world
from tests.chalicelib.services.test_close_day import DAY_MS, created
from tests.chalicelib.services.world import ACCOUNT, HOUR_MS, NOW_MS, PRICE_MICROS

DAYS = (date(2025, 10, 5), date(2025, 10, 9))  # the last is NOW_MS's
FORMULA = "=cmd()"


def delivered(account: str, at_ms: int) -> Iterator[Noted]:
    """The facts of a message of that instant."""
    made = created(at_ms)
    content = msgspec.structs.replace(made.content, client_ref=FORMULA)
    queued = Queued(
        at_ms=at_ms,
        content=content,
        gateway=world.GATEWAY,
        route="rte_1",
        operator="Movistar",
        price_micros=PRICE_MICROS,
        charge_micros=PRICE_MICROS,
        rules=1,
        bundle=made.id,
        why="a test",
    )
    yield Noted(account, made.id, queued, 90)
    yield Noted(account, made.id, Final(at_ms=at_ms + 1, status=Status.DELIVERED), 90)


@pytest.fixture
def account(aws: Any) -> Account:
    """Six messages on each of five days of an account's; two days are archived, and one is gone from the log."""
    for id_ in (ACCOUNT, "acc_two"):
        assert accounts.create(Account(id=id_, name=id_, created_ms=0))
    messages.put_facts(
        fact
        for at_ms in range(NOW_MS - 4 * DAY_MS, NOW_MS + 1, DAY_MS)
        for number in range(6)
        for id_ in ((ACCOUNT, "acc_two") if number == 3 else (ACCOUNT,))
        for fact in delivered(id_, at_ms + (number - 3) * 3 * HOUR_MS)
    )
    for account in (ACCOUNT, "acc_two"):
        for day in (date(2025, 10, 5), date(2025, 10, 6)):
            work: wire.ArchiveWork | None = close_day.begin(account, day, NOW_MS, final=True)
            while work is not None:
                work = close_day.close(work, NOW_MS)
    for log in (f"{ACCOUNT}#2025-10-05#00", "acc_two#2025-10-05#00"):
        dynamo.delete_all(list(MessageTable.query(log)))
    found = accounts.get(ACCOUNT)
    assert found is not None
    return found


def made(account: Account | None, days: tuple[date, date] = DAYS, zone: str = "UTC", **more: Any) -> tuple[bytes, int]:
    """The file, unpacked, and how many lines it says to have."""
    asked: dict[str, Any] = {"kind": "csv", "full": False, "now_ms": NOW_MS + HOUR_MS, **more}
    export_id = export_cdrs.begin(account, *days, zone, **asked)
    owner = wire.EVERYBODY if asked["full"] or account is None else account.id
    work: wire.ArchiveWork | None = wire.ArchiveWork(id=export_id, account=owner, what="export")
    while work is not None:
        assert export_cdrs.state(owner, export_id) == (None, None)
        work = export_cdrs.export(work, NOW_MS + HOUR_MS)
    url, told = export_cdrs.state(owner, export_id)
    assert url is not None
    assert told is not None
    key = f"uploads/{owner}/{export_id}/cdrs.{asked['kind']}.gz"
    assert key in url
    body = aws.client("s3").get_object(Bucket=settings().jobs_bucket, Key=key)["Body"].read()
    return gzip.decompress(body), told.rows


def rows(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))


@pytest.mark.parametrize("member", [1, 4, 1_000])
def test_days_of_any_age_are_one_file_however_it_is_cut(
    account: Account, monkeypatch: pytest.MonkeyPatch, member: int
) -> None:
    monkeypatch.setattr(export_cdrs, "MEMBER_ROWS", member)
    monkeypatch.setattr(make_file, "_SECONDS", -1.0 if member > 1 else 8.0)  # a step a member
    raw, told = made(account)
    found = rows(raw)
    assert len(found) == told == 5 * 6 - 1  # the first is of the night before
    assert len({row["message_id"] for row in found}) == len(found)
    assert [row["date"][:10] for row in found] == sorted(row["date"][:10] for row in found)
    assert {row["status"] for row in found} == {"delivered"}
    assert sum(float(row["credit_deducted"]) for row in found) == pytest.approx(0.04 * len(found))
    assert {row["client_ref"] for row in found} == {f"'{FORMULA}"}
    assert list(found[0]) == list(export_cdrs.CUSTOMER_COLUMNS)


def lines(raw: bytes) -> Iterator[dict[str, Any]]:
    return map(msgspec.json.decode, raw.splitlines())


def test_days_are_those_of_the_zone_that_was_asked_for(account: Account) -> None:
    one_day = (date(2025, 10, 7), date(2025, 10, 7))
    in_lima, in_utc = (
        [row["date"] for row in rows(made(account, one_day, zone)[0])] for zone in ("America/Lima", "UTC")
    )
    assert in_utc == [at for at in in_utc if at.startswith("2025-10-07T")]
    assert in_lima == [at for at in in_lima if "2025-10-07T05:00" <= at < "2025-10-08T05:00"]
    assert len(in_lima) == 6
    assert in_lima != in_utc


def test_administrators_get_all_accounts_with_gateways_and_costs(account: Account) -> None:
    told = list(lines(made(None, kind="jsonl", full=True)[0]))
    assert [one["account"] for one in told].count("acc_two") == 5
    assert list(told[0]) == list(export_cdrs.FULL_COLUMNS)
    assert {one["gateway"] for one in told} == {"gtw_a"}
    of_one = list(lines(made(account, kind="jsonl", full=True)[0]))
    assert {one["account"] for one in of_one} == {ACCOUNT}
    assert {one["flash"] for one in of_one} == {False}


@pytest.mark.parametrize(
    ("days", "zone", "code"),
    [
        ((DAYS[1], DAYS[0]), "UTC", "reversed_range"),
        ((date(2015, 1, 1), DAYS[1]), "UTC", "out_of_range"),
        (DAYS, "Mars/Olympus", "invalid_time_zone"),
        ((date(9999, 1, 1), date(9999, 12, 31)), "UTC", "out_of_range"),
        ((date(1, 1, 1), date(1, 1, 2)), "Asia/Tokyo", "out_of_range"),
    ],
)
def test_what_makes_no_sense_is_refused(days: tuple[date, date], zone: str, code: str) -> None:
    with pytest.raises(Fault) as told:
        export_cdrs.begin(None, *days, zone, "csv", full=True, now_ms=NOW_MS)
    assert [one.code for one in told.value.fields] == [code]


@pytest.mark.usefixtures("aws")
def test_another_accounts_export_is_not_there() -> None:
    account = Account(id=ACCOUNT, name="One", created_ms=0)
    export_id = export_cdrs.begin(account, *DAYS, "UTC", "csv", full=False, now_ms=NOW_MS)
    for other in ("acc_two", wire.EVERYBODY):
        with pytest.raises(Fault) as told:
            export_cdrs.state(other, export_id)
        assert told.value.code == "not_found"
