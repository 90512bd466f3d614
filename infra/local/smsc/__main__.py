"""`python -m infra.local.smsc`: runs the simulator until SIGINT or SIGTERM."""

import argparse
import asyncio
import signal
from typing import Any, Final

from infra.local.smsc.config import Config
from infra.local.smsc.outcomes import table
from infra.local.smsc.server import Smsc

_DEFAULTS: Final = Config()


def _switch(word: str) -> bool:
    if word not in {"on", "off"}:
        raise argparse.ArgumentTypeError("on or off")
    return word == "on"


def _optional_seconds(word: str) -> float | None:
    return None if word == "off" else float(word)


# option: how its word is read. An option is its Config field with dashes.
_OPTIONS: Final[dict[str, Any]] = {
    "host": str,
    "port": int,
    "admin_port": int,
    "system_id": str,
    "password": str,
    "certificate": str,
    "key": str,
    "window": int,
    "rate_per_second": float,
    "response_delay_ms": float,
    "receipts": _switch,
    "receipt_delay_seconds": float,
    "receipt_retry_seconds": float,
    "receipt_window": int,
    "response_timeout_seconds": float,
    "enquire_link_seconds": _optional_seconds,
    "session_init_seconds": _optional_seconds,
    "record": _switch,
    "journal": str,
}


def parse(arguments: list[str] | None = None) -> Config | None:
    """The settings of a command line; None if only the table of outcomes is wanted."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.smsc", description="SMSC simulator")
    parser.add_argument("--outcomes", action="store_true", help="print what each destination does, and leave")
    for field, read in _OPTIONS.items():
        default = getattr(_DEFAULTS, field)
        parser.add_argument(f"--{field.replace('_', '-')}", type=read, default=default, help=f"default: {default}")
    given = vars(parser.parse_args(arguments))
    if given.pop("outcomes"):
        return None
    return Config(**given)


async def run(config: Config) -> None:
    """Serve until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with Smsc(config) as smsc:
        print(f"SMSC simulator: smpp {config.host}:{smsc.port}, admin http://127.0.0.1:{smsc.admin_port}", flush=True)
        await stop.wait()


def main() -> None:
    config = parse()
    if config is None:
        for suffix, description in table():
            print(f"| …{suffix} | {description} |" if suffix.isdigit() else f"| any {suffix} | {description} |")
        return
    asyncio.run(run(config))


if __name__ == "__main__":
    main()
