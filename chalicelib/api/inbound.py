"""Inbound messages: list what people wrote to the account's numbers, and read one."""

from typing import Final

from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import CustomerCall, Endpoints
from chalicelib.api.inbound_types import InboundId, InboundQuery, InboundView, since_and_until, view
from chalicelib.services.faults import not_found
from chalicelib.store import inbound

endpoints: Final = Endpoints(__name__, tag="Inbound", role="customer")


@endpoints.get("/v1/inbound", faults=("invalid_cursor",))
def list_inbound(call: CustomerCall, query: InboundQuery) -> Listing[InboundView]:
    """List inbound messages, newest first.

    Those of today (UTC), unless days are named.
    """
    since_ms, until_ms, name = since_and_until(query, call.now_ms)
    position = unseal(call, name, query.cursor)
    page = inbound.listing(call.caller.account.id, since_ms, until_ms, position, query.limit)
    return Listing(data=tuple(view(one) for one in page.items), next_cursor=seal(call, name, page.cursor))


@endpoints.get("/v1/inbound/{inbound_message}")
def read_inbound(call: CustomerCall, inbound_message: InboundId) -> InboundView:
    """Read an inbound message."""
    held = inbound.get(call.caller.account.id, inbound_message)
    if held is None:
        raise not_found("inbound message")
    return view(held)
