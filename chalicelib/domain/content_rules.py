"""Content rules: which texts are blocked, held for review, or reported. Linear in the text, whatever the rules say."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

import msgspec

from chalicelib.domain.rules import SpamAction, SpamRule

MAX_PATTERNS: Final = 200  # of one rule
MAX_PATTERN_LENGTH: Final = 200  # characters
MAX_REGEX_BYTES: Final = 1 << 20  # what one expression may take once compiled: RE2 refuses those that need more
ANY_URL: Final = "*"
_CACHED: Final = 256  # texts of a campaign repeat within a bundle

# A word: letters, digits and what joins them. Linear: no alternative begins like another.
_WORD: Final = re.compile(r"\w+")
# What a handset makes a link of: a scheme or www before it, or a name with a dot and a known kind of ending.
_URL: Final = re.compile(
    r"(?:https?://|www\.)(?P<given>[^\s/?#:<>\"']{1,253})|(?<![\w@.-])(?P<bare>(?:[\w-]{1,63}\.){1,8}[a-z]{2,24})(?![\w@-])",
    re.IGNORECASE,
)
# Marks that hide a word from programs and not from readers: zero width, direction, soft hyphen, joiners.
_HIDDEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]"
)


class BadPattern(ValueError):
    """The text is no pattern of its kind."""

    code: Final = "invalid_pattern"


class Hit(msgspec.Struct, frozen=True):
    """A rule that a text falls under, and which of its patterns did it."""

    rule: str
    action: SpamAction
    pattern: str


class _Read(msgspec.Struct, frozen=True):
    """A text as rules look at it."""

    plain: str  # with case and accents, without hidden marks
    words: frozenset[str]
    spaced: str  # ' its words each between single spaces '
    hosts: tuple[str, ...]


def fold(text: str) -> str:
    """Without case, accents and hidden marks, compatible forms made one: 'Ｇ\u200bRÁTIS' is 'gratis'."""
    plain = unicodedata.normalize("NFKD", _HIDDEN.sub("", text))
    return unicodedata.normalize("NFC", "".join(c for c in plain if not unicodedata.combining(c))).casefold()


def words_of(folded: str) -> list[str]:
    """The words of a folded text."""
    return _WORD.findall(folded)


@lru_cache(_CACHED)
def _read(text: str) -> _Read:
    plain = unicodedata.normalize("NFKC", _HIDDEN.sub("", text))
    folded = fold(plain)
    words = words_of(folded)
    hosts = (found["given"] or found["bare"] for found in _URL.finditer(folded))
    return _Read(
        plain=plain,
        words=frozenset(words),
        spaced=f" {' '.join(words)} ",
        hosts=tuple(host.rstrip(".").removeprefix("www.") for host in hosts),
    )


class Screen:
    """The content rules of a snapshot, made ready: build it once, ask it often. Never changes."""

    def __init__(self, rules: Iterable[SpamRule]) -> None:
        self._rules: dict[str | None, list[_Prepared]] = {}
        for rule in rules:
            if rule.state == "active":
                self._rules.setdefault(rule.account, []).append(_Prepared(rule))

    def hits(self, account: str, text: str) -> tuple[Hit, ...]:
        """The rules that the text falls under, of all accounts' and of this one's."""
        rules = [*self._rules.get(None, ()), *self._rules.get(account, ())]
        if not rules or not text:
            return ()
        read = _read(text)
        found = ((prepared.rule, prepared.hit(read)) for prepared in rules)
        return tuple(Hit(rule.id, rule.action, pattern) for rule, pattern in found if pattern is not None)


_SEVERITY: Final[dict[SpamAction, int]] = {"report": 0, "hold": 1, "block": 2}


def verdict(hits: Iterable[Hit]) -> Hit | None:
    """The hit that decides: the most severe, and of equals the first."""
    return max(hits, key=lambda hit: _SEVERITY[hit.action], default=None)


def check_pattern(kind: str, pattern: str) -> None:
    """Raises BadPattern where a rule of that kind cannot have it."""
    if not pattern.strip() or len(pattern) > MAX_PATTERN_LENGTH:
        raise BadPattern(f"a pattern has 1 to {MAX_PATTERN_LENGTH} characters")
    words = words_of(fold(pattern))
    if kind == "word" and len(words) != 1:
        raise BadPattern("a word has no spaces or signs in it: take a phrase")
    if kind == "phrase" and not words:
        raise BadPattern("a phrase has at least one word")
    if kind == "url" and pattern != ANY_URL and not re.fullmatch(r"(?:[\w-]{1,63}\.){1,8}\w{2,24}", pattern):
        raise BadPattern("a host, as example.com, which stands for those under it too; or * for any link")
    if kind == "regex":
        _regex(pattern)


class _Prepared:
    """A rule whose patterns are as the texts are read."""

    def __init__(self, rule: SpamRule) -> None:
        self.rule = rule
        self._hit = {"word": self._word, "phrase": self._phrase, "url": self._url, "regex": self._expression}[rule.kind]
        self._known: dict[str, str] = {}  # as a text has it → as the rule has it
        self._expressions: list[tuple[Any, str]] = []
        for pattern in rule.patterns:
            if rule.kind == "regex":
                self._expressions.append((_regex(pattern), pattern))
            elif rule.kind == "phrase":
                self._known[f" {' '.join(words_of(fold(pattern)))} "] = pattern
            else:
                self._known[fold(pattern)] = pattern

    def hit(self, read: _Read) -> str | None:
        """The pattern that the text falls under, or None."""
        return self._hit(read)

    def _word(self, read: _Read) -> str | None:
        found = self._known.keys() & read.words
        return self._known[min(found)] if found else None

    def _phrase(self, read: _Read) -> str | None:
        return next((pattern for spaced, pattern in self._known.items() if spaced in read.spaced), None)

    def _url(self, read: _Read) -> str | None:
        if read.hosts and ANY_URL in self._known:
            return ANY_URL
        return next((self._known[name] for host in read.hosts for name in _above(host) if name in self._known), None)

    def _expression(self, read: _Read) -> str | None:
        return next((pattern for compiled, pattern in self._expressions if compiled.search(read.plain)), None)


def _above(host: str) -> list[str]:
    """The host and the names that it lies under."""
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def _regex(pattern: str) -> Any:
    """The expression, compiled by RE2: its time is linear in the text. Raises BadPattern.

    Read without case, with accents. Without the setting, pyre2 would hand what RE2 refuses (references back, looks
    around) to Python's own engine, which can take for ever.
    """
    # 5 ms and native code, which has no annotations: only where there are such rules
    import re2  # type: ignore[import-not-found]  # noqa: PLC0415

    re2.set_fallback_notification(re2.FALLBACK_EXCEPTION)
    try:
        return re2.compile(pattern, re2.IGNORECASE, max_mem=MAX_REGEX_BYTES)
    except (re.error, ValueError) as error:
        raise BadPattern(f"no regular expression of RE2's kind: {error}") from None
