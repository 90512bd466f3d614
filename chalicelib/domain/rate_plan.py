"""Rate plans: prices by operator that accounts share, with the instants from which on they hold."""

import msgspec

from chalicelib.domain.tariff import TariffLine


class RatePlan(msgspec.Struct, frozen=True, kw_only=True):
    """The prices of the accounts that name it. What no line is for has the price of its route."""

    id: str
    name: str
    lines: tuple[TariffLine, ...] = ()
