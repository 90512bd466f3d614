"""Which network addresses are the public internet's, and so may be called on a customer's word."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

# IANA's special-purpose registries (RFC 6890 and later), whole: nothing there is a customer's public server. Forms that
# carry an IPv4 address inside an IPv6 one are refused with it, as they would lead around this table.
_REFUSED: Final[tuple[tuple[str, str], ...]] = (
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "shared by carriers (CGNAT)"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local, metadata services among them"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved for protocols"),
    ("192.0.2.0/24", "documentation"),
    ("192.31.196.0/24", "AS112"),
    ("192.52.193.0/24", "AMT"),
    ("192.88.99.0/24", "6to4 relays"),
    ("192.168.0.0/16", "private"),
    ("192.175.48.0/24", "AS112"),
    ("198.18.0.0/15", "benchmarks"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved, and broadcast"),
    ("::/96", "unspecified, loopback, IPv4-compatible"),
    ("64:ff9b::/96", "IPv4 behind NAT64"),
    ("64:ff9b:1::/48", "IPv4 behind NAT64"),
    ("100::/64", "discard"),
    ("2001::/23", "reserved for protocols, Teredo among them"),
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "segment routing"),
    ("fc00::/7", "private; metadata services have addresses here"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
)
_NETWORKS: Final[tuple[tuple[IPv4Network | IPv6Network, str], ...]] = tuple(
    (ip_network(network), why) for network, why in _REFUSED
)
_GLOBAL_V6: Final = IPv6Network("2000::/3")  # all that IANA has given out; the rest is nobody's


def refusal(address: str, *, loopback: bool = False) -> str | None:
    """Why the address (v4 or v6, as a resolver gives it) may not be called; None where it may.

    `loopback`: allow 127.0.0.0/8 and ::1, which only a local run and tests do.
    """
    try:
        parsed = _bare(ip_address(address.partition("%")[0]))
    except ValueError:
        return "no address"
    if loopback and parsed.is_loopback:
        return None
    for network, why in _NETWORKS:
        if parsed.version == network.version and parsed in network:
            return why
    if isinstance(parsed, IPv6Address) and parsed not in _GLOBAL_V6:
        return "not given out"
    return None


def _bare(address: Address) -> Address:
    """An IPv4 address that is written as an IPv6 one (::ffff:10.0.0.1) is what it stands for."""
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
