"""Recipients out of a CSV or text file, row by row with flat memory; what is wrong with a row is told with its line.

Rows are read from bytes, so that reading can be broken off after any row and go on there later.
"""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

SAMPLE_BYTES: Final = 65_536  # what the layout is guessed from
MAX_LINE_BYTES: Final = 65_536  # a recipient with all its columns is far shorter
MAX_RECORD_LINES: Final = 20  # line ends within quotes; a quote that is never closed must not swallow the file
MAX_CELLS: Final = 100
Encoding = Literal["utf-8", "utf-16-le", "utf-16-be", "latin-1"]
Code = Literal["line_too_long", "unclosed_quote", "malformed", "too_many_columns", "not_decodable"]

_DELIMITERS: Final = ("\t", ";", ",", "|")
_BOMS: Final[tuple[tuple[bytes, Encoding], ...]] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# How the column of numbers is called, in the languages of the customers.
_NUMBER_NAMES: Final = frozenset(
    (
        *("to", "number", "phone", "phone_number", "mobile", "mobile_number", "msisdn", "cell", "cellphone"),
        *("recipient", "destination", "tel", "telephone", "telefono", "teléfono", "movil", "móvil", "celular"),
        *("numero", "número", "telefone", "telemovel", "telemóvel"),
    )
)
_LIKE_A_NUMBER: Final = re.compile(r"\s*[+(]?\d[\d\s().\-/]{5,}")
_NAME_GAPS: Final = re.compile(r"[\s\-./]+")


class Row(NamedTuple):
    """A row's cells, stripped of blanks around them; `line` is the one it begins in, from 1."""

    line: int
    cells: tuple[str, ...]


class BadRow(NamedTuple):
    """A row that cannot be read."""

    line: int
    code: Code
    detail: str


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How the file is written."""

    encoding: Encoding = "utf-8"
    delimiter: str = ""  # empty: one number a line
    bom_bytes: int = 0
    line_end: str = "\n"
    columns: tuple[str, ...] = ()  # as placeholders name them; empty before the first row is known
    number_column: int = 0
    header: bool = False


class Place(msgspec.Struct, frozen=True):
    """Where reading goes on: a byte of the file, and the line that begins there."""

    offset: int
    line: int = 1


def column_name(text: str) -> str:
    """A column's name as placeholders write it: case and the kind of gaps do not matter."""
    return _NAME_GAPS.sub("_", text.strip().casefold())


def layout_of(sample: bytes) -> Layout:
    """The layout, guessed from the file's first bytes. A file of nothing is one without columns."""
    encoding, bom_bytes = _encoding_of(sample)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample[bom_bytes:])
    line_end = "\r" if "\n" not in text and "\r" in text else "\n"
    delimiter = _delimiter_of(text, line_end)
    bare = Layout(encoding=encoding, delimiter=delimiter, bom_bytes=bom_bytes, line_end=line_end)
    first, second = _first_rows(sample, bare)
    header = bool(first) and not any(_LIKE_A_NUMBER.match(cell) for cell in first)
    return Layout(
        encoding=encoding,
        delimiter=delimiter,
        bom_bytes=bom_bytes,
        line_end=line_end,
        columns=_columns(first, header=header),
        number_column=_number_column(first, second, header=header),
        header=header,
    )


class RecipientsFile:
    """Rows of a file whose blocks of bytes come one after another: all of it, or from `place` on.

    After each row `place` is where the next one begins. The header is no row.
    """

    def __init__(self, blocks: Iterable[bytes], layout: Layout, place: Place | None = None) -> None:
        self.layout = layout
        self.place = place or Place(layout.bom_bytes)
        self._lines = _lines(blocks if place else _after(blocks, layout.bom_bytes), layout)
        self._ahead: deque[tuple[int, bytes | None]] = deque()  # lines read in vain for the end of a quote

    def __iter__(self) -> Iterator[Row | BadRow]:
        while (one := self._next_line()) is not None:
            line, (length, raw) = self.place.line, one
            self._step(length)
            if raw is None:
                yield BadRow(line, "line_too_long", f"the line has more than {MAX_LINE_BYTES} bytes")
                continue
            try:
                text = _decoded(raw, self.layout)
            except UnicodeDecodeError:
                yield BadRow(line, "not_decodable", f"the line is no {self.layout.encoding}")
                continue
            row = self._row(line, text)
            if row is not None and not (line == 1 and self.layout.header and isinstance(row, Row)):
                yield row

    def _row(self, line: int, text: str) -> Row | BadRow | None:
        delimiter = self.layout.delimiter
        if '"' not in text:
            return _cells(line, text.split(delimiter) if delimiter else [text])
        if _is_open(text, delimiter):
            whole = self._closed(text)
            if whole is None:
                return BadRow(line, "unclosed_quote", "a quote is opened and not closed")
            text = whole
        try:
            return _cells(line, next(csv.reader([text], delimiter=delimiter or "\0"), []))
        except csv.Error as error:
            return BadRow(line, "malformed", str(error))

    def _closed(self, text: str) -> str | None:
        """The text with the lines that its open quote goes on in; None, and nothing taken, where it never ends."""
        taken: list[tuple[int, bytes | None]] = []
        while len(taken) < MAX_RECORD_LINES and (one := self._next_line()) is not None:
            taken.append(one)
            if one[1] is None:
                break
            try:
                text = f"{text}\n{_decoded(one[1], self.layout)}"
            except UnicodeDecodeError:
                break
            if not _is_open(text, self.layout.delimiter):
                for length, _ in taken:
                    self._step(length)
                return text
        self._ahead.extendleft(reversed(taken))
        return None

    def _next_line(self) -> tuple[int, bytes | None] | None:
        return self._ahead.popleft() if self._ahead else next(self._lines, None)

    def _step(self, length: int) -> None:
        self.place = Place(self.place.offset + length, self.place.line + 1)


