"""Every operation of the API: what the app serves is what the document tells of."""

from typing import Final

from chalicelib.api import (
    account,
    contact_files,
    contacts,
    documentation,
    groups,
    inbound,
    jobs,
    ledger,
    messages,
    opt_outs,
    smpp_sessions,
    uploads,
    webhooks,
)
from chalicelib.api.admin import (
    accounts,
    api_keys,
    content_rules,
    countries,
    credits,
    dead_letters,
    dnd,
    gateways,
    held,
    numbering,
    numbers,
    published_rules,
    routes,
    sender_rules,
    smpp_logins,
    trail,
)
from chalicelib.api.admin import jobs as jobs_of_accounts
from chalicelib.api.endpoints import Endpoints

_OPERATIONS: Final = (
    messages.endpoints,
    jobs.endpoints,
    uploads.endpoints,
    groups.endpoints,
    contacts.endpoints,
    contact_files.endpoints,
    opt_outs.endpoints,
    account.endpoints,
    ledger.endpoints,
    smpp_sessions.endpoints,
    webhooks.endpoints,
    inbound.endpoints,
    accounts.endpoints,
    api_keys.endpoints,
    smpp_logins.endpoints,
    credits.endpoints,
    jobs_of_accounts.endpoints,
    gateways.endpoints,
    routes.endpoints,
    numbering.endpoints,
    numbers.endpoints,
    published_rules.endpoints,
    content_rules.endpoints,
    held.endpoints,
    sender_rules.endpoints,
    countries.endpoints,
    dnd.endpoints,
    dead_letters.endpoints,
    trail.endpoints,
)
CATALOGUE: Final[tuple[Endpoints, ...]] = (*_OPERATIONS, documentation.describing(_OPERATIONS))
