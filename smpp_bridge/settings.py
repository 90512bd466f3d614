"""The bridge's own settings: read from the environment once, when it starts. The platform's are chalicelib's."""

import os
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from smpp_bridge.customers.terms import CustomerTerms

S = TypeVar("S", bound=msgspec.Struct)


class BridgeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`host` and `port` are those of health and metrics; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 8080
    poll_seconds: float = 1.0  # how often it is looked whether the rules have changed; they are read less often
    receive_seconds: int = 5  # a receive's long poll; the AWS client gives up after ten
    lease_seconds: float = 8.0  # the same for all bridges of a stage: see gateways.leases.Terms
    linger_seconds: float = 0.005  # that outcomes wait for others to go with: more makes fewer calls, and all later
    settled_seconds: float = 30.0  # from an outcome's send until the log has it, on a bad day


def from_environment(environment: Mapping[str, str] = os.environ) -> BridgeSettings:
    """CHASQUI_BRIDGE_HOST, _PORT, _POLL_SECONDS, … after the fields' names. Raises msgspec.ValidationError."""
    return _read(BridgeSettings, "CHASQUI_BRIDGE", environment)


def customer_terms(environment: Mapping[str, str] = os.environ) -> CustomerTerms:
    """CHASQUI_SMPP_HOSTS, _PORT, _TLS_PORT, _CERTIFICATE, … after the fields' names. Raises msgspec.ValidationError."""
    return _read(CustomerTerms, "CHASQUI_SMPP", environment)


def _read(kind: type[S], prefix: str, environment: Mapping[str, str]) -> S:
    given = {name: environment.get(f"{prefix}_{name.upper()}") for name in kind.__struct_fields__}
    return msgspec.convert({name: value for name, value in given.items() if value is not None}, kind, strict=False)
