"""The jobs' bucket: uploads by presigned URL, read in ranges; recipients and bad rows by the chunk; result files."""

import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

import msgspec
from botocore.exceptions import ClientError

from chalicelib.domain.job import BadRecipient, Recipient
from chalicelib.settings import settings
from chalicelib.store import aws

UPLOAD_SECONDS: Final = 3_600  # a URL to upload to is good for so long
DOWNLOAD_SECONDS: Final = 3_600
BLOCK_BYTES: Final = 2 * 1024 * 1024  # a range read of an upload; what is in memory of it at a time
_MISSING: Final = frozenset({"NoSuchKey", "404", "NotFound"})
# How the names of objects begin that a job's recipients are in, with what each is sent: the list of its request; and of
# each time that they were read the groups' contacts, how far that had got, and what came of it.
LIST: Final = "list"
GATHERED: Final = "gathered"
CHECKPOINT: Final = "checkpoint"
CHUNK: Final = "chunk"
_encoder: Final = msgspec.msgpack.Encoder()
_recipients: Final = msgspec.msgpack.Decoder(tuple[Recipient, ...])
_bad: Final = msgspec.msgpack.Decoder(tuple[BadRecipient, ...])


class NoObject(LookupError):
    """There is no such object in the bucket (any more)."""


def upload_key(account: str, upload: str) -> str:
    """Where an upload lies."""
    return f"uploads/{account}/{upload}"


def job_key(account: str, job: str, name: str) -> str:
    """Where an object of a job lies."""
    return f"jobs/{account}/{job}/{name}"


def url_to_upload(account: str, upload: str) -> str:
    """A URL that takes the file by PUT, for UPLOAD_SECONDS."""
    return _presigned("put_object", upload_key(account, upload), UPLOAD_SECONDS)


def url_to_download(key: str, name: str, kind: str = "text/csv") -> str:
    """A URL that gives the object, as a file of that name and media type."""
    as_file = {"ResponseContentDisposition": f'attachment; filename="{name}"', "ResponseContentType": kind}
    return _presigned("get_object", key, DOWNLOAD_SECONDS, **as_file)


def size_of(key: str) -> int | None:
    """The object's size in bytes, or None where there is none."""
    try:
        return int(_s3().head_object(Bucket=settings().jobs_bucket, Key=key)["ContentLength"])
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return None
        raise


def put(key: str, body: bytes) -> None:
    """Write the object, whatever stood there."""
    _s3().put_object(Bucket=settings().jobs_bucket, Key=key, Body=body)


def get(key: str) -> bytes:
    """The whole object. Raises NoObject."""
    try:
        return bytes(_s3().get_object(Bucket=settings().jobs_bucket, Key=key)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            raise NoObject(key) from error
        raise


def blocks(key: str, offset: int, size: int) -> Iterator[bytes]:
    """The object's bytes from `offset` on, BLOCK_BYTES a request. Raises NoObject."""
    for start in range(offset, size, BLOCK_BYTES):
        yield _range(key, start, min(size, start + BLOCK_BYTES))


def sample(key: str, most: int) -> bytes:
    """The object's first bytes. Raises NoObject."""
    return _range(key, 0, most)


def put_recipients(account: str, job: str, chunk: int, recipients: Iterable[Recipient]) -> None:
    """Write a chunk of prepared recipients. Writing it again changes nothing: it has the same name and content."""
    put(_chunk_key(account, job, CHUNK, chunk), zlib.compress(_encoder.encode(tuple(recipients)), 1))
    _recipients_of.cache_clear()


def recipients(account: str, job: str, chunk: int) -> tuple[Recipient, ...]:
    """A chunk's recipients; of the last chunks that this process read it remembers two. Raises NoObject."""
    return _recipients_of(settings().jobs_bucket, _chunk_key(account, job, CHUNK, chunk))


def put_bad(account: str, job: str, chunk: int, bad: Iterable[BadRecipient]) -> None:
    """Write the bad rows that were met while a chunk was filled."""
    put(_chunk_key(account, job, "bad", chunk), zlib.compress(_encoder.encode(tuple(bad)), 1))


def bad(account: str, job: str, chunk: int) -> tuple[BadRecipient, ...]:
    """The bad rows that were met while a chunk was filled. Raises NoObject."""
    return _bad.decode(zlib.decompress(get(_chunk_key(account, job, "bad", chunk))))


def delete_of(account: str, job: str) -> None:
    """Delete all objects of a job."""
    _delete_all(job_key(account, job, ""))


def names_of(account: str, job: str) -> list[str]:
    """The names of a job's objects, those of each time that its recipients were read with their folder's: 'ulid/…'."""
    home = job_key(account, job, "")
    return [key.removeprefix(home) for key in _keys(home)]


def delete(key: str) -> None:
    """Delete the object, there or not."""
    _s3().delete_object(Bucket=settings().jobs_bucket, Key=key)


def delete_recipients(account: str, job: str) -> None:
    """Delete all that a job's recipients are in, as they were handed over and whenever they were read."""
    for name in names_of(account, job):
        if name.rpartition("/")[2].startswith((LIST, GATHERED, CHECKPOINT, CHUNK)):
            delete(job_key(account, job, name))
    _recipients_of.cache_clear()


def delete_results(account: str, job: str) -> None:
    """Delete the files of what became of a job's messages, and that they were asked for."""
    _delete_all(job_key(account, job, "results"))


def _delete_all(prefix: str) -> None:
    for key in _keys(prefix):
        delete(key)


def _keys(prefix: str) -> list[str]:
    """Some hundred at most."""
    pages = _s3().get_paginator("list_objects_v2").paginate(Bucket=settings().jobs_bucket, Prefix=prefix)
    return [item["Key"] for page in pages for item in page.get("Contents", ())]


@lru_cache(2)
def _recipients_of(_bucket: str, key: str) -> tuple[Recipient, ...]:
    return _recipients.decode(zlib.decompress(get(key)))


def _chunk_key(account: str, job: str, kind: str, chunk: int) -> str:
    return job_key(account, job, f"{kind}-{chunk:05}")


def _range(key: str, start: int, end: int) -> bytes:
    try:
        found = _s3().get_object(Bucket=settings().jobs_bucket, Key=key, Range=f"bytes={start}-{end - 1}")
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            raise NoObject(key) from error
        if error.response["Error"]["Code"] in ("InvalidRange", "416"):  # of an empty object
            return b""
        raise
    return bytes(found["Body"].read())


def _presigned(operation: str, key: str, seconds: int, **more: str) -> str:
    parameters = {"Bucket": settings().jobs_bucket, "Key": key, **more}
    return str(_s3().generate_presigned_url(operation, Params=parameters, ExpiresIn=seconds))


def _s3() -> Any:
    return aws.client("s3")
