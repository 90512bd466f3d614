"""Erase a number's personal data everywhere, as the API's operation does it, and tell what was done.

AWS_PROFILE=… CHASQUI_PREFIX=chasqui-prod python -m infra.erase +34600000001

Broken off, it goes on where it was when it is called again. What is still on its way is let end first: the nightly
function looks again until it has, and once more when nothing can bring the number back (docs/archive.md).
"""

import argparse
import getpass
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from chalicelib.services import forget_number
from chalicelib.services.faults import Fault
from chalicelib.services.record_change import recording_command
from chalicelib.store.erasures import Erasure
from chalicelib.wire import EVERYBODY, ArchiveWork

_COLUMNS: Final = 24


def main(arguments: Sequence[str] | None = None) -> int:
    """0 where everything was gone through, 1 where somebody else goes on with it, 2 where it was refused."""
    given = _parsed(arguments)
    try:
        erasure = run(given.number, given.account, given.by, _progress)
    except Fault as fault:
        sys.stderr.write(f"{fault.detail}\n")
        return 2
    if given.json:
        told = {name: getattr(erasure, name) for name in Erasure.__struct_fields__ if name != "number"}
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _table(erasure))
    return 1 if erasure.state == "running" else 0


def run(number: str, account: str | None, by: str, show: Callable[[Erasure], None]) -> Erasure:
    """Begin the erasure, or go on with it, to the end of its look. Raises Fault."""
    with recording_command("erase", by.removeprefix("command:"), _now_ms(), account):
        erasure = forget_number.begin(number, account, by, _now_ms(), here=True)
    work: ArchiveWork | None = ArchiveWork(id=erasure.id, account=EVERYBODY, what="erase")
    while work is not None:
        work = forget_number.go_on(work, _now_ms())
        show(forget_number.read(erasure.id))
    return forget_number.read(erasure.id)


def _progress(erasure: Erasure) -> None:
    """One line, written over, on a terminal; nothing elsewhere."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{erasure.place:<16}{erasure.cursor[:60]:<62}\r")
        sys.stderr.flush()


def _table(erasure: Erasure) -> Iterator[str]:
    """For people."""
    whose = erasure.account or "all accounts"
    yield f"{erasure.id}: {erasure.masked}, of {whose}"
    for name, count in sorted(erasure.did.items()):
        yield f"  {name:<{_COLUMNS}}{count:>9}"
    yield f"  {'on their way':<{_COLUMNS}}{erasure.on_their_way:>9}"
    if erasure.next_ms is not None and erasure.state == "waiting":
        next_at = datetime.fromtimestamp(erasure.next_ms / 1000, UTC)
        yield f"it is looked again at {next_at:%Y-%m-%d %H:%M} UTC"
    else:
        yield erasure.state


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="erase", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("number", help="with + and the country code")
    parser.add_argument("--account", help="only what this account has of it, by default everything")
    parser.add_argument("--by", default=f"command:{getpass.getuser()}", help="who asks for it, as it is noted")
    parser.add_argument("--json", action="store_true", help="what was done, for programs")
    return parser.parse_args(arguments)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
