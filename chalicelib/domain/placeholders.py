"""Texts with placeholders: `{first_name}`, or `{first_name|friend}` where it may be missing; `{{` is a brace."""

import re
from collections.abc import Mapping
from typing import Final

from chalicelib.domain.recipients_file import column_name

MAX_NAME: Final = 64
_PIECE: Final = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}|]*)(?:\|(?P<otherwise>[^{}]*))?\}|[{}]")
_BRACES: Final = {"{{": "{", "}}": "}"}


class BadTemplate(ValueError):
    """The text's braces make no placeholders."""

    code: Final = "invalid_placeholder"


class MissingValue(LookupError):
    """The recipient has no value for a placeholder that needs one."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no value for {{{name}}}")
        self.name: Final = name


class Template:
    """A text read once, to be written for many. Raises BadTemplate."""

    def __init__(self, text: str) -> None:
        self._pieces: list[str | tuple[str, str | None]] = []  # text, or a placeholder with what stands for nothing
        end = 0
        for found in _PIECE.finditer(text):
            self._pieces.append(text[end : found.start()])
            end = found.end()
            if found[0] in _BRACES:
                self._pieces.append(_BRACES[found[0]])
                continue
            name = column_name(found["name"] or "")
            if not name or len(name) > MAX_NAME:
                told = f"{found[0][:MAX_NAME]} at {found.start()} is no placeholder; a brace itself is written twice"
                raise BadTemplate(told)
            self._pieces.append((name, found["otherwise"]))
        self._pieces.append(text[end:])
        self.names: Final = frozenset(piece[0] for piece in self._pieces if isinstance(piece, tuple))

    def text_for(self, values: Mapping[str, str]) -> str:
        """The text with the recipient's values. Raises MissingValue."""
        if not self.names:
            return "".join(map(str, self._pieces))
        return "".join(piece if isinstance(piece, str) else _value(values, *piece) for piece in self._pieces)


def _value(values: Mapping[str, str], name: str, otherwise: str | None) -> str:
    value = values.get(name) or otherwise
    if value is None:
        raise MissingValue(name)
    return value
