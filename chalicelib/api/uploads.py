"""Uploads: a place to put a file of recipients, for a job."""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.endpoints import CustomerCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.domain import ids
from chalicelib.domain.job import MAX_FILE_BYTES
from chalicelib.store import job_files

endpoints: Final = Endpoints(__name__, tag="Jobs", role="customer")


class NewUpload(msgspec.Struct, frozen=True, kw_only=True):
    """Where to put a file of recipients."""

    id: str
    url: Annotated[str, Meta(description="PUT the file here, as it is.")]
    method: Literal["PUT"] = "PUT"
    expires_at: datetime
    max_bytes: int


@endpoints.post("/v1/uploads", status=201, changes=False)  # a URL: nothing is there yet
def create_upload(call: CustomerCall) -> NewUpload:
    """Get a URL to upload a file of recipients to: CSV or text, up to a million rows.

    PUT the file there, then name the upload in `POST /v1/jobs`. Files are kept for a week.
    """
    upload = ids.new_id("upl", call.now_ms)
    return NewUpload(
        id=upload,
        url=job_files.url_to_upload(call.caller.account.id, upload),
        expires_at=instant(call.now_ms + job_files.UPLOAD_SECONDS * 1000),
        max_bytes=MAX_FILE_BYTES,
    )
