"""Parts of a message that its sender cut, and the message that they make: pure, so that whoever has them all agrees."""

from collections.abc import Sequence
from itertools import groupby

import msgspec

from chalicelib.domain.concatenation import parts_taken
from chalicelib.domain.content import Content
from chalicelib.domain.data_coding import CODINGS, BadOctets
from chalicelib.domain.text import BadText, Encoding, encoding_of, segment


class HeldPart(msgspec.Struct, frozen=True):
    """A part that was answered with an id: its octets, and what it is sent as if the others do not come."""

    content: Content
    octets: bytes  # without a header
    data_coding: int
    session: str  # that brought it
    scheduled_ms: int | None = None


def join(parts: Sequence[HeldPart], ids: Sequence[str]) -> Content | None:
    """The message that the parts are, in their order; None where they make none. `ids` are theirs.

    Octets are joined before they are read, since a sender may cut anywhere: within an escape, a surrogate pair, or a
    UTF-16 unit. All but text, data and receipts is the first part's. Receipts go to those parts that asked for one.
    """
    codings = [CODINGS[part.data_coding] for part in parts]
    first = parts[0].content
    try:
        if not any(coding.read for coding in codings):
            data = b"".join(part.octets for part in parts)
            body = msgspec.structs.replace(
                first, data=data, text="", encoding=Encoding.BINARY, parts=_count(data, Encoding.BINARY, first.udh)
            )
        elif all(coding.read for coding in codings):
            text = _text(parts)
            encoding = encoding_of(text)
            body = msgspec.structs.replace(
                first, data=b"", text=text, encoding=encoding, parts=_count(text, encoding, first.udh)
            )
        else:
            return None
    except (BadOctets, BadText):
        return None
    if not body.text and not body.data:
        return None
    asking = [place for place, part in enumerate(parts) if part.content.registered]
    return msgspec.structs.replace(
        body,
        segment=None,
        registered=parts[asking[0]].content.registered if asking else 0,
        segment_ids=tuple(ids[place] for place in asking),
    )


def _text(parts: Sequence[HeldPart]) -> str:
    """Neighbours of one data_coding are read together."""
    text = ""
    for data_coding, run in groupby(parts, key=lambda part: part.data_coding):
        read = CODINGS[data_coding].read
        text += read(b"".join(part.octets for part in run)) if read else ""
    return text


def _count(body: str | bytes, encoding: Encoding, udh: bytes) -> int:
    if udh or isinstance(body, bytes):
        return parts_taken(body, encoding, udh)
    return len(segment(body, encoding).parts)
