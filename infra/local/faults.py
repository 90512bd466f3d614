"""What goes wrong between a process and AWS, on purpose: calls fail, records come twice. For `make chaos`.

A process of a local run has it by its environment, and only while the file CHASQUI_FAULTS_WHILE exists.
"""

import io
import os
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Final

import msgspec
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError

WHILE: Final = "CHASQUI_FAULTS_WHILE"
SETTINGS: Final = "CHASQUI_FAULTS"  # a Faults' settings as JSON
TWICE: Final = "twice"  # how the log says that a record came again
FOLDER: Final = "faults"  # of a run's folder: what went wrong, a line a fault, a file a process


class Failing(Enum):
    """How a call fails: before the server does it, or after; for the client to make good, or for its caller."""

    REFUSED = "refused"  # the server is not well: the client asks again
    UNHEARD = "unheard"  # done, but the answer does not arrive: the client asks again
    FAILED = "failed"  # an error that the client does not try to make good
    UNKNOWN = "unknown"  # the same, though it was done


_BEFORE: Final = frozenset({Failing.REFUSED, Failing.FAILED})
_KINDS: Final = tuple(Failing)
_PASSING: Final = ((500, "InternalServerError"), (503, "ServiceUnavailable"), (400, "ThrottlingException"))
_LASTING: Final = (400, "ExpiredTokenException")  # as when a role's credentials are late: no client repeats that


class Settings(msgspec.Struct, frozen=True):
    """Shares from 0 to 1. A repeated record comes `later_seconds` at most after it came first."""

    seed: str
    calls: float = 0.0
    records: float = 0.0
    later_seconds: float = 20.0


class Faults:
    """One process's. Thread-safe."""

    def __init__(self, settings: Settings, flag: Path, log: Path) -> None:
        self._settings = settings
        self._flag = flag
        self._dice = random.Random(settings.seed)
        self._log = log.open("a", buffering=1)
        self._again: defaultdict[str, list[tuple[float, dict[str, Any]]]] = defaultdict(list)
        self._lock = threading.Lock()

    def watch(self, client: Any) -> None:
        """Have the client's calls fail from now on, and its receives repeat themselves."""
        events = client.meta.events
        events.register("before-send", lambda **given: self._send(client, **given))
        events.register("provide-client-params.sqs.ReceiveMessage", _remember_queue)
        events.register("after-call.sqs.ReceiveMessage", self._repeat)

    def _send(self, client: Any, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        """What comes of an attempt, where it is not to go its usual way. Raises ReadTimeoutError."""
        failing = self._choice(request, event_name.removeprefix("before-send."))
        if failing is None:
            return None
        if failing not in _BEFORE:
            client._endpoint.http_session.send(request)
        if failing is Failing.UNHEARD:
            raise ReadTimeoutError(endpoint_url=request.url)
        return _answer(request.url, *(self._dice.choice(_PASSING) if failing is Failing.REFUSED else _LASTING))

    def _choice(self, request: Any, operation: str) -> Failing | None:
        """Of calls, not of attempts: one that is asked again is left alone."""
        if b"attempt=1" not in _octets(request.headers.get("amz-sdk-request", b"attempt=1")) or not self._flag.exists():
            return None
        with self._lock:
            if self._dice.random() >= self._settings.calls:
                return None
            failing = self._dice.choice(_KINDS)
        self._note(failing.value, operation)
        return failing

    def _repeat(self, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        """Some of what is received will be received again; some of what was, is now."""
        if not self._flag.exists():
            return
        queue, now = context[_QUEUE], time.monotonic()
        with self._lock:
            due = [message for at, message in self._again[queue] if at <= now]
            self._again[queue] = [(at, message) for at, message in self._again[queue] if at > now]
            for message in parsed.get("Messages", ()):
                if self._dice.random() < self._settings.records:
                    self._again[queue].append((now + self._dice.uniform(0, self._settings.later_seconds), message))
        for _message in due:
            self._note(TWICE, queue.rpartition("/")[2])
        if due:
            parsed["Messages"] = [*parsed.get("Messages", ()), *due]

    def _note(self, kind: str, what: str) -> None:
        self._log.write(f"{time.time():.3f} {kind} {what}\n")


_QUEUE: Final = "chasqui_queue"


def from_environment(name: str) -> Faults | None:
    """The faults that the environment asks for, if any; `name` is the process's, and has its own dice."""
    told, flag = os.environ.get(SETTINGS), os.environ.get(WHILE)
    if not told or not flag:
        return None
    settings = msgspec.json.decode(told, type=Settings)
    own = msgspec.structs.replace(settings, seed=f"{settings.seed}/{name}")
    return Faults(own, Path(flag), Path(flag).parent / f"{name}-{os.getpid()}.log")


def _remember_queue(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    context[_QUEUE] = params["QueueUrl"]


def _octets(header: str | bytes) -> bytes:
    return header.encode() if isinstance(header, str) else header


def _answer(url: str, status: int, code: str) -> AWSResponse:
    """An error as the services with JSON protocols tell it; of one with XML, S3, the status is enough."""
    body = msgspec.json.encode({"__type": f"com.amazonaws#{code}", "message": "on purpose"})
    headers = HTTPHeaders.from_pairs([("content-type", "application/x-amz-json-1.0")])
    return AWSResponse(url, status, headers, _Raw(body))


class _Raw(io.BytesIO):
    """A response's octets as urllib3 hands them out."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()
