"""The default routing report: where goes what no route matches, at what price, and what did; editable here."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.admin.report_types import Days, Page, name_of, span, told
from chalicelib.api.admin.types import AccountId, GatewayId, Version
from chalicelib.api.amounts import Amount, Price
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.domain.account import AccountState
from chalicelib.services.report_default_routing import Default, change, report

endpoints: Final = Endpoints(__name__, tag="Administrators' reports", role="admin")


class DefaultRoutingRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An account's default gateway and price, and the charged messages that ended at it: those that no route took."""

    account: str
    name: str
    state: AccountState
    version: Annotated[int, Meta(description="Of the account: a change of its default names it.")]
    default_gateway: str | None
    default_price: Amount | None
    gateway_state: Annotated[
        Literal["active", "paused", "draining", "missing"] | None,
        Meta(description="As routing sees it now; missing: not among the published rules."),
    ]
    messages: int
    parts: int
    credit: Amount


class DefaultRoutingQuery(Page, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which accounts, and of which days their messages count."""

    account: AccountId | None = None


class DefaultRoutingChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account's new default: both, or neither."""

    default_gateway: GatewayId | None
    default_price: Annotated[Price, Meta(description="Per part.")] | None
    version: Version


@endpoints.get("/v1/admin/reports/default-routing", faults=("invalid_cursor", "not_found"))
def report_default_routing(call: AdminCall, query: DefaultRoutingQuery) -> Listing[DefaultRoutingRecord]:
    """Read each account's default gateway and price, with what ended at it.

    Which messages those are, `/v1/admin/reports/messages?route=default` lists. A page may be short before the last.
    """
    days = span(query, call.now_ms)
    name = name_of("default routing", query, days)
    position = unseal(call, name, query.cursor)
    found, after = report(query.account, days, position, query.limit, call.now_ms)
    data = tuple(DefaultRoutingRecord(**told(one)) for one in found)
    return Listing(data=data, next_cursor=seal(call, name, after))


@endpoints.put("/v1/admin/reports/default-routing/{account}", faults=("version_conflict", "below_cost"))
def change_default_routing(call: AdminCall, account: AccountId, body: DefaultRoutingChange) -> DefaultRoutingRecord:
    """Set an account's default gateway and price.

    All else of the account stays as it is. It takes effect everywhere within some seconds.
    """
    price_micros = body.default_price.micros if body.default_price is not None else None
    days = span(Days(), call.now_ms)
    default = Default(gateway=body.default_gateway, price_micros=price_micros)
    changed = change(account, default, body.version, days, call.now_ms)
    return DefaultRoutingRecord(**told(changed))
