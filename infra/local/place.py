"""Where a local run lives: its ports, folders and sizes, and the environment that its processes see.

Standard library only: the emulator's own virtual environment imports it too.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
BACKENDS: Final = ("moto", "ministack")
PREFIX: Final = "chasqui-local"
REGION: Final = "us-east-1"
HOST: Final = "127.0.0.1"  # nothing of a local run is reachable from outside
# Variable → default. Every port of the run; the error for a taken one names its variable.
PORTS: Final = {
    "CHASQUI_API_PORT": 8080,
    "CHASQUI_AWS_PORT": 5566,
    "CHASQUI_SMSC_PORT": 2775,
    "CHASQUI_SMSC_ADMIN_PORT": 2780,
    "CHASQUI_BRIDGE_PORT": 2781,
    "CHASQUI_ECHO_PORT": 2782,
    "CHASQUI_SMPP_PORT": 2776,
    "CHASQUI_SMPP_TLS_PORT": 2777,
    "CHASQUI_MAILS_PORT": 2783,
}
LIFELINE: Final = "CHASQUI_LIFELINE_FD"
METER_DIR: Final = "CHASQUI_METER_DIR"
SMSC_JOURNAL: Final = "CHASQUI_SMSC_JOURNAL"  # a file in which the simulator notes each submit that it takes


class BadPlace(ValueError):
    """The environment asks for something that a local run cannot be."""


@dataclass(frozen=True)
class Place:
    """One local run. Paths are absolute; every port is on the loopback address."""

    backend: str
    run_dir: Path
    api_port: int
    aws_port: int
    smsc_port: int
    smsc_admin_port: int
    bridge_port: int
    echo_port: int
    smpp_port: int
    smpp_tls_port: int
    mails_port: int
    api_workers: int
    pump_workers: int
    run_once: bool
    quiet: bool

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.api_port}"

    @property
    def endpoint_url(self) -> str:
        return f"http://{HOST}:{self.aws_port}"

    @property
    def smsc_admin_url(self) -> str:
        return f"http://{HOST}:{self.smsc_admin_port}"

    @property
    def bridge_url(self) -> str:
        return f"http://{HOST}:{self.bridge_port}"

    @property
    def webhook_echo_url(self) -> str:
        """A customer's server that takes webhooks, and shows what came."""
        return f"http://{HOST}:{self.echo_port}/"

    @property
    def mails_url(self) -> str:
        """What stands for SES, and shows the mails that it took."""
        return f"http://{HOST}:{self.mails_port}/"

    @property
    def smpp_certificate(self) -> Path:
        """What a customer's SMPP client trusts."""
        return self.run_dir / "smpp-certificate.pem"

    @property
    def smpp_key(self) -> Path:
        return self.run_dir / "smpp-key.pem"

    @property
    def ready_dir(self) -> Path:
        return self.run_dir / "ready"

    @property
    def card(self) -> Path:
        """What programs read of a healthy run."""
        return self.run_dir / "local.json"


def place() -> Place:
    """The place that the environment describes. Raises BadPlace."""
    backend = os.environ.get("BACKEND", "") or "moto"
    if backend not in BACKENDS:
        raise BadPlace(f"BACKEND={backend}: it is one of {', '.join(BACKENDS)}")
    ports = {variable: _number(variable, default) for variable, default in PORTS.items()}
    return Place(
        backend=backend,
        run_dir=Path(os.environ.get("CHASQUI_RUN_DIR") or ROOT / ".run").resolve(),
        api_port=ports["CHASQUI_API_PORT"],
        aws_port=ports["CHASQUI_AWS_PORT"],
        smsc_port=ports["CHASQUI_SMSC_PORT"],
        smsc_admin_port=ports["CHASQUI_SMSC_ADMIN_PORT"],
        bridge_port=ports["CHASQUI_BRIDGE_PORT"],
        echo_port=ports["CHASQUI_ECHO_PORT"],
        smpp_port=ports["CHASQUI_SMPP_PORT"],
        smpp_tls_port=ports["CHASQUI_SMPP_TLS_PORT"],
        mails_port=ports["CHASQUI_MAILS_PORT"],
        api_workers=_number("CHASQUI_API_WORKERS", 2),
        pump_workers=_number("CHASQUI_PUMP_WORKERS", 2),
        run_once=os.environ.get("CHASQUI_RUN_ONCE", "") == "1",
        quiet=os.environ.get("CHASQUI_RUN_QUIET", "") == "1",
    )


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not text.isdigit() or not 0 < int(text) < 65_536:
        raise BadPlace(f"{variable}={text}: a number from 1 to 65535 is wanted")
    return int(text)


def environment(where: Place, cursor_secret: str) -> dict[str, str]:
    """What every process of the run sees: the emulator, never a real account that the shell may be signed in to."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ports = {
        "CHASQUI_API_PORT": where.api_port,
        "CHASQUI_AWS_PORT": where.aws_port,
        "CHASQUI_SMSC_PORT": where.smsc_port,
        "CHASQUI_SMSC_ADMIN_PORT": where.smsc_admin_port,
        "CHASQUI_BRIDGE_PORT": where.bridge_port,
        "CHASQUI_ECHO_PORT": where.echo_port,
        "CHASQUI_SMPP_PORT": where.smpp_port,
        "CHASQUI_SMPP_TLS_PORT": where.smpp_tls_port,
        "CHASQUI_MAILS_PORT": where.mails_port,
    }
    return {
        **kept,
        **{variable: str(port) for variable, port in ports.items()},
        "BACKEND": where.backend,
        "CHASQUI_RUN_DIR": str(where.run_dir),
        METER_DIR: str(where.run_dir / "meter"),
        "CHASQUI_PREFIX": PREFIX,
        "CHASQUI_CURSOR_SECRET": cursor_secret,
        "CHASQUI_RULES_POLL_SECONDS": "1",
        "CHASQUI_WEBHOOKS_LOCAL": "1",  # the echo endpoint is on this machine, and speaks plain HTTP
        "CHASQUI_SECOND_FACTOR": "0",  # an administrator may confirm an authenticator here, but need not
        "CHASQUI_ACCOUNT_CACHE_SECONDS": "1",  # what an administrator changes is felt at once; so a first login binds
        "CHASQUI_SMPP_CERTIFICATE": str(where.smpp_certificate),
        "CHASQUI_SMPP_KEY": str(where.smpp_key),
        "CHASQUI_BRIDGE_RECEIVE_SECONDS": "2",  # for so long at most it goes on receiving when told to stop
        "AWS_ENDPOINT_URL": where.endpoint_url,
        "AWS_ENDPOINT_URL_SESV2": where.mails_url.rstrip("/"),  # emulators keep mails where nobody can read them
        "CHASQUI_MAIL_FROM": "Chasqui <no-reply@chasqui.example>",
        "CHASQUI_PUBLIC_URL": where.base_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
    }
