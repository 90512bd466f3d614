"""Files that are made in the jobs' bucket, in parts where they are long; beside each, how far it has got."""

from typing import Any, Final

import msgspec
from botocore.exceptions import ClientError

from chalicelib.settings import settings
from chalicelib.store import aws, job_files

PART_BYTES: Final = 8 * 1024 * 1024  # S3 takes none under 5 MiB but the last, and 10,000 in all
_LOST: Final = frozenset({"NoSuchUpload", "InvalidPart", "InvalidPartOrder"})
_encoder: Final = msgspec.msgpack.Encoder()


class PartsLost(Exception):
    """The parts are not (any more) those that were written: the file is there by now, or is to be made anew."""


class Progress(msgspec.Struct, kw_only=True):
    """How far a file has got: its parts, what is not in one yet, and where its lines go on."""

    upload: str = ""  # S3's name for what is being put together; empty while less than a part is written
    etags: list[str] = []
    rest: bytes = b""
    position: str = ""  # of the last line
    rows: int = 0
    ended: bool = False  # all lines are in parts


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is whole."""

    rows: int
    made_ms: int


_progress: Final = msgspec.msgpack.Decoder(Progress)
_made: Final = msgspec.msgpack.Decoder(Made)


def made(key: str) -> Made | None:
    """The file, or None where it is not whole yet."""
    try:
        return _made.decode(job_files.get(f"{key}.made"))
    except job_files.NoObject:
        return None


def note_made(key: str, told: Made) -> None:
    """The file is whole."""
    job_files.put(f"{key}.made", _encoder.encode(told))


def progress(key: str) -> Progress | None:
    """How far the file had got when that was last noted; None where it was not begun."""
    try:
        return _progress.decode(job_files.get(f"{key}.progress"))
    except job_files.NoObject:
        return None


def keep(key: str, so_far: Progress) -> None:
    """Note how far the file has got."""
    job_files.put(f"{key}.progress", _encoder.encode(so_far))


def begin(key: str) -> str:
    """Have S3 put parts together; its name for that. What is never ended, the bucket's lifecycle removes."""
    return str(_s3().create_multipart_upload(Bucket=settings().jobs_bucket, Key=key)["UploadId"])


def put_part(key: str, upload: str, number: int, body: bytes) -> str:
    """Write part `number`, from 1, over what stood there; its ETag. Raises PartsLost."""
    try:
        told = _s3().upload_part(Bucket=settings().jobs_bucket, Key=key, UploadId=upload, PartNumber=number, Body=body)
    except ClientError as error:
        raise _read(error) from error
    return str(told["ETag"])


def complete(key: str, upload: str, etags: list[str]) -> None:
    """Make the file of its parts. Raises PartsLost."""
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, start=1)]
    try:
        _s3().complete_multipart_upload(
            Bucket=settings().jobs_bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
        )
    except ClientError as error:
        raise _read(error) from error


def _read(error: ClientError) -> Exception:
    code = error.response["Error"]["Code"]
    return PartsLost(code) if code in _LOST else error


def _s3() -> Any:
    return aws.client("s3")
