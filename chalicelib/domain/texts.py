"""What of a message's text may be kept: all of it, its hash, or nothing that leads to a person. Pure."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from chalicelib.domain.cdr import length_of, text_hash
from chalicelib.domain.content import Content
from chalicelib.domain.facts import Accepted, AnyFact, Queued, Scheduled

ERASED: Final = "erased"  # stands where a number stood
_WITH_CONTENT: Final = (Accepted, Scheduled, Queued)
# What else says something of a person where a number is found, in records of any kind.
_TELLING: Final = ("text", "data", "octets", "body", "udh", "client_ref", "callback_url", "name")


def hashed(content: Content, key: bytes) -> Content:
    """The content with its text's hash and length in the place of the text; again: the same."""
    if content.text_hash or not (content.text or content.data):
        return content
    return msgspec.structs.replace(
        content, text="", data=b"", text_hash=text_hash(content, key), text_length=length_of(content)
    )


def erased(content: Content) -> Content:
    """The content with nothing left that leads to its recipient: country, encoding, parts and sender stay."""
    return msgspec.structs.replace(
        content,
        to=ERASED,
        text="",
        data=b"",
        udh=b"",
        tlvs=(),
        client_ref=None,
        callback_url="",
        text_hash="",
        text_length=length_of(content),
    )


def with_content(fact: AnyFact, change: Callable[[Content], Content]) -> AnyFact:
    """The fact with its content changed, where it has one."""
    return msgspec.structs.replace(fact, content=change(fact.content)) if isinstance(fact, _WITH_CONTENT) else fact


def without_number(told: Any, number: str) -> Any:
    """JSON data in which each object that has the number says ERASED instead, and no text; what it holds likewise."""
    if isinstance(told, dict):
        inside = {name: without_number(value, number) for name, value in told.items()}
        if number not in told.values():
            return inside
        blank = {name: type(told[name])() for name in _TELLING if isinstance(told.get(name), str)}
        return inside | blank | {name: ERASED for name, value in told.items() if value == number} | _over(told)
    if isinstance(told, list):
        return [without_number(one, number) for one in told]
    return told


def without_texts(told: Any) -> Any:
    """JSON data without the texts and data that it holds; what waits to be sent with one has expired."""
    if isinstance(told, dict):
        inside = {name: without_texts(value) for name, value in told.items()}
        blank = {name: "" for name in ("text", "data", "octets") if isinstance(told.get(name), str)}
        return inside | blank | (_over(told) if blank else {})
    if isinstance(told, list):
        return [without_texts(one) for one in told]
    return told


def _over(told: dict[str, Any]) -> dict[str, int]:
    """What waits to be sent has expired, as its number or its text is gone: it is sent nowhere, and costs nothing."""
    return {"valid_until_ms": 0} if "valid_until_ms" in told else {}
