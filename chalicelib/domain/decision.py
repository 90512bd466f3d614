"""What routing says of a message: where it goes at what price and why, or why it goes nowhere."""

from typing import Final

import msgspec

from chalicelib.domain.facts import ErrorInfo
from chalicelib.domain.status import Status

DEFAULT_ROUTE: Final = "default"  # what a decision names where the account's default gateway took the message


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a message goes, at what price, and why. Made by route, made binding by charge."""

    gateway: str
    route: str
    operator: str
    price_micros: int  # per part
    rules: int
    why: str
    failover: tuple[str, ...] = ()  # further gateways, best first
    cost_micros: int | None = None  # per part, at `gateway`; None: nobody has said what it costs
    sender: str = ""  # goes out in place of the message's own, where a sender rule says so

    @property
    def by_default(self) -> bool:
        """Whether no route led anywhere, and the account's default gateway takes it."""
        return self.route == DEFAULT_ROUTE


class Refusal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The message ends here, unpaid; or waits here, where it is `held` for a person to look at."""

    status: Status
    error: ErrorInfo
    rule: str = ""  # the content rule that did it: for administrators, not for the customer
    held: bool = False
