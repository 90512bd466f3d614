"""SES on one machine: takes what the mails' function sends, keeps it to be read, and tells what became of it.

POST /v2/email/outbound-emails     SendEmail with a raw message (docs.aws.amazon.com/ses/latest/APIReference-V2)
GET  /                             the mails, as plain text
GET  /<number>                     one of them

As SES's mailbox simulator does, bounce@simulator.amazonses.com bounces and complaint@… complains; any other mail is
delivered. What it tells goes to ⟨mail-events⟩ as SNS would hand it on.
"""

import base64
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from infra.local import mails
from infra.local.place import HOST

MAX_BODY: Final = 1_000_000
SEND: Final = "/v2/email/outbound-emails"
_SIMULATOR: Final = "@simulator.amazonses.com"


class Post:
    """The mails that were taken, a file each: they hold links that let in, so only their owner reads them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        for old in folder.glob("*.eml"):
            old.unlink()

    def keep(self, raw: bytes) -> None:
        with self._lock:
            number = len(list(self._folder.glob("*.eml"))) + 1
            draft = self._folder / f"{number:06}.part"
            draft.write_bytes(raw)
            draft.rename(draft.with_suffix(".eml"))

    def listing(self) -> str:
        return "".join(f"{one.line}\n" for one in mails.sent(self._folder.parent)) or "no mail yet\n"

    def one(self, number: int) -> str | None:
        found = [one for one in mails.sent(self._folder.parent) if one.number == number]
        return f"To: {found[0].message['To']}\nSubject: {found[0].subject}\n\n{found[0].text}" if found else None


@contextmanager
def listening(run_dir: Path, port: int = 0) -> Iterator[int]:
    """A stand-in that listens on the loopback address; its port."""
    server = ThreadingHTTPServer((HOST, port), _handler(Post(mails.folder_of(run_dir))))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def serve(run_dir: Path, port: int, stopping: threading.Event) -> None:
    """Listen until told to stop."""
    with listening(run_dir, port):
        while not stopping.wait(3600):
            pass


def events_of(message_id: str, address: str, tags: dict[str, list[str]]) -> list[str]:
    """What SES tells of a mail to that address, as SNS wraps it."""
    mail = {"messageId": message_id, "destination": [address], "tags": tags}
    recipient = {"emailAddress": address}
    ends: dict[str, dict[str, Any]] = {
        f"bounce{_SIMULATOR}": {
            "eventType": "Bounce",
            "bounce": {
                "bounceType": "Permanent",
                "bounceSubType": "General",
                "bouncedRecipients": [
                    {**recipient, "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 no such user"}
                ],
            },
        },
        f"complaint{_SIMULATOR}": {
            "eventType": "Complaint",
            "complaint": {"complainedRecipients": [recipient], "complaintFeedbackType": "abuse"},
        },
    }
    end = ends.get(address, {"eventType": "Delivery", "delivery": {"recipients": [address]}})
    told: list[dict[str, Any]] = [{"eventType": "Send", "mail": mail, "send": {}}, {**end, "mail": mail}]
    return [json.dumps({"Type": "Notification", "Message": json.dumps(one)}) for one in told]


def _handler(post: Post) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(min(int(self.headers.get("Content-Length", 0)), MAX_BODY)))
            if self.path != SEND:
                self._answer(404, b"{}", "application/json")
                return
            raw = base64.b64decode(given["Content"]["Raw"]["Data"])
            message_id = uuid.uuid4().hex
            post.keep(raw)
            self._answer(200, json.dumps({"MessageId": message_id}).encode(), "application/json")
            _tell(message_id, raw, {tag["Name"]: [tag["Value"]] for tag in given.get("EmailTags", ())})

        def do_GET(self) -> None:
            asked = self.path.strip("/")
            shown = post.one(int(asked)) if asked.isdigit() else post.listing() if not asked else None
            self._answer(200 if shown else 404, (shown or "no such mail\n").encode(), "text/plain; charset=utf-8")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: what came can be asked for."""

    return Handler


def _tell(message_id: str, raw: bytes, tags: dict[str, list[str]]) -> None:
    """A stage that has no such queue hears nothing of its mails."""
    from chalicelib.store import aws, queues  # noqa: PLC0415 - half of what a local run's start takes here; few send mails

    address = message_from_bytes(raw, policy=policy.SMTP)["To"].addresses[0].addr_spec
    sqs = aws.client("sqs")
    with suppress(sqs.exceptions.QueueDoesNotExist):
        for body in events_of(message_id, address, tags):
            sqs.send_message(QueueUrl=queues.url(queues.MAIL_EVENTS), MessageBody=body)
