"""What the operations on lists of numbers share: how numbers are given, and what became of an import."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.services.import_numbers import MAX_NUMBERS, MAX_TOLD, Import

KnownNumber = Annotated[
    str, Meta(pattern="^[+]?[1-9][0-9]{6,14}$(?!\\n)", description="A number in E.164.", examples=["+34600000000"])
]
WrittenNumber = Annotated[str, Meta(min_length=1, max_length=40, description="A number, with + and country code.")]
NumberList = Annotated[tuple[WrittenNumber, ...], Meta(min_length=1, max_length=MAX_NUMBERS)]
Digits = Annotated[
    str, Meta(pattern="^[+]?[0-9]{1,15}$(?!\\n)", description="How the numbers begin, with country code.")
]
Cursor = Annotated[str, Meta(min_length=1, max_length=2000, description="`next_cursor` of the page before.")]
_BAD: Final = f"The first {MAX_TOLD} lines that hold no number; they are counted in `invalid`, and skipped."


class BadLineView(msgspec.Struct, frozen=True):
    """A line of the list, from 1, that holds no number."""

    line: int
    code: str
    detail: str


class ImportView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a list: each of its lines is in one of the counts."""

    imported: Annotated[int, Meta(description="Different numbers that are on the list now.")]
    repeated: int
    invalid: int
    bad_lines: Annotated[tuple[BadLineView, ...], Meta(description=_BAD)]


def imported(told: Import) -> ImportView:
    """The import as it is told."""
    return ImportView(
        imported=told.imported,
        repeated=told.repeated,
        invalid=told.invalid,
        bad_lines=tuple(BadLineView(bad.line, bad.code, bad.detail) for bad in told.bad_lines),
    )


def begins(prefix: str | None) -> str:
    """How numbers in E.164 begin that begin so."""
    return f"+{prefix.lstrip('+')}" if prefix else ""
