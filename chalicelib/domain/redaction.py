"""What may be told of a record in a log that nobody can correct: no secrets, no texts, numbers masked."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from chalicelib.domain.numbers import mask

SECRET: Final = "(secret)"  # noqa: S105 - it says that there is one
TEXT: Final = "(text)"
_MAX_VALUE_BYTES: Final = 2_000  # of one field; an entry has some dozen
_MAX_DEPTH: Final = 12

# By what a field is called. The first that matches counts.
_SECRETS: Final = re.compile(r"password|secret|token|totp|sha256|digest|recovery|private_key|credential")
_TEXTS: Final = re.compile(r"^(text|texts|data|body|template|payload|attributes)$|_text$")
# Whatever the field is called: an E.164 number, a key of ours, a webhook's secret.
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}(?![0-9])")
_NUMBERS: Final = re.compile(r"^(to|msisdn|recipient|mobile_number|numbers?)$")
_KEY: Final = re.compile(r"(chq_|whsec_)[A-Za-z0-9_+/=-]{8,}")


def redacted(record: msgspec.Struct | Mapping[str, Any]) -> dict[str, Any]:
    """The record as plain JSON values, without what is nobody's business; a long field is cut."""
    plain: dict[str, Any] = msgspec.to_builtins(record, str_keys=True, enc_hook=str)
    return {name: _short(_field(name, value, 0)) for name, value in plain.items()}


def _field(name: str, value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if _SECRETS.search(name):
        return SECRET
    if _TEXTS.search(name):
        return TEXT
    return _value(name, value, depth)


def _value(name: str, value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        return "…"
    if isinstance(value, dict):
        return {key: _field(str(key), held, depth + 1) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_value(name, held, depth + 1) for held in value]
    if isinstance(value, str):
        return mask(value) if _NUMBERS.search(name) else _string(value)
    return value


def _string(value: str) -> str:
    if value.startswith(("http://", "https://")):
        value = _address(value)
    value = _KEY.sub(SECRET, value)
    return _NUMBER.sub(lambda found: mask(found.group()), value)


def _address(url: str) -> str:
    """A URL without user, password and query: customers put tokens there."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" + ("?…" if parts.query else "")


def _short(value: Any) -> Any:
    size = len(msgspec.json.encode(value))
    return value if size <= _MAX_VALUE_BYTES else f"({size} bytes)"
