"""`python -m tests.smpp_bridge.customers.idle [certificate key]`: a server by itself, that tells its memory when asked.

Prints the port; for each line on standard input, the resident set in KiB and the bound sessions.
"""

import asyncio
import gc
import sys
from pathlib import Path

from smpp_bridge.customers.server import CustomerServer
from smpp_bridge.customers.terms import CustomerTerms
from tests.smpp_bridge.customers.world import Application, Memory, login, verify


def resident_kib() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


async def main(*files: str) -> None:
    terms = CustomerTerms(hosts="127.0.0.1", max_per_address=1_000, max_unbound_per_address=1_000)
    if files:
        terms = CustomerTerms(
            hosts="127.0.0.1",
            max_per_address=1_000,
            max_unbound_per_address=1_000,
            certificate=files[0],
            key=files[1],
        )
    server = CustomerServer(Memory(login(max_sessions=1_000)), Application(), terms=terms, verify=verify)
    await (server.start(tls_port=0) if files else server.start(port=0))
    print(server.listeners.tls_port if files else server.listeners.port, flush=True)  # noqa: T201 -- what it is for
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        gc.collect()
        print(resident_kib(), sum(server.sessions.values()), flush=True)  # noqa: T201 -- what it is for


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
