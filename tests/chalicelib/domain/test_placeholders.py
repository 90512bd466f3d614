"""Placeholders: each stands for a recipient's column, or is refused before anything is sent."""

import pytest

from chalicelib.domain.placeholders import BadTemplate, MissingValue, Template


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("hello", {}, "hello"),
        ("hello {name}", {"name": "Ana"}, "hello Ana"),
        ("hello {First Name}", {"first_name": "Ana"}, "hello Ana"),
        ("{a}{b}", {"a": "1", "b": "2"}, "12"),
        ("hello {name|friend}", {}, "hello friend"),
        ("hello {name|friend}", {"name": ""}, "hello friend"),
        ("hello {name|}", {}, "hello "),
        ("{{name}}", {"name": "Ana"}, "{name}"),
        ("{{{name}}}", {"name": "Ana"}, "{Ana}"),
        ("{name}", {"name": "{city}", "city": "x"}, "{city}"),  # what comes out of a row is no template
    ],
)
def test_a_text_is_written_for_a_recipient(text: str, values: dict[str, str], expected: str) -> None:
    assert Template(text).text_for(values) == expected


@pytest.mark.parametrize("text", ["{", "}", "a {name", "name} b", "{}", "{ }", "{|x}", "{a{b}}", "{" + "x" * 65 + "}"])
def test_braces_that_make_no_placeholder_are_refused(text: str) -> None:
    with pytest.raises(BadTemplate):
        Template(text)


@pytest.mark.parametrize("values", [{}, {"name": ""}])
def test_a_recipient_without_the_value_is_named(values: dict[str, str]) -> None:
    with pytest.raises(MissingValue, match="name"):
        Template("hello {name}").text_for(values)


def test_its_names_are_known_before_anybody_is_written_to() -> None:
    assert Template("{a} {B c|x} {{d}}").names == {"a", "b_c"}