def _cells(line: int, cells: Sequence[str]) -> Row | BadRow | None:
    """A row; None for an empty line."""
    if len(cells) > MAX_CELLS:
        return BadRow(line, "too_many_columns", f"the row has {len(cells)} columns; at most {MAX_CELLS} are read")
    stripped = tuple(cell.strip() for cell in cells)
    return Row(line, stripped) if any(stripped) else None


def _lines(blocks: Iterable[bytes], layout: Layout) -> Iterator[tuple[int, bytes | None]]:
    """Each line's length in bytes, its end included, and itself without it; None in place of one that is too long."""
    end = layout.line_end.encode(layout.encoding)
    step = len(end)
    buffer, searched, lost = bytearray(), 0, 0
    for block in blocks:
        buffer += block
        start = 0
        while (at := _find(buffer, end, max(start, searched), step)) >= 0:
            length = at + step - start
            yield (lost + length, None) if lost or length > MAX_LINE_BYTES else (length, bytes(buffer[start:at]))
            start, lost, searched = at + step, 0, 0
        del buffer[:start]
        searched = max(0, len(buffer) - step + 1)
        searched -= searched % step
        if len(buffer) > MAX_LINE_BYTES:  # forget it, but for what may be half of its end
            keep = len(buffer) % step
            lost += len(buffer) - keep
            del buffer[: len(buffer) - keep]
            searched = 0
    if buffer or lost:
        yield (lost + len(buffer), None) if lost else (len(buffer), bytes(buffer))


def _after(blocks: Iterable[bytes], skipped: int) -> Iterator[bytes]:
    """The blocks without their first bytes."""
    for block in blocks:
        yield block[skipped:]
        skipped = max(0, skipped - len(block))


def _find(buffer: bytearray, end: bytes, start: int, step: int) -> int:
    """Where a line ends, at a whole character."""
    at = buffer.find(end, start)
    while at >= 0 and at % step:
        at = buffer.find(end, at + 1)
    return at


def _decoded(raw: bytes, layout: Layout) -> str:
    """The line as text; where one of a UTF-8 file is none, it is taken for Latin-1. Raises UnicodeDecodeError."""
    try:
        text = raw.decode(layout.encoding)
    except UnicodeDecodeError:
        if layout.encoding != "utf-8":
            raise
        text = raw.decode("latin-1")
    return text.removesuffix("\r")


def _is_open(text: str, delimiter: str) -> bool:
    """Whether the text ends within quotes. A quote opens only where a cell begins (RFC 4180, 2)."""
    opened, begins, position = False, True, 0
    while position < len(text):
        character = text[position]
        if opened:
            if character == '"':
                if text[position + 1 : position + 2] == '"':
                    position += 1
                else:
                    opened = False
        elif character == '"' and begins:
            opened = True
        begins = not opened and character == delimiter
        position += 1
    return opened


def _encoding_of(sample: bytes) -> tuple[Encoding, int]:
    for bom, encoding in _BOMS:
        if sample.startswith(bom):
            return encoding, len(bom)
    half = max(1, len(sample) // 2)
    if sample[1::2].count(0) > half * 0.4:  # digits and Latin letters have a zero beside each of them in UTF-16
        return "utf-16-le", 0
    if sample[0::2].count(0) > half * 0.4:
        return "utf-16-be", 0
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return "latin-1", 0
    return "utf-8", 0


def _delimiter_of(text: str, line_end: str) -> str:
    """The character that stands most evenly in the first lines; none where the first line has none of them."""
    lines = [line for line in text[:8_000].split(line_end)[:20] if line.strip()]
    if len(lines) > 1:
        lines.pop()  # which may be cut
    best, most = "", 0
    for delimiter in _DELIMITERS:
        counts = [_outside_quotes(line, delimiter) for line in lines]
        even = sum(count == counts[0] for count in counts) if counts and counts[0] else 0
        if even > most:
            best, most = delimiter, even
    return best


def _outside_quotes(line: str, delimiter: str) -> int:
    return sum(piece.count(delimiter) for piece in line.split('"')[::2])


def _first_rows(sample: bytes, layout: Layout) -> tuple[tuple[str, ...], tuple[str, ...]]:
    rows = (row.cells for row in RecipientsFile([sample], layout) if isinstance(row, Row))
    return next(rows, ()), next(rows, ())


def _columns(first: Sequence[str], *, header: bool) -> tuple[str, ...]:
    """What the columns are called; `column1` and so on where nothing says."""
    return tuple(
        (column_name(cell) if header else "") or f"column{number}" for number, cell in enumerate(first, start=1)
    )


def _number_column(first: Sequence[str], second: Sequence[str], *, header: bool) -> int:
    if header:
        named = [at for at, cell in enumerate(first) if column_name(cell) in _NUMBER_NAMES]
        if named:
            return named[0]
    looked_at = second if header else first
    return next((at for at, cell in enumerate(looked_at) if _LIKE_A_NUMBER.match(cell)), 0)
