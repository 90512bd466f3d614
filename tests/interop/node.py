"""node-smpp: one session of it, from bind to unbind, as a process that is given a job (esme.js)."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent
MISSING: Final = (
    None
    if shutil.which("node") and (FOLDER / "node_modules" / "smpp").is_dir()
    else "node-smpp is not installed: .ci/setup installs it (npm ci in tests/interop)"
)
SECONDS: Final = 90.0


@dataclass(frozen=True)
class Session:
    """What came of a session. Statuses are numbers; a response without one did not come."""

    bind_status: int | None
    unbind_status: int | None
    responses: list[dict[str, Any]]  # status, id; in the order of the submits
    delivered: list[dict[str, Any]]  # text, esm_class, from, to, and of the TLVs id and state
    most_outstanding: int
    errors: list[str]


def session(
    smpp: dict[str, Any],
    submits: Sequence[dict[str, Any]] = (),
    *,
    bind: str = "transceiver",
    password: str | None = None,
    tls: bool = False,
    deliveries: int = 0,
    window: int = 10,
    interface_version: int = 0x34,
    seconds: float = SECONDS,
) -> Session:
    """Bind with the card's login, submit, wait for so many deliver_sm, unbind.

    A submit has node-smpp's fields; its content is `text` (node-smpp encodes it) or `hex` octets, after `udh` (hex),
    as message_payload where `payload` is true.
    """
    job = {
        "host": smpp["host"],
        "port": smpp["tls_port" if tls else "port"],
        "tls": tls,
        "certificate": smpp["certificate"] if tls else None,
        "system_id": smpp["system_id"],
        "password": smpp["password"] if password is None else password,
        "bind": bind,
        "interface_version": interface_version,
        "submits": list(submits),
        "deliveries": deliveries,
        "window": window,
        "seconds": seconds,
    }
    done = subprocess.run(
        ["node", "esme.js"],  # noqa: S607 - as the machine has it
        cwd=FOLDER,
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=seconds + 10,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Session(**json.loads(done.stdout))
