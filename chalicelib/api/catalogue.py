"""Every operation of the API: what the app serves is what the document tells of."""

from typing import Final

from chalicelib.api import account, documentation, ledger, messages, smpp_sessions, webhooks
from chalicelib.api.admin import (
    accounts,
    api_keys,
    credits,
    dead_letters,
    gateways,
    numbering,
    published_rules,
    routes,
    smpp_logins,
)
from chalicelib.api.endpoints import Endpoints

_OPERATIONS: Final = (
    messages.endpoints,
    account.endpoints,
    ledger.endpoints,
    smpp_sessions.endpoints,
    webhooks.endpoints,
    accounts.endpoints,
    api_keys.endpoints,
    smpp_logins.endpoints,
    credits.endpoints,
    gateways.endpoints,
    routes.endpoints,
    numbering.endpoints,
    published_rules.endpoints,
    dead_letters.endpoints,
)
CATALOGUE: Final[tuple[Endpoints, ...]] = (*_OPERATIONS, documentation.describing(_OPERATIONS))
