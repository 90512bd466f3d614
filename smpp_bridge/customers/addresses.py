"""Addresses with their type of number and numbering plan (SMPP 3.4, 5.2.5 and 5.2.6), as accept reads them."""

from typing import Final

from chalicelib.domain.numbers import MIN_INTERNATIONAL
from smpp_bridge.customers.refused import Refused
from smpp_bridge.protocol.status import Status

_INTERNATIONAL: Final = 1
_ALPHANUMERIC: Final = 5
_MOST_TON: Final = 6  # abbreviated
# Unknown, ISDN, data, telex, land mobile, national, private, ERMES, internet, WAP.
_PLANS: Final = frozenset({0, 1, 3, 4, 6, 8, 9, 10, 14, 18})


def recipient(address: str, ton: int, npi: int) -> str:
    """The number as it is meant: an international one with +, others as the account's region reads them."""
    if ton > _MOST_TON or ton == _ALPHANUMERIC:
        raise Refused(Status.INVALID_DESTINATION_TON, f"no number has type {ton}")
    if npi not in _PLANS:
        raise Refused(Status.INVALID_DESTINATION_NPI, f"there is no numbering plan {npi}")
    return _international(address) if ton == _INTERNATIONAL else address


def sender(address: str, ton: int, npi: int) -> str | None:
    """Who it says it is from; None for the account's default, as an empty source_addr asks for (4.4.1)."""
    if ton > _MOST_TON:
        raise Refused(Status.INVALID_SOURCE_TON, f"there is no type of number {ton}")
    if npi not in _PLANS:
        raise Refused(Status.INVALID_SOURCE_NPI, f"there is no numbering plan {npi}")
    if not address:
        return None
    # Short codes with the type of international numbers are a common slip: too short for one, they are what they are.
    if ton == _INTERNATIONAL and len(address) >= MIN_INTERNATIONAL:
        return _international(address)
    return address


def _international(address: str) -> str:
    return address if address.startswith(("+", "00")) else f"+{address}"
