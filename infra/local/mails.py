"""The mails that a local run has sent, as their readers got them.

python -m infra.local.mails            lists them, newest last
python -m infra.local.mails 3          shows the third
python -m infra.local.mails --to ana@example.com --last    shows the newest to an address
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from infra.local.place import place


@dataclass(frozen=True)
class Sent:
    """A mail that the local SES took: its number, from 1, and what it was."""

    number: int
    message: EmailMessage

    @property
    def to(self) -> str:
        return str(self.message["To"].addresses[0].addr_spec)

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        return str(part.get_content()).replace("\r\n", "\n") if part else ""

    @property
    def line(self) -> str:
        return f"{self.number:4}  {self.message['Date']}  {self.to:<32}  {self.subject}"


def folder_of(run_dir: Path) -> Path:
    """Where a run keeps its mails."""
    return run_dir / "mails"


def sent(run_dir: Path) -> Iterator[Sent]:
    """The mails of a run, oldest first."""
    for path in sorted(folder_of(run_dir).glob("*.eml")):
        message = message_from_bytes(path.read_bytes(), policy=policy.SMTP)
        if isinstance(message, EmailMessage):
            yield Sent(int(path.stem), message)


def main() -> int:
    """List or show; 1 where there is no such mail."""
    arguments = argparse.ArgumentParser(prog="python -m infra.local.mails", description=__doc__)
    arguments.add_argument("number", nargs="?", type=int, help="the mail to show")
    arguments.add_argument("--to", help="only mails to this address")
    arguments.add_argument("--last", action="store_true", help="show the newest")
    asked = arguments.parse_args()
    found = [one for one in sent(place().run_dir) if asked.to in (None, one.to)]
    if asked.number is not None:
        found = [one for one in found if one.number == asked.number]
    if not found:
        print("no such mail", file=sys.stderr)
        return 1
    if asked.number is None and not asked.last:
        print("\n".join(one.line for one in found))
        return 0
    newest = found[-1]
    print(f"To: {newest.message['To']}\nSubject: {newest.subject}\n\n{newest.text}", end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
