"""Lines of CSV files that people open in spreadsheets: quoted by RFC 4180, and no cell is taken for a formula."""

import re
from collections.abc import Sequence
from typing import Final

BOM: Final = "\ufeff"  # by which spreadsheets know UTF-8
# What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection). A number in E.164 is none.
_FORMULA: Final = re.compile(r"^[=+\-@\t\r\n]")
_NUMBER: Final = re.compile(r"\+[0-9]{1,15}|-?[0-9]+(\.[0-9]+)?", re.ASCII)
_TO_QUOTE: Final = re.compile(r'[",\r\n]')
_GUARD: Final = "'"


def guarded(text: str) -> str:
    """The text behind an apostrophe, where a spreadsheet would take it for a formula."""
    return f"{_GUARD}{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def unguarded(text: str) -> str:
    """The text as it was before it was guarded: what is exported is imported as it was."""
    return text[1:] if text.startswith(_GUARD) and _FORMULA.match(text[1:]) else text


def line(cells: Sequence[str]) -> str:
    """The cells as a line with its end."""
    return ",".join(map(_cell, cells)) + "\r\n"


def _cell(text: str) -> str:
    safe = guarded(text)
    return '"' + safe.replace('"', '""') + '"' if _TO_QUOTE.search(safe) else safe
