"""Forwards of the house: what administrators are told, to further addresses, once each has said yes."""

from typing import Final

from chalicelib.api.admin.types import Deleted
from chalicelib.api.cursors import Listing
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.mail_types import ForwardId, ForwardView, HouseForwardSettings, NewHouseForward, forward_view
from chalicelib.domain.mail import NOBODYS, Module
from chalicelib.services import keep_forwards
from chalicelib.services.keep_forwards import Given

endpoints: Final = Endpoints(__name__, tag="Forwards", role="admin")


@endpoints.post("/v1/admin/forwards", status=201, faults=("too_many", "already_exists"))
def forward_to_address(call: AdminCall, body: NewHouseForward) -> ForwardView:
    """Forward what administrators are told to an address, which is asked by mail first."""
    return forward_view(keep_forwards.add(NOBODYS, body.address, _given(body), call.now_ms))


@endpoints.get("/v1/admin/forwards")
def list_forwards_of_house(call: AdminCall) -> Listing[ForwardView]:
    """List where administrators' notifications are forwarded to, oldest first."""
    return Listing(data=tuple(map(forward_view, keep_forwards.all_forwards(NOBODYS))))


@endpoints.put("/v1/admin/forwards/{forward}")
def change_forward_of_house(call: AdminCall, forward: ForwardId, body: HouseForwardSettings) -> ForwardView:
    """Change what is forwarded. Another address is another forward."""
    return forward_view(keep_forwards.change(NOBODYS, forward, _given(body)))


@endpoints.post("/v1/admin/forwards/{forward}/ask", status=202, faults=("wrong_state",))
def ask_forward_of_house_again(call: AdminCall, forward: ForwardId) -> ForwardView:
    """Ask the address once more: after an hour at the earliest, and three times in all."""
    return forward_view(keep_forwards.ask(NOBODYS, forward, call.now_ms))


@endpoints.delete("/v1/admin/forwards/{forward}")
def delete_forward_of_house(call: AdminCall, forward: ForwardId) -> Deleted:
    """Forward nothing there any more."""
    keep_forwards.remove(NOBODYS, forward)
    return Deleted(forward)


def _given(body: HouseForwardSettings) -> Given:
    return Given(modules=tuple(Module(module) for module in body.modules), language=body.language)
