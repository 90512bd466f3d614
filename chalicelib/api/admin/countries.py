"""Countries' hours: when promotional messages may go there. Used as they were when last published."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import Country, Deleted, PageQuery
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.domain.rules import CountryRule
from chalicelib.domain.suppression import MINUTES_A_DAY
from chalicelib.services.drop_row import drop_row
from chalicelib.services.keep_rules import set_country
from chalicelib.store import rule_rows

endpoints: Final = Endpoints(__name__, tag="Countries", role="admin")

Clock = Annotated[
    str,
    Meta(
        pattern="^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$(?!\\n)",
        description="By the country's clock.",
        examples=["09:00"],
    ),
]


class CountryHours(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Promotional messages go on these days from one hour until before the other, which may be after midnight."""

    time_zone: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=50,
            description="IANA; of several the one that is to count.",
            examples=["Europe/Madrid"],
        ),
    ]
    opens: Clock = "00:00"
    closes: Clock = "24:00"
    days: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=7)], ...], Meta(min_length=1, max_length=7, description="ISO: 1 is Monday.")
    ] = (1, 2, 3, 4, 5, 6, 7)


class CountryView(CountryHours, frozen=True, kw_only=True):
    """A country's hours as they are edited."""

    country: str


@endpoints.put("/v1/admin/countries/{country}")
def set_country_hours(call: AdminCall, country: Country, body: CountryHours) -> CountryView:
    """Set a country's hours; used once published.

    A promotional message that is routed outside them ends as `rejected`, with the error `outside_hours`, and costs
    nothing.
    """
    rule = CountryRule(
        country=country,
        time_zone=body.time_zone,
        from_minute=_minute(body.opens),
        until_minute=_minute(body.closes),
        days=tuple(sorted(set(body.days))),
    )
    return _view(set_country(rule))


@endpoints.get("/v1/admin/countries", faults=("invalid_cursor",))
def list_country_hours(call: AdminCall, query: PageQuery) -> Listing[CountryView]:
    """List the countries that have hours, as they are edited, in no particular order."""
    page = rule_rows.countries.listing(unseal(call, "countries", query.cursor), query.limit)
    data = tuple(_view(row.value) for row in page.items)
    return Listing(data=data, next_cursor=seal(call, "countries", page.cursor))


@endpoints.delete("/v1/admin/countries/{country}")
def delete_country_hours(call: AdminCall, country: Country) -> Deleted:
    """Delete a country's hours: messages may go there at any time, once that is published."""
    drop_row("country", rule_rows.countries, country, "country with hours")
    return Deleted(country)


def _minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _clock(minute: int) -> str:
    return "24:00" if minute == MINUTES_A_DAY else f"{minute // 60:02}:{minute % 60:02}"


def _view(rule: CountryRule) -> CountryView:
    return CountryView(
        country=rule.country,
        time_zone=rule.time_zone,
        opens=_clock(rule.from_minute),
        closes=_clock(rule.until_minute),
        days=rule.days,
    )
