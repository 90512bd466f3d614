"""One page of a listing, and where the next begins."""

from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")
Cursor = dict[str, Any]  # plain JSON data; the API signs it before it leaves the house


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some items of a listing; `cursor` is None on the last page."""

    items: tuple[T, ...]
    cursor: Cursor | None = None
