"""What becomes of records that a feed is done with: deleted, with what was refused put off or buried before."""

import logging
from collections.abc import Sequence
from typing import Final

from chalicelib.wire import EsmeBundle, encode
from smpp_bridge.customers.letters import InHand
from smpp_bridge.customers.mailbox import Mailbox
from smpp_bridge.customers.told import Told

_log: Final = logging.getLogger(__name__)


class Returns:
    """Of one login."""

    def __init__(self, login: str, mailbox: Mailbox, told: Told) -> None:
        self._login = login
        self._mailbox = mailbox
        self._told = told

    async def finish(self, through: Sequence[InHand]) -> bool:
        """Delete records that are through, once what they leave behind is durable. False: do it again later."""
        if not through:
            return True
        try:
            for held in through:
                await self._leave_behind(held)
            await self._mailbox.delete(self._login, [held.record.handle for held in through])
        except Exception as error:  # AWS's or the network's
            _log.error("cannot finish records", extra={"login": self._login, "error": repr(error)})
            return False
        return True

    async def _leave_behind(self, held: InHand) -> None:
        """What is done is forgotten at once, so that doing it again does the rest."""
        receives = held.record.received_times
        if held.bundle is None:
            await self._mailbox.bury(self._login, held.record.body, held.reason, receives)
            self._told.buried += 1
            return
        if held.put_off:
            await self._mailbox.put_off(self._login, held.put_off, held.attempt + 1, held.again_seconds)
            self._told.put_off += len(held.put_off)
            held.put_off = []
        if held.buried:
            rest = EsmeBundle(id=f"{held.bundle.id}-rest", login=self._login, items=tuple(held.buried))
            await self._mailbox.bury(self._login, encode(rest), held.reason, receives)
            self._told.buried += len(held.buried)
            held.buried = []

    async def hide(self, records: Sequence[InHand], seconds: int) -> bool:
        """Keep records from others for so long from now; 0 gives them back. False where AWS is not well."""
        if not records:
            return True
        try:
            await self._mailbox.hide(self._login, [held.record.handle for held in records], seconds)
        except Exception as error:  # they come back by themselves, too early or too late
            _log.error("cannot change visibility", extra={"login": self._login, "error": repr(error)})
            return False
        return True
