"""What a healthy run tells programs: .run/local.json, there for as long as the run is up."""

import json
from dataclasses import asdict, dataclass

from infra.local.place import HOST, Place


@dataclass(frozen=True)
class Login:
    """The demo account's SMPP login."""

    system_id: str
    password: str


@dataclass(frozen=True)
class Person:
    """Somebody who logs in."""

    email: str
    password: str


@dataclass(frozen=True)
class Keys:
    """The API keys of the demo account and of the administrator, the account's SMPP login, and who logs in."""

    account: str
    api_key: str
    test_key: str
    admin_key: str
    smpp: Login = Login("", "")  # chaos has customers of its own
    owner: Person = Person("", "")  # of the demo account
    administrator: Person = Person("", "")


def write(where: Place, keys: Keys) -> None:
    """Write the card, whole or not at all."""
    told = {
        "base_url": where.base_url,
        **asdict(keys),
        "backend": where.backend,
        "endpoint_url": where.endpoint_url,
        "smsc": {"host": HOST, "port": where.smsc_port, "admin_url": where.smsc_admin_url},
        "bridge_url": where.bridge_url,
        "webhook_echo_url": where.webhook_echo_url,
        "mails_url": where.mails_url,
        "smpp": {
            "host": HOST,
            "port": where.smpp_port,
            "tls_port": where.smpp_tls_port,
            **asdict(keys.smpp),
            "certificate": str(where.smpp_certificate),
        },
    }
    draft = where.card.with_suffix(".part")
    draft.write_text(json.dumps(told, indent=2) + "\n")
    draft.chmod(0o600)  # it holds keys, if only this machine's
    draft.replace(where.card)
