"""Who may bind: the login and its password, where it comes from, its account, and a place among its sessions."""

import asyncio
import logging
import re
from typing import Final

import msgspec

from chalicelib.domain.ip_rules import allows
from chalicelib.domain.smpp_login import SYSTEM_ID_PATTERN, EsmeSession, SmppLogin
from smpp_bridge.customers.bans import Bans
from smpp_bridge.customers.origins import network_of
from smpp_bridge.customers.passwords import Busy, Passwords
from smpp_bridge.customers.platform import CustomerPlatform
from smpp_bridge.gateways.clock import Clock
from smpp_bridge.protocol.pdu import Bind
from smpp_bridge.protocol.status import Status

ADMIT_SECONDS: Final = 10.0  # a bind that AWS keeps for longer is refused: the customer comes again

_SYSTEM_ID: Final = re.compile(SYSTEM_ID_PATTERN)
_log: Final = logging.getLogger(__name__)


class Admitted(msgspec.Struct, frozen=True):
    """The bind is good; `slot` is the session's place, to be released when it ends."""

    login: SmppLogin
    session: EsmeSession
    slot: int


class Refused(msgspec.Struct, frozen=True):
    """The bind is answered `status`. `reason` is for the log: the customer sees the status alone."""

    status: int
    reason: str
    guessed: bool = False  # a wrong password or system id: counts toward a ban


WRONG: Final = Refused(Status.INVALID_PASSWORD, "wrong system id or password", guessed=True)


class Gate:
    """One for all listeners of a bridge."""

    def __init__(self, platform: CustomerPlatform, passwords: Passwords, bans: Bans, *, clock: Clock) -> None:
        self.bans = bans
        self._platform = platform
        self._passwords = passwords
        self._clock = clock

    async def admit(self, bind: Bind, session: EsmeSession) -> Admitted | Refused:
        """Judge the bind. `session` is what would be bound: its account is yet to be found."""
        try:
            async with asyncio.timeout(ADMIT_SECONDS):
                judged = await self._judge(bind, session)
        except Busy:
            return Refused(Status.SYSTEM_ERROR, "too many passwords wait to be checked")
        except TimeoutError:  # a place taken meanwhile is free again once nobody has renewed it for a while
            return Refused(Status.SYSTEM_ERROR, f"not judged within {ADMIT_SECONDS} s")
        except Exception:  # AWS's: the customer is told to come again, and may be right
            _log.exception("bind not judged", extra={"system_id": bind.system_id, "address": session.address})
            return Refused(Status.SYSTEM_ERROR, "not judged")
        if isinstance(judged, Refused) and judged.guessed:
            self.failed(session.address)
        return judged

    def failed(self, address: str) -> None:
        """Somebody at the address guesses passwords, or says what is no SMPP."""
        network, now = network_of(address), self._clock.monotonic()
        if self.bans.failed(network, now):
            _log.warning("banned", extra={"address": address, "network": network})

    async def _judge(self, bind: Bind, session: EsmeSession) -> Admitted | Refused:
        login = await self._authenticated(bind)
        if login is None:
            return WRONG
        if login.state != "active":
            return Refused(Status.BIND_FAILED, f"the login is {login.state}")
        if login.opens_ms > self._clock.epoch_ms():
            return Refused(Status.BIND_FAILED, "the login is new, and opens in some seconds")
        if not allows(login.ip_rules, session.address):
            return Refused(Status.BIND_FAILED, "the login's IP rules do not name this address")
        account = await self._platform.account(login.account)
        if account is None or account.state == "closed":
            return Refused(Status.BIND_FAILED, "the account is closed")
        session = msgspec.structs.replace(session, account=login.account)
        slot = await self._platform.take(session, login.max_sessions)
        if slot is None:
            return Refused(Status.ALREADY_BOUND, f"all of the login's {login.max_sessions} sessions are bound")
        return Admitted(login, session, slot)

    async def _authenticated(self, bind: Bind) -> SmppLogin | None:
        """The login whose password it is. One that has just been given another password is looked up anew."""
        known = _SYSTEM_ID.search(bind.system_id) is not None
        login = await self._platform.login(bind.system_id) if known else None
        if await self._passwords.is_right(bind.system_id, bind.password, login.password_hash if login else None):
            return login
        if login is None:
            return None
        now = await self._platform.login(bind.system_id, fresh=True)
        if now is None or now.password_hash == login.password_hash:
            return None
        right = await self._passwords.is_right(bind.system_id, bind.password, now.password_hash)
        return now if right else None
