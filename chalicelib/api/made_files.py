"""Files that are made for customers to download: not there yet, or where."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.endpoints import Reply
from chalicelib.api.instants import instant
from chalicelib.store.job_files import DOWNLOAD_SECONDS
from chalicelib.store.made_files import Made


class FileView(msgspec.Struct, frozen=True, kw_only=True):
    """A CSV file (UTF-8, with a header) to download; while it is made, all but the status is null."""

    status: Annotated[Literal["making", "made"], Meta(description="making: ask again in some seconds.")]
    url: Annotated[str, Meta(description="GET it here, without a key.")] | None = None
    rows: int | None = None
    made_at: Annotated[datetime, Meta(description="What it tells is of then.")] | None = None
    expires_at: (
        Annotated[datetime, Meta(description="Until then the URL is good; asking again gives another.")] | None
    ) = None


def file_view(url: str | None, made: Made | None, now_ms: int) -> FileView | Reply[FileView]:
    """Where the file is; 202 while it is made."""
    if url is None or made is None:
        return Reply(FileView(status="making"), status=202, headers={"Retry-After": "2"})
    return FileView(
        status="made",
        url=url,
        rows=made.rows,
        made_at=instant(made.made_ms),
        expires_at=instant(now_ms + DOWNLOAD_SECONDS * 1000),
    )
