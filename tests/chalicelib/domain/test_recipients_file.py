"""Recipients' files as people send them: each row is read, or named with its line and what is wrong with it."""

import tracemalloc
from collections.abc import Iterator

import pytest

from chalicelib.domain.recipients_file import (
    MAX_LINE_BYTES,
    BadRow,
    Layout,
    Place,
    RecipientsFile,
    Row,
    column_name,
    layout_of,
)

PLAIN = "phone;first name;city\r\n+34600000001;Ana;Madrid\r\n+34600000002;José;\r\n"


def read(raw: bytes, block: int = 7) -> list[Row | BadRow]:
    return list(RecipientsFile(blocks(raw, block), layout_of(raw[:65_536])))


def blocks(raw: bytes, size: int) -> Iterator[bytes]:
    return (raw[at : at + size] for at in range(0, len(raw), size))


@pytest.mark.parametrize(
    ("label", "raw"),
    [
        ("UTF-8", PLAIN.encode()),
        ("UTF-8 with a mark", b"\xef\xbb\xbf" + PLAIN.encode()),
        ("UTF-16 with a mark", PLAIN.encode("utf-16")),
        ("UTF-16, big end first, with a mark", b"\xfe\xff" + PLAIN.encode("utf-16-be")),
        ("UTF-16 without a mark", PLAIN.encode("utf-16-le")),
        ("Latin-1", PLAIN.encode("latin-1")),
        ("line feeds alone", PLAIN.replace("\r", "").encode()),
        ("returns alone", PLAIN.replace("\n", "").encode()),
        ("no end of the last line", PLAIN.rstrip().encode()),
        ("commas", PLAIN.replace(";", ",").encode()),
        ("tabs", PLAIN.replace(";", "\t").encode()),
        ("bars", PLAIN.replace(";", "|").encode()),
        ("empty lines between", PLAIN.replace("\r\n", "\r\n\r\n").encode()),
    ],
)
@pytest.mark.parametrize("block", [1, 3, 1000])
def test_a_file_reads_alike_however_it_is_written(label: str, raw: bytes, block: int) -> None:
    layout = layout_of(raw)
    assert (layout.columns, layout.number_column, layout.header) == (("phone", "first_name", "city"), 0, True), label
    cells = [row.cells for row in read(raw, block) if isinstance(row, Row)]
    assert cells in (
        [("+34600000001", "Ana", "Madrid"), ("+34600000002", "José", "")],
        [("+34600000001", "Ana", "Madrid"), ("+34600000002", "José")],  # where the last end was cut off
    ), label


def test_lines_are_counted_as_an_editor_shows_them() -> None:
    raw = b'to,note\n\n+34600000001,"two\nlines, and ""quotes"""\n+34600000002,x\n'
    assert read(raw) == [
        Row(3, ("+34600000001", 'two\nlines, and "quotes"')),
        Row(5, ("+34600000002", "x")),
    ]


def test_a_text_file_has_one_number_a_line_and_no_header() -> None:
    raw = b"+34 600 000 001\n600000002\n"
    assert layout_of(raw).columns == ("column1",)
    assert read(raw) == [Row(1, ("+34 600 000 001",)), Row(2, ("600000002",))]


def test_the_number_is_found_by_its_columns_name_or_by_what_is_in_it() -> None:
    assert layout_of(b"id;name;M\xc3\xb3vil\n1;Ana;600000001\n").number_column == 2
    assert layout_of(b"name;contact\nAna;+34600000001\n").number_column == 1
    assert layout_of(b"Ana;+34600000001\nLuis;+34600000002\n").number_column == 1


def test_a_quote_that_is_never_closed_spoils_its_own_row_only() -> None:
    rows = read(b'to,note\n+34600000001,"open\n' + b"+34600000002,x\n" * 40)
    assert isinstance(rows[0], BadRow)
    assert (rows[0].line, rows[0].code) == (2, "unclosed_quote")
    assert rows[1:] == [Row(line, ("+34600000002", "x")) for line in range(3, 43)]


def test_a_quote_within_a_cell_is_a_character() -> None:
    assert read(b'to,pipe\n+34600000001,5" wide\n+34600000002,y\n')[0] == Row(2, ("+34600000001", '5" wide'))


def test_an_endless_line_is_named_and_forgotten() -> None:
    raw = b"to\n" + b"9" * (3 * MAX_LINE_BYTES) + b"\n+34600000002\n"
    rows = read(raw, 5000)
    assert [(row.line, getattr(row, "code", "")) for row in rows] == [(2, "line_too_long"), (3, "")]


def test_a_line_of_another_encoding_is_read_as_latin_1() -> None:
    raw = b"to;name\n" + b"+34600000001;Jos\xc3\xa9\n" * 5000 + b"+34600000002;Jos\xe9\n"
    assert read(raw, 4096)[-1] == Row(5002, ("+34600000002", "José"))


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\0\0\0", b'"', b";;;\n;;\n"])
def test_what_is_no_file_of_recipients_gives_no_rows_and_no_error(raw: bytes) -> None:
    assert all(isinstance(row, BadRow) or any(row.cells) for row in read(raw))


def test_more_columns_than_anybody_needs_are_refused() -> None:
    (row,) = read(b"to,a\n" + b"," * 500 + b"x\n")
    assert isinstance(row, BadRow)
    assert row.code == "too_many_columns"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_reading_goes_on_after_any_row_as_if_it_had_not_been_broken_off(encoding: str) -> None:
    text = 'to;n\n+34600000001;"a\nb"\n\n+34600000002;"open\n+34600000003;é\n+34600000004;d\n'
    raw = text.encode(encoding)
    layout = layout_of(raw)
    whole = RecipientsFile([raw], layout)
    rows: list[tuple[Row | BadRow, Place]] = [(row, whole.place) for row in whole]
    for number, (_, place) in enumerate(rows):
        rest = RecipientsFile([raw[place.offset :]], layout, place)
        assert list(rest) == [row for row, _ in rows[number + 1 :]]


def test_memory_does_not_grow_with_the_file() -> None:
    def peak(lines: int) -> int:
        line = b"+34600000001;Ana;Madrid\n"
        tracemalloc.start()
        count = sum(1 for _ in RecipientsFile((line * 1000 for _ in range(lines // 1000)), Layout(delimiter=";")))
        assert count == lines
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1_000)
    assert peak(40_000) < 2 * peak(2_000)


@pytest.mark.parametrize("written", ["First Name", " first_name ", "FIRST-NAME", "first.name"])
def test_columns_are_named_alike_however_they_are_written(written: str) -> None:
    assert column_name(written) == "first_name"
