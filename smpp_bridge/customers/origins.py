"""Where connections come from: an address as it is told, and the network that it answers for."""

import ipaddress
from typing import Any, Final

_NETWORK_BITS: Final = 64  # an IPv6 customer has at least so many addresses for itself: they count as one


def address_of(peername: Any) -> str:
    """The peer's address in a socket's words, as text; IPv4 inside IPv6 as IPv4. Empty where the peer is gone."""
    if not peername:
        return ""
    text = str(peername[0]).partition("%")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def network_of(address: str) -> str:
    """What is counted and banned together: an IPv4 address, the first 64 bits of an IPv6 one."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network(f"{address}/{_NETWORK_BITS}", strict=False))
    except ValueError:
        return address
