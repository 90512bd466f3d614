"""What idle customers cost: bound sessions of a server that is a process of its own."""

import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from smpp_bridge.protocol.codec import encode
from smpp_bridge.protocol.pdu import BindTransceiver
from tests.smpp_bridge.customers.test_bounds import make_certificate, trusting

BIND = encode(BindTransceiver(sequence=1, system_id="demo", password="letmein"))


@pytest.mark.parametrize(("secured", "count", "most_mib"), [(False, 500, 50), (True, 150, 15)], ids=["plain", "TLS"])
def test_bound_idle_sessions_cost_under_a_tenth_of_a_mib_each(
    secured: bool, count: int, most_mib: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    command = [sys.executable, "-m", "tests.smpp_bridge.customers.idle"]
    if secured:
        make_certificate(tmp_path)
        command += [str(tmp_path / "certificate.pem"), str(tmp_path / "key.pem")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    sockets: list[socket.socket] = []
    try:
        port = int(process.stdout.readline())
        sockets += [bound(port, secured) for _ in range(20)]  # what the first ones cost, is not theirs
        before, _ = told(process.stdin, process.stdout)
        sockets += [bound(port, secured) for _ in range(count)]
        after, sessions = told(process.stdin, process.stdout)
        assert sessions == count + 20
        mib = (after - before) / 1024
        kind = "TLS" if secured else "plain"
        record_property("figure", f"{count} bound idle SMPP customers, {kind}: {mib:.1f} MiB")
        assert mib < most_mib
    finally:
        for each in sockets:
            each.close()
        process.kill()
        process.wait()


def bound(port: int, secured: bool) -> socket.socket:
    peer = socket.create_connection(("127.0.0.1", port), timeout=10)
    if secured:
        peer = TRUSTING.wrap_socket(peer)
    peer.sendall(BIND)
    answer = peer.recv(100)
    assert answer[4:12] == b"\x80\0\0\x09\0\0\0\0"
    return peer


def told(asking: IO[str], answering: IO[str]) -> tuple[int, int]:
    """Resident set in KiB, bound sessions."""
    asking.write("?\n")
    asking.flush()
    kib, sessions = answering.readline().split()
    return int(kib), int(sessions)


TRUSTING: ssl.SSLContext = trusting()
