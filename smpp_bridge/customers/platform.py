"""What the server needs of the platform behind it to let customers bind: logins, accounts, places."""

from typing import Protocol

from chalicelib.domain.account import Account
from chalicelib.domain.smpp_login import EsmeSession, SmppLogin, Traffic


class CustomerPlatform(Protocol):
    """AWS in `aws`, memory in tests. Every call may raise what its implementation raises."""

    async def login(self, system_id: str, *, fresh: bool = False) -> SmppLogin | None:
        """The login, a few seconds old at most; `fresh`: as it is now."""
        ...

    async def account(self, id_: str) -> Account | None:
        """The account, a few seconds old at most."""
        ...

    async def take(self, session: EsmeSession, max_sessions: int) -> int | None:
        """A place for the session among its login's, over all bridges; None where all are taken."""
        ...

    async def beat(self, session: EsmeSession, slot: int, traffic: Traffic) -> bool:
        """Keep the place. True: the session is to unbind."""
        ...

    async def release(self, session: EsmeSession, slot: int) -> None:
        """Let go of the place."""
        ...
