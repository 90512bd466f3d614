"""IP rules: the networks (CIDR, v4 and v6) that an account, a key, a login or an administrator may come from."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

MAX_RULES: Final = 100  # of one account, key or login: each request is held against all of them
MAX_RULE_LENGTH: Final = 49  # a v6 network: 39 characters in full, 45 with an IPv4 tail, and its mask
_CACHED: Final = 1_024  # lists of rules that a process holds parsed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadIpRule(ValueError):
    """The text is no network."""

    code: Final = "invalid_ip_rule"


def parse_rule(text: str) -> Network:
    """The network that a rule means: '203.0.113.0/24', '2001:db8::/32', or an address alone. Raises BadIpRule.

    Bits beyond the mask are refused rather than dropped: who writes 10.1.2.3/8 may not mean all of 10.0.0.0/8.
    """
    if len(text) > MAX_RULE_LENGTH or not text.isascii() or "%" in text:
        raise BadIpRule("a rule is an IPv4 or IPv6 network, as 203.0.113.0/24 or 2001:db8::/32")
    try:
        meant = ipaddress.ip_interface(text)
    except ValueError:
        raise BadIpRule("a rule is an IPv4 or IPv6 network, as 203.0.113.0/24 or 2001:db8::/32") from None
    if meant.ip != meant.network.network_address:
        raise BadIpRule(f"bits are set beyond the mask: the network is {meant.network}")
    return meant.network


@lru_cache(_CACHED)
def parse_rules(rules: tuple[str, ...]) -> tuple[Network, ...]:
    """The rules' networks. Raises BadIpRule for the first that is none."""
    return tuple(parse_rule(rule) for rule in rules)


def allows(rules: Sequence[str], address: str) -> bool:
    """Whether `address` lies in one of the rules' networks; without rules every address may come.

    An IPv4 address inside IPv6 (::ffff:203.0.113.7, RFC 4291, 2.5.5.2), as a socket for both gives it, is read as IPv4.
    An address that cannot be read is in no network. Raises BadIpRule.
    """
    if not rules:
        return True
    networks = parse_rules(tuple(rules))
    try:
        seen = _read(address)
    except ValueError:
        return False
    return any(seen.version == network.version and seen in network for network in networks)


def _read(address: str) -> Address:
    """Raises ValueError."""
    seen = ipaddress.ip_address(address.partition("%")[0])  # a link-local peer's zone is not ours to compare
    mapped = seen.ipv4_mapped if isinstance(seen, ipaddress.IPv6Address) else None
    return mapped or seen
