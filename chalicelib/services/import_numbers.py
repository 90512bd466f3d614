"""Import lists of numbers: good ones are written as they are read, bad ones named and counted; nothing is dropped."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from chalicelib.domain.number_list import Line, lines
from chalicelib.domain.numbers import BadNumber, Number, normalize
from chalicelib.services.faults import Fault
from chalicelib.store.dynamo import BATCH_PUT

MAX_NUMBERS: Final = 20_000  # so many are written within the time that a request may take
MAX_TOLD: Final = 100  # bad lines that one answer names
MAX_BYTES: Final = 2_000_000


class BadLine(msgspec.Struct, frozen=True):
    """A line that is no number, and why; never what stood there."""

    line: int
    code: str
    detail: str


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a list."""

    imported: int
    repeated: int  # given more than once: written once
    invalid: int
    bad_lines: tuple[BadLine, ...]  # the first MAX_TOLD of them


def import_numbers(given: bytes | Iterable[str], region: str | None, write: Callable[[list[Number]], None]) -> Import:
    """Read the list and `write` its numbers, some at a time; doing it again changes nothing.

    `region` is where numbers without + are read first. Raises Fault `list_too_long` before anything is written.
    """
    seen: set[str] = set()
    bad: list[BadLine] = []
    batch: list[Number] = []
    invalid = repeated = 0
    if sum(1 for _ in _lines(given)) > MAX_NUMBERS:
        raise Fault("list_too_long", f"at most {MAX_NUMBERS} numbers at a time: send the rest in further requests")
    for line in _lines(given):
        try:
            number = normalize(line.number, region)
        except BadNumber as error:
            invalid += 1
            if len(bad) < MAX_TOLD:
                bad.append(BadLine(line.line, error.code, str(error)))
            continue
        if number.e164 in seen:
            repeated += 1
            continue
        seen.add(number.e164)
        batch.append(number)
        if len(batch) == BATCH_PUT:
            write(batch)
            batch = []
    if batch:
        write(batch)
    return Import(imported=len(seen), repeated=repeated, invalid=invalid, bad_lines=tuple(bad))


def _lines(given: bytes | Iterable[str]) -> Iterator[Line]:
    if isinstance(given, bytes):
        return lines(given)
    return (Line(place, number) for place, number in enumerate(given, start=1))
