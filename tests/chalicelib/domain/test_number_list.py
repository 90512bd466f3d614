"""Lists of numbers as people have them."""

import pytest

from chalicelib.domain.number_list import lines

ROWS: list[tuple[str, bytes, list[tuple[int, str]]]] = [
    ("a number a line", b"+34600000001\n+34600000002\n", [(1, "+34600000001"), (2, "+34600000002")]),
    ("no line end at the end", b"+34600000001", [(1, "+34600000001")]),
    ("CRLF", b"+34600000001\r\n+34600000002\r\n", [(1, "+34600000001"), (2, "+34600000002")]),
    ("only CR", b"+34600000001\r+34600000002", [(1, "+34600000001"), (2, "+34600000002")]),
    ("a named column", b"name,number\nAna,+34600000001\n", [(2, "+34600000001")]),
    ("a named column in Spanish", "nombre;Teléfono\nAna;600\n".encode(), [(2, "600")]),
    ("columns of other names", b"who,since\n+34600000001,2020\n", [(2, "+34600000001")]),
    ("no header", b"+34600000001,Ana\n", [(1, "+34600000001")]),
    ("semicolons", b"msisdn;name\n+34600000001;a,b\n", [(2, "+34600000001")]),
    ("tabs", b"x\tphone\nAna\t+34600000001\n", [(2, "+34600000001")]),
    ("quotes", b'number,name\n"+34 600 000 001","a ""b"", c"\n', [(2, "+34 600 000 001")]),
    ("a line end in quotes", b'name,number\n"a\nb",+34600000001\n+1,\n', [(3, "+34600000001"), (4, "")]),
    ("BOM", b"\xef\xbb\xbfnumber\n+34600000001\n", [(2, "+34600000001")]),
    ("UTF-16", "number\n+34600000001\n".encode("utf-16"), [(2, "+34600000001")]),
    ("UTF-16 the other way", b"\xfe\xff" + "number\n+34600000001\n".encode("utf-16-be"), [(2, "+34600000001")]),
    ("Latin-1", "año;number\nñ;+34600000001\n".encode("latin-1"), [(2, "+34600000001")]),
    ("empty lines", b"\n\n+34600000001\n  \n+34600000002\n", [(3, "+34600000001"), (5, "+34600000002")]),
    ("a short row", b"name,number\nAna\n", [(2, "")]),
    ("a NUL", b"+346\x0000\n+34600000001\n", [(1, "+346\x0000"), (2, "+34600000001")]),
    ("nothing", b"", []),
]


@pytest.mark.parametrize(("label", "raw", "expected"), ROWS, ids=[row[0] for row in ROWS])
def test_a_list_is_read_as_it_is_and_its_lines_keep_their_numbers(
    label: str, raw: bytes, expected: list[tuple[int, str]]
) -> None:
    assert [(line.line, line.number) for line in lines(raw)] == expected


def test_a_quote_that_does_not_end_is_one_bad_line_and_no_error() -> None:
    found = list(lines(b'+34600000001\n"' + b"x" * 200_000 + b"\n+34600000002\n"))
    assert found[0].number == "+34600000001"
    assert all(len(line.number) <= 1000 for line in found)
