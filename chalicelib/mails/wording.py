"""Wordings: text with `$names`, filled with plain values. A paragraph that lacks one of its values is left out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from string import Template
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chalicelib.domain.mail import INSTANT, LINES, MAX_LINES, MAX_VALUE

WORDY: Final = ("status", "modules", "ends_lines")  # values of words that each language has its own for


class Wording(NamedTuple):
    """How a kind reads in one language. Paragraphs of the body stand apart by an empty line."""

    subject: str
    body: str


class Tongue(NamedTuple):
    """A language: the wordings by kind, and words that values are made of."""

    wordings: Mapping[str, Wording]
    words: Mapping[str, str]


class Text(NamedTuple):
    """A mail as it reads."""

    subject: str
    paragraphs: tuple[str, ...]

    @property
    def plain(self) -> str:
        return "\n\n".join(self.paragraphs) + "\n"


def fill(wording: Wording, values: Mapping[str, str]) -> Text:
    """The wording with the values, each of which is taken as text: a `$` or a line break in one means nothing."""
    told = {name: _lines(value) if name.endswith(LINES) else one_line(value) for name, value in values.items()}
    paragraphs = (Template(paragraph) for paragraph in wording.body.strip().split("\n\n"))
    return Text(
        one_line(Template(wording.subject).safe_substitute(told)),
        tuple(one.substitute(told) for one in paragraphs if all(told.get(name) for name in one.get_identifiers())),
    )


def spoken(tongue: Tongue, values: Mapping[str, str], time_zone: str) -> dict[str, str]:
    """The values as a reader takes them: instants in his time zone, words in his language; `…_ms` lose that ending."""
    told: dict[str, str] = {}
    for name, value in values.items():
        if name.endswith(INSTANT):
            told[name.removesuffix(INSTANT)] = _instant(value, time_zone)
        elif name in WORDY:
            told[name] = _in_words(tongue, value)
        else:
            told[name] = value
    return told


def one_line(text: str) -> str:
    """The text without line breaks, control and direction characters, of a bounded length: fit for a header."""
    shown = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return shown if len(shown) <= MAX_VALUE else f"{shown[: MAX_VALUE - 1]}…"


def _lines(text: str) -> str:
    return "\n".join(line for line in map(one_line, text.split("\n")[:MAX_LINES]) if line)


def _instant(value: str, time_zone: str) -> str:
    try:
        at = datetime.fromtimestamp(int(value) / 1000, ZoneInfo(time_zone))
        return f"{at:%Y-%m-%d %H:%M} ({time_zone})"
    except (ZoneInfoNotFoundError, ValueError):
        return f"{datetime.fromtimestamp(int(value) / 1000, UTC):%Y-%m-%d %H:%M} (UTC)"


def _in_words(tongue: Tongue, value: str) -> str:
    """Each word that the language has another one for: 'delivered: 7', 'credits, jobs'."""
    return "\n".join(" ".join(_word(tongue, piece) for piece in line.split(" ")) for line in value.split("\n"))


def _word(tongue: Tongue, piece: str) -> str:
    bare = piece.rstrip(":,")
    return tongue.words.get(bare, bare) + piece[len(bare) :]
