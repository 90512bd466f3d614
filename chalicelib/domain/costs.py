"""What operators ask of us: costs a part by gateway, country and operator, each from an instant on."""

import msgspec

from chalicelib.domain.tariff import TariffLine


class GatewayCosts(msgspec.Struct, frozen=True, kw_only=True):
    """What a part costs that the gateway takes. What no line is for has a cost that nobody knows."""

    gateway: str
    lines: tuple[TariffLine, ...] = ()
