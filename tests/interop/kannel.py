"""Kannel: bearerbox bound to a platform as its SMSC, with an smsbox through which texts are sent and receipts told."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.ports import free_ports

MISSING: Final = (
    None
    if shutil.which("bearerbox") and shutil.which("smsbox")
    else "Kannel is not installed: .ci/setup installs it (Debian's package kannel)"
)
HOST: Final = "127.0.0.1"
STARTS_SECONDS: Final = 20.0
ALL_RECEIPTS: Final = 31  # dlr-mask: delivered, not delivered, buffered, at the SMSC, refused by it
_SECRET: Final = "kannel"

_CORE: Final = """
group = core
admin-port = {admin}
admin-password = {secret}
smsbox-port = {boxes}
box-allow-ip = 127.0.0.1
dlr-storage = internal
log-file = {folder}/bearerbox.log
log-level = 0

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sending}
log-file = {folder}/smsbox.log
log-level = 1

group = sendsms-user
username = test
password = {secret}
max-messages = 10
concatenation = true
"""
_SMSC: Final = """
group = smsc
smsc = smpp
smsc-id = chasqui
host = {host}
{way}
smsc-username = {system_id}
smsc-password = {password}
system-type = ""
max-pending-submits = {window}
reconnect-delay = 1
enquire-link-interval = 10
"""


@dataclass
class Kannel:
    """Running boxes. `receipts` are what smsbox told: by the name that a text was sent with, statuses in order."""

    admin: int
    sending: int
    folder: Path
    told_at: str
    sessions: int
    receipts: dict[str, list[int]] = field(default_factory=dict)

    def status(self) -> str:
        """What bearerbox says of itself."""
        answer = httpx.get(f"http://{HOST}:{self.admin}/status.txt", params={"password": _SECRET})
        return answer.text

    def online(self) -> bool:
        """Whether its SMSC, which is the platform, has taken its binds."""
        return self.status().count("(online ") == self.sessions

    def log(self) -> str:
        return (self.folder / "bearerbox.log").read_text(errors="replace")

    def send(self, client: httpx.Client, name: str, to: str, text: str, **more: Any) -> None:
        """A text by sendsms, with receipts; `more` are Kannel's own parameters (coding, mclass)."""
        query = {
            "username": "test",
            "password": _SECRET,
            "from": "Chasqui",
            "to": to,
            "text": text,
            "charset": "UTF-8",
            "dlr-mask": ALL_RECEIPTS,
            "dlr-url": f"{self.told_at}/?name={name}&status=%d",
            **more,
        }
        answer = client.get(f"http://{HOST}:{self.sending}/cgi-bin/sendsms", params=query)
        assert answer.status_code == 202, answer.text


@contextmanager
def running(folder: Path, smpp: dict[str, Any], *, two_sessions: bool = False, **more: Any) -> Iterator[Kannel]:
    """Boxes that bind with the card's login: as transceiver, or as transmitter and receiver with `two_sessions`.

    `more` goes over the card's login (`password`), or is `window`.
    """
    login = {**smpp, "window": 50, **more}
    admin, boxes, sending = free_ports(3)
    port = smpp["port"]
    ways = [f"port = {port}", f"receive-port = {port}"] if two_sessions else [f"port = {port}\ntransceiver-mode = true"]
    configuration = folder / "kannel.conf"
    configuration.write_text(
        _CORE.format(admin=admin, boxes=boxes, sending=sending, secret=_SECRET, folder=folder)
        + "".join(_SMSC.format(way=way, **login) for way in ways)
    )
    with _listening() as (server, receipts):
        kannel = Kannel(admin, sending, folder, f"http://{HOST}:{server.server_port}", len(ways), receipts)
        started: list[subprocess.Popen[bytes]] = []
        try:
            for box, port in (("bearerbox", admin), ("smsbox", sending)):
                with (folder / f"{box}.out").open("wb") as output:
                    started.append(subprocess.Popen([box, str(configuration)], stdout=output, stderr=output))
                _until(lambda port=port: _listens(port), f"{box} does not listen")
            yield kannel
        finally:
            for process in reversed(started):
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


@contextmanager
def _listening() -> Iterator[tuple[ThreadingHTTPServer, dict[str, list[int]]]]:
    receipts: dict[str, list[int]] = {}

    class Told(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            receipts.setdefault(query["name"][0], []).append(int(query["status"][0]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: a line for each receipt is no news."""

    class Listener(ThreadingHTTPServer):
        request_queue_size = 512  # smsbox tells of many at once, and of each once: what does not get in is lost

    server = Listener((HOST, 0), Told)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server, receipts
    finally:
        server.shutdown()
        server.server_close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _until(condition: Any, why: str) -> None:
    end = time.monotonic() + STARTS_SECONDS
    while not condition():
        assert time.monotonic() < end, why
        time.sleep(0.05)
