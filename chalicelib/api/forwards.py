"""Forwards: an account's notifications to further addresses, by module, once each has said yes."""

from typing import Final

from chalicelib.api.admin.types import Deleted
from chalicelib.api.cursors import Listing
from chalicelib.api.endpoints import CustomerCall, Endpoints
from chalicelib.api.mail_types import ForwardId, ForwardSettings, ForwardView, NewForward, forward_view
from chalicelib.domain.mail import Module
from chalicelib.services import keep_forwards
from chalicelib.services.keep_forwards import Given

endpoints: Final = Endpoints(__name__, tag="Forwards", role="customer")


@endpoints.post("/v1/forwards", status=201, faults=("too_many", "already_exists"))
def forward_notifications(call: CustomerCall, body: NewForward) -> ForwardView:
    """Forward notifications to an address.

    It is asked by mail first, and gets nothing before it has confirmed; a link in each mail lets it end that.
    """
    return forward_view(keep_forwards.add(call.caller.account.id, body.address, _given(body), call.now_ms))


@endpoints.get("/v1/forwards")
def list_forwards(call: CustomerCall) -> Listing[ForwardView]:
    """List where your notifications are forwarded to, oldest first."""
    return Listing(data=tuple(map(forward_view, keep_forwards.all_forwards(call.caller.account.id))))


@endpoints.put("/v1/forwards/{forward}")
def change_a_forward(call: CustomerCall, forward: ForwardId, body: ForwardSettings) -> ForwardView:
    """Change what is forwarded. Another address is another forward."""
    return forward_view(keep_forwards.change(call.caller.account.id, forward, _given(body)))


@endpoints.post("/v1/forwards/{forward}/ask", status=202, faults=("wrong_state",))
def ask_a_forward_again(call: CustomerCall, forward: ForwardId) -> ForwardView:
    """Ask the address once more: after an hour at the earliest, and three times in all."""
    return forward_view(keep_forwards.ask(call.caller.account.id, forward, call.now_ms))


@endpoints.delete("/v1/forwards/{forward}")
def delete_a_forward(call: CustomerCall, forward: ForwardId) -> Deleted:
    """Forward nothing there any more."""
    keep_forwards.remove(call.caller.account.id, forward)
    return Deleted(forward)


def _given(body: ForwardSettings) -> Given:
    return Given(modules=tuple(Module(module) for module in body.modules), language=body.language)
