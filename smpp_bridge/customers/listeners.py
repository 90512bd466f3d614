"""The ports that customers connect to: plain and TLS, on IPv4 and IPv6, with a certificate that may be renewed."""

import asyncio
import logging
import os
import resource
import ssl
from asyncio import sslproto
from collections.abc import Callable
from typing import Final

from smpp_bridge.customers.line import Line
from smpp_bridge.customers.terms import CustomerTerms

_BACKLOG: Final = 512  # a bridge that starts is met by all its customers at once
_SPARE_FILES: Final = 512  # beside the customers' connections: gateways, AWS
# asyncio keeps a read buffer of so many octets for each TLS connection, 256 KiB if it is not told: more than all else
# that an idle session costs. A TLS record has 16 KiB and a little.
_TLS_BUFFER: Final = 32_768
_log: Final = logging.getLogger(__name__)

MakeLine = Callable[[ssl.SSLContext | None], Line]


class Listeners:
    """`ports` are those listened on, by kind: they are others than the terms' where a test asks for any free one."""

    def __init__(self, terms: CustomerTerms, make: MakeLine) -> None:
        self._terms = terms
        self._make = make
        self._servers: list[asyncio.Server] = []
        self._tls: ssl.SSLContext | None = None
        self._certificate_read: tuple[float, float] | None = None
        self.port = 0
        self.tls_port = 0

    async def start(self, port: int | None, tls_port: int | None) -> None:
        """Listen; None: not on that kind, 0: on any free port. Raises OSError where no host can be listened on,
        ssl.SSLError or OSError where the certificate cannot be read."""
        raise_file_limit(self._terms.max_connections + _SPARE_FILES)
        if port is not None:
            self.port = await self._listen(port, None)
        if tls_port is not None:
            sslproto.SSLProtocol.max_size = _TLS_BUFFER
            self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
            self.renew_certificate()
            self.tls_port = await self._listen(tls_port, self._tls)

    def stop(self) -> None:
        """Listen no more; connections stay."""
        for server in self._servers:
            server.close()

    def renew_certificate(self) -> None:
        """Read the files anew if they have changed: for the handshakes from now on. Raises as `start` does."""
        if self._tls is None:
            return
        terms = self._terms
        changed = (os.stat(terms.certificate).st_mtime, os.stat(terms.key).st_mtime)
        if changed != self._certificate_read:
            self._tls.load_cert_chain(terms.certificate, terms.key)
            self._certificate_read = changed

    async def _listen(self, port: int, tls: ssl.SSLContext | None) -> int:
        loop = asyncio.get_running_loop()
        listening, failed = False, ""
        for host in self._terms.hosts.split(","):
            try:
                server = await loop.create_server(lambda: self._make(tls), host.strip(), port, backlog=_BACKLOG)
            except OSError as error:  # a machine without IPv6 is no reason not to start
                failed = str(error)
                _log.warning("cannot listen", extra={"host": host, "port": port, "error": failed})
                continue
            self._servers.append(server)
            port, listening = server.sockets[0].getsockname()[1], True
        if not listening:
            raise OSError(f"cannot listen on any of {self._terms.hosts} port {port}: {failed}")
        return port


def raise_file_limit(files: int) -> None:
    """Let this process open so many files, as far as the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = files if hard == resource.RLIM_INFINITY else min(files, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < files:
        _log.warning("the limit of open files is below the customers' connections", extra={"files": hard})
