"""Who calls: the holder of an API key, or a person who has logged in; a customer, or an administrator."""

from typing import Final

import msgspec

from chalicelib.domain.account import Account, ApiKey
from chalicelib.domain.credentials import KeyText, matches, parse_key
from chalicelib.domain.session import Session
from chalicelib.domain.user import AdministratorRole, User, UserRole
from chalicelib.services.faults import Fault
from chalicelib.services.resume_session import Resumed, resume
from chalicelib.settings import settings
from chalicelib.store import accounts, api_keys

MAY_IMPERSONATE: Final = frozenset[AdministratorRole]({"super", "support"})


class _Holder(msgspec.Struct, frozen=True, kw_only=True):
    """What customers and administrators have in common. With a session, `key` stands in for an API key."""

    key: ApiKey
    user: User | None = None  # who has logged in; None: a program with a key, or an administrator who impersonates
    session: Session | None = None

    @property
    def impersonated_by(self) -> str | None:
        """The administrator ('user:usr_…' or 'key:…') who acts as the account."""
        return self.session.impersonated_by if self.session else None

    @property
    def role(self) -> UserRole | None:
        """What the person is here; None for a key, which has scopes."""
        if self.user is not None:
            return self.user.role
        return self.session.role if self.session else None

    @property
    def by(self) -> str:
        """Who is noted with messages that it sends: the person's id, else the key's."""
        if self.session is not None:
            return self.session.holder
        return self.key.id


class Customer(_Holder, frozen=True, kw_only=True):
    """Who acts for an account, and the account as it was a few seconds ago at most."""

    account: Account

    @property
    def who(self) -> str:
        """For logs, ledger and audit: 'key:…', 'user:usr_…', 'user:usr_… as acc_…'."""
        if self.impersonated_by is not None:
            return f"{self.impersonated_by} as {self.account.id}"
        return f"user:{self.user.id}" if self.user else f"key:{self.key.id}"


class Administrator(_Holder, frozen=True, kw_only=True):
    """Who acts for the house."""

    @property
    def who(self) -> str:
        """For logs, ledger and audit: 'key:…' or 'user:usr_…'."""
        return f"user:{self.user.id}" if self.user else f"key:{self.key.id}"

    @property
    def must_enrol(self) -> bool:
        """Whether it may do nothing yet but confirm an authenticator, without which this stage takes no person."""
        return self.user is not None and self.user.two_factor is None and settings().second_factor


Caller = Customer | Administrator
# One sentence for every way in which a key can be wrong: which of them it is, is not for strangers.
_UNKNOWN: Final = Fault("invalid_api_key", "the API key is unknown or was revoked")
_OVER: Final = Fault("invalid_session", "the session is unknown or over: log in again")


def authenticate(text: str, now_ms: int) -> Caller:
    """The holder of the key or session, of a closed account too. Raises Fault `invalid_api_key`, `invalid_session`."""
    given = parse_key(text)
    if given is not None and given.kind == "session":
        return _of_session(given, now_ms)
    key = api_keys.cached(given.id, now_ms) if given else None
    if given is None or key is None or not _is_of(given, key):
        raise Fault(_UNKNOWN.code, _UNKNOWN.detail)
    if key.account is None:
        return Administrator(key=key)
    account = accounts.cached(key.account, now_ms)
    if account is None:
        raise Fault(_UNKNOWN.code, _UNKNOWN.detail)
    return Customer(key=key, account=account)


def _is_of(given: KeyText, key: ApiKey) -> bool:
    kind = "admin" if key.role == "admin" else key.mode
    return matches(given.secret, key.secret_sha256) and given.kind == kind and key.revoked_ms is None


def _of_session(token: KeyText, now_ms: int) -> Caller:
    resumed = resume(token, now_ms)
    if resumed is None:
        raise Fault(_OVER.code, _OVER.detail)
    session, user = resumed.session, resumed.user
    account_id = session.account or (user.account if user else None)
    if account_id is None:
        return Administrator(key=_stand_in(resumed, None), user=user, session=session)
    account = accounts.cached(account_id, now_ms)
    if account is None or (session.impersonated_by and user and user.role not in MAY_IMPERSONATE):
        raise Fault(_OVER.code, _OVER.detail)
    person = None if session.impersonated_by else user
    return Customer(key=_stand_in(resumed, account_id), account=account, user=person, session=session)


def _stand_in(resumed: Resumed, account: str | None) -> ApiKey:
    """What whoever knows only keys takes a session for: a live key of the account, good for all that its role may."""
    return ApiKey(
        id=resumed.session.id,
        role="customer" if account else "admin",
        account=account,
        mode="live",
        name=resumed.user.name if resumed.user else "",
        secret_sha256=resumed.session.secret_sha256,
        created_ms=resumed.session.created_ms,
        ip_rules=resumed.key.ip_rules if resumed.key else (),  # a key that impersonates comes from where it may
    )
