"""The caller's own SMPP sessions: what is bound now, from where, and what it carries."""

from typing import Final

from chalicelib.api.cursors import Listing
from chalicelib.api.endpoints import CustomerCall, Endpoints
from chalicelib.api.session_types import BoundSession, own
from chalicelib.store import esme_sessions, smpp_logins

endpoints: Final = Endpoints(__name__, tag="Account", role="customer")


@endpoints.get("/v1/account/smpp-sessions")
def list_own_smpp_sessions(call: CustomerCall) -> Listing[BoundSession]:
    """List your bound SMPP sessions, by login."""
    logins = smpp_logins.of_account(call.caller.account.id)
    bound = [held for row in logins for held in esme_sessions.of_login(row.value.system_id, call.now_ms)]
    return Listing(data=tuple(own(held) for held in bound))
