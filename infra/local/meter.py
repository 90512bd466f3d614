"""The meter: AWS calls and capacity units of one process, counted by hooks on its clients, written out as JSON.

Standard library only, so that the emulator's process can report its CPU time too.
"""

import json
import os
import threading
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from math import ceil
from pathlib import Path
from typing import Any, Final

from infra.local import capacity
from infra.local.capacity import Indexes

REPORT_SECONDS: Final = 0.5
SQS_CHUNK_BYTES: Final = 65_536  # SQS bills a request per 64 KB of payload


@dataclass
class Line:
    """One operation, summed. `billed` counts what AWS bills as requests: a big SQS call is several."""

    calls: int = 0
    billed: int = 0
    retries: int = 0
    errors: int = 0
    write_units: float = 0.0
    read_units: float = 0.0


@dataclass
class Work:
    """A Lambda's invocations, summed."""

    invocations: int = 0
    records: int = 0
    errors: int = 0
    milliseconds: float = 0.0


@dataclass
class Meter:
    """Counts of one process. Thread-safe."""

    role: str
    lines: defaultdict[str, Line] = field(default_factory=lambda: defaultdict(Line))
    work: defaultdict[str, Work] = field(default_factory=lambda: defaultdict(Work))
    indexes: Indexes = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, client: Any) -> None:
        """Count every call that a boto3 client makes from now on."""
        service = client.meta.service_model.service_id.hyphenize()
        client.meta.events.register(f"provide-client-params.{service}", _remember)
        client.meta.events.register(f"after-call.{service}", self._count)

    def worked(self, function: str, records: int, seconds: float, failed: bool) -> None:
        """A function was invoked."""
        with self._lock:
            work = self.work[function]
            work.invocations += 1
            work.records += records
            work.errors += failed
            work.milliseconds += seconds * 1000

    def report_into(self, folder: str) -> None:
        """Write the counts into the folder now and then, for as long as the process lives."""
        path = Path(folder) / f"{self.role}-{os.getpid()}.json"
        threading.Thread(target=self._report, args=(path,), name="meter", daemon=True).start()

    def _report(self, path: Path) -> None:
        told: dict[str, Any] = {}
        while True:
            time.sleep(REPORT_SECONDS)
            if (now := self._told()) != told:
                told = now
                draft = path.with_suffix(".part")
                draft.write_text(json.dumps(told))
                draft.replace(path)

    def _told(self) -> dict[str, Any]:
        """The counts. CPU time by the hundredth, so that an idle process has nothing new to tell."""
        with self._lock:
            return {
                "role": self.role,
                "pid": os.getpid(),
                "cpu_seconds": round(time.process_time(), 2),
                "calls": {name: asdict(line) for name, line in self.lines.items()},
                "work": {name: asdict(work) for name, work in self.work.items()},
            }

    def _count(self, *, model: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        sent = context.get("chasqui_sent") or {}
        service, operation = model.service_model.service_name, model.name
        name = f"{service}.{operation}"
        if operation == "ReceiveMessage" and not parsed.get("Messages"):
            name += " (empty)"
        units = capacity.units_of(operation, sent, parsed, self.indexes) if service == "dynamodb" else None
        with self._lock:
            line = self.lines[name]
            line.calls += 1
            line.billed += _chunks(sent, parsed) if service == "sqs" else 1
            line.retries += parsed.get("ResponseMetadata", {}).get("RetryAttempts", 0)
            line.errors += "Error" in parsed
            if units is not None:
                line.write_units += units.write
                line.read_units += units.read


def _remember(*, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    context["chasqui_sent"] = params


def _chunks(sent: dict[str, Any], parsed: dict[str, Any]) -> int:
    bodies = [sent.get("MessageBody", "")]
    bodies += [entry.get("MessageBody", "") for entry in sent.get("Entries", ())]
    bodies += [message.get("Body", "") for message in parsed.get("Messages", ())]
    return max(1, ceil(sum(len(body.encode()) for body in bodies) / SQS_CHUNK_BYTES))
