"""Which of several prices a message's parts are sold at: the order of precedence, and nothing else."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from chalicelib.domain.account import Account
from chalicelib.domain.rules import Route
from chalicelib.domain.tariff import TariffLine

PriceSource = Literal["route", "rate_plan", "default"]


class Priced(msgspec.Struct, frozen=True, gc=False):
    """A price a part, and what sets it."""

    micros: int
    source: PriceSource
    name: str  # of the route, the rate plan, or the account
    meant: bool  # somebody has said that it may lie below cost

    @property
    def why(self) -> str:
        return f"priced by {self.source.replace('_', ' ')} {self.name}"


def price(account: Account, route: Route | None, plan_line: TariffLine | None) -> Priced | None:
    """What the account pays for a message that goes by `route` (None: by its default gateway); None: see `otherwise`.

    A route of the account's own that names a price > the line of its rate plan > the price of any other route.
    """
    if plan_line is not None and (route is None or route.account is None or route.price_micros is None):
        meant = plan_line.below_cost or account.below_cost
        return Priced(plan_line.amount_micros, "rate_plan", account.rate_plan or "", meant)
    if route is not None and route.price_micros is not None:
        return Priced(route.price_micros, "route", route.id, route.below_cost)
    return None


def otherwise(account: Account, matching: Iterable[Route]) -> Priced | None:
    """What it pays where neither route nor plan says; None: nothing says.

    The price of the most specific of the `matching` routes that names one > the account's default price.
    """
    for route in matching:
        if route.price_micros is not None:
            return Priced(route.price_micros, "route", route.id, route.below_cost)
    if account.default_price_micros is not None:
        return Priced(account.default_price_micros, "default", account.id, account.below_cost)
    return None
