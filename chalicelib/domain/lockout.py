"""Lock-out: for how long whoever has failed to log in must wait, longer after each failure; and who counts as one."""

import ipaddress
from hashlib import sha256
from typing import Final

import msgspec

FORGOTTEN_MS: Final = 24 * 3_600_000  # so long after the last failure they are forgotten
# Of an e-mail address: a person mistypes a few times; then 5, 10, 20 … seconds, at most 96 tries a day.
FREE_OF_EMAIL: Final = 5
# Of where they come from: an office shares one, and mistypes more often.
FREE_OF_PLACE: Final = 30
FREE_OF_MAILBOX: Final = 3  # links mailed to an address at once: nobody's mailbox is filled by asking on and on
FIRST_WAIT_MS: Final = 5_000
MAX_WAIT_MS: Final = 15 * 60_000
_V6_SITE: Final = 64  # bits of an IPv6 address that a customer of a provider cannot change at will (RFC 6177)


class Failures(msgspec.Struct, frozen=True):
    """How often it failed in a row, and when last."""

    count: int = 0
    last_ms: int = 0


def remembered(failures: Failures, now_ms: int) -> Failures:
    """What still counts of them."""
    return failures if now_ms - failures.last_ms < FORGOTTEN_MS else Failures()


def wait_ms(failures: Failures, free: int, now_ms: int) -> int:
    """How long to wait from now before the next try is looked at; 0: it may be tried."""
    over = remembered(failures, now_ms).count - free
    if over < 0:
        return 0
    delay_ms = min(MAX_WAIT_MS, FIRST_WAIT_MS << min(over, 20))
    return max(0, failures.last_ms + delay_ms - now_ms)


def place_of(address: str) -> str:
    """What counts as one place: an IPv4 address, an IPv6 site; '' where the address cannot be read."""
    try:
        seen = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(seen, ipaddress.IPv6Address) and seen.ipv4_mapped is None:
        return str(ipaddress.ip_network((seen, _V6_SITE), strict=False))
    return str(getattr(seen, "ipv4_mapped", None) or seen)


def name_of(text: str) -> str:
    """What was typed as an e-mail address, as a name to keep it under: it may be anything, even a password."""
    return sha256(text.encode()).hexdigest()[:32]
