"""Every operation of the API: what the app serves is what the document tells of."""

from typing import Final

from chalicelib.api import account, documentation, messages
from chalicelib.api.endpoints import Endpoints

_OPERATIONS: Final = (
    messages.endpoints,
    account.endpoints,
)
CATALOGUE: Final[tuple[Endpoints, ...]] = (*_OPERATIONS, documentation.describing(_OPERATIONS))
