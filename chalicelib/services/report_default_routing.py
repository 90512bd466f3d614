"""Report each account's default gateway and price, with the messages that ended at it; and set them."""

import time
from typing import Any, Final

import msgspec

from chalicelib.domain.account import Account, AccountState
from chalicelib.domain.utc_days import end_ms, midnight_ms
from chalicelib.services.faults import Fault, invalid_field, not_found
from chalicelib.services.keep_account import change_account
from chalicelib.services.read_messages import Span
from chalicelib.store import accounts, rule_rows, rules, usage
from chalicelib.store.rows import Row

MAX_ACCOUNTS: Final = 50  # of a call: a query each, of a busy account some
_MISSING: Final = "missing"
SECONDS: Final = 5.0  # after which a call gives what it has: a month of a busy account is some megabytes


class DefaultRouting(msgspec.Struct, frozen=True, kw_only=True):
    """An account's default, and what went to it on the days: charged messages that no route took.

    `gateway_state`: as routing sees it now: in force, paused, or not among the published rules (missing).
    """

    account: str
    name: str
    state: AccountState
    version: int
    default_gateway: str | None
    default_price_micros: int | None
    gateway_state: str | None
    messages: int
    parts: int
    credit_micros: int


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where the report goes on: behind the account `done`."""

    done: str


def report(only: str | None, days: Span, position: Any, limit: int, now_ms: int) -> tuple[list[DefaultRouting], Any]:
    """Up to `limit` accounts, and where to go on (None: that was all). `position`: None, or from before.

    Raises Fault `invalid_cursor`, `not_found` (the account that is asked for).
    """
    if only is not None:
        return [_told(_held(only), days, now_ms)], None
    at = None if position is None else {"id": {"S": _position(position).done}}
    page = accounts.listing(at, min(limit, MAX_ACCOUNTS))
    ends = time.monotonic() + SECONDS
    found: list[DefaultRouting] = []
    for row in page.items:
        found.append(_told(row, days, now_ms))
        if time.monotonic() > ends:
            break
    through = page.cursor is None and len(found) == len(page.items)
    return found, None if through or not found else Position(done=found[-1].account)


class Default(msgspec.Struct, frozen=True, kw_only=True):
    """What an account's default is to be: both, or neither."""

    gateway: str | None
    price_micros: int | None


def change(account: str, default: Default, expected_version: int, days: Span, now_ms: int) -> DefaultRouting:
    """Set an account's default, over that version of the account, and leave all else as it is; tell of those days.

    Raises Fault `not_found`, `version_conflict`, `invalid_request`, `below_cost`.
    """
    held = _held(account)
    gateway, price_micros = default.gateway, default.price_micros
    if gateway is not None and rule_rows.gateways.get(gateway) is None:
        raise invalid_field("/default_gateway", "unknown", f"there is no gateway {gateway}")
    changed = msgspec.structs.replace(held.value, default_gateway=gateway, default_price_micros=price_micros)
    return _told(change_account(changed, expected_version, now_ms), days, now_ms)


def _held(account: str) -> Row[Account]:
    held = accounts.versioned(account)
    if held is None:
        raise not_found("account")
    return held


def _told(row: Row[Account], days: Span, now_ms: int) -> DefaultRouting:
    account = row.value
    lines = usage.between(account.id, midnight_ms(days.first), end_ms(days.last), ends=False)
    return DefaultRouting(
        account=account.id,
        name=account.name,
        state=account.state,
        version=row.version,
        default_gateway=account.default_gateway,
        default_price_micros=account.default_price_micros,
        gateway_state=_gateway_state(account.default_gateway, now_ms),
        messages=sum(line.defaulted for line in lines),
        parts=sum(line.defaulted_parts for line in lines),
        credit_micros=sum(line.defaulted_micros for line in lines),
    )


def _gateway_state(gateway: str | None, now_ms: int) -> str | None:
    if gateway is None:
        return None
    held = rules.table(now_ms).gateways.get(gateway)
    return _MISSING if held is None else held.state


def _position(given: Any) -> Position:
    try:
        return msgspec.convert(given, Position)
    except msgspec.ValidationError:
        raise Fault("invalid_cursor", "the cursor is of another time") from None
