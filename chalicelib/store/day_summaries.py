"""Summaries of closed days, for administrators' reports: a few packed items an account's day, read by the day."""

import zlib
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from pynamodb.attributes import BinaryAttribute, BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.transactions import TransactWrite

from chalicelib.domain.day_summary import SummaryLine
from chalicelib.store import dynamo

LINES_AN_ITEM: Final = 2_000  # some 100 KB packed; the most lines of a day are so ten items of a transaction
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(list[SummaryLine])


class DaySummaryTable(dynamo.Table):
    class Meta:
        suffix = "day_summaries"

    day = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    body = BinaryAttribute(legacy_encoding=False)
    parts = NumberAttribute()  # how many items the account's day has: those behind are of an earlier closing
    final = BooleanAttribute()


def put(day: str, account: str, lines: Sequence[SummaryLine], *, final: bool) -> None:
    """Write the account's day over what stood there, in one piece."""
    some = [lines[at : at + LINES_AN_ITEM] for at in range(0, len(lines), LINES_AN_ITEM)] or [[]]

    def all_of_them(transaction: TransactWrite) -> None:
        for number, of_item in enumerate(some):
            body = zlib.compress(_encoder.encode(of_item))
            name = f"{account}#{number:02}"
            transaction.save(DaySummaryTable(day, name, body=body, parts=len(some), final=final))

    dynamo.transact(all_of_them)


def get(day: str, account: str | None = None) -> list[SummaryLine]:
    """The lines of a closed day (YYYY-MM-DD, UTC), of all accounts or of one; none of accounts that are not closed."""
    return [line for item in _items(day, account) for line in _decoder.decode(zlib.decompress(item.body))]


def of_accounts(day: str, account: str | None = None) -> Iterator[tuple[str, list[SummaryLine]]]:
    """The same, account by account, some LINES_AN_ITEM lines at a time: those that sent nothing have no lines."""
    for item in _items(day, account):
        yield str(item.part).partition("#")[0], _decoder.decode(zlib.decompress(item.body))


def accounts_of(day: str) -> frozenset[str]:
    """The accounts whose day is closed, those that sent nothing among them."""
    return frozenset(str(item.part).partition("#")[0] for item in _items(day, None))


def _items(day: str, account: str | None) -> Iterator[DaySummaryTable]:
    of_account = DaySummaryTable.part.startswith(f"{account}#") if account else None
    for item in DaySummaryTable.query(day, of_account):
        if int(str(item.part).rpartition("#")[2]) < int(item.parts):
            yield item
