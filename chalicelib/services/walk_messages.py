"""Walk through the messages of one account or all, newest day first, a bounded part of the way at a time.

A day's log is kept by account, so a walk through all of them looks into each account's for each day: 100 looks a call.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Final, Generic, TypeVar

import msgspec

from chalicelib.domain.account import Account
from chalicelib.domain.facts import AnyFact
from chalicelib.domain.utc_days import end_ms, midnight_ms
from chalicelib.services.faults import Fault, not_found
from chalicelib.services.read_messages import Span
from chalicelib.store import accounts, messages
from chalicelib.store.messages import Facts

MAX_READS: Final = 100  # of a call, most of them of a few items: about a second
MAX_MESSAGES: Final = 1_000  # that a call looks at: about another
_ACCOUNTS_A_READ: Final = 25
_PAGE: Final = 100  # messages of a log at a time

R = TypeVar("R")


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where a walk goes on. Accounts come in the order of the table's scan: `done` is the last one that is through.

    `account`: whose messages are being read, before the one named `before` ('': from the newest). `day` is of walks
    through the logs.
    """

    done: str = ""
    account: str = ""
    before: str = ""
    day: str = ""


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What is walked: the account's messages (None: all accounts') that were made on UTC days; to a number alone."""

    days: Span
    account: str | None = None
    number: str | None = None  # E.164 with +; what is not queued, scheduled or refused yet is not found by it


Pick = Callable[[Account, str, Sequence[AnyFact]], R | None]


def walk(ground: Ground, position: Any, limit: int, pick: Pick[R]) -> tuple[list[R], Position | None]:
    """Up to `limit` of what `pick` makes of the messages, and where to go on (None: all was seen).

    `position`: None, or from before. Raises Fault `invalid_cursor`, `not_found` (the account).
    """
    if position is not None:
        at = position_of(position)
    else:
        at = Position(day="" if ground.number else ground.days.last.isoformat())
    return _Walk(ground, limit, pick).go_on(at)


def some_accounts(only: str | None, after: str, limit: int) -> list[Account]:
    """The account that is asked for; else the next ones. Raises Fault `not_found`."""
    if only is None:
        return accounts.after(after, limit)
    held = accounts.get(only)
    if held is None:
        raise not_found("account")
    return [held]


def position_of(given: Any) -> Position:
    """Raises Fault `invalid_cursor`."""
    try:
        return msgspec.convert(given, Position)
    except msgspec.ValidationError:
        raise Fault("invalid_cursor", "the cursor is of another time") from None


class _Walk(Generic[R]):
    """One call's part of the way."""

    def __init__(self, ground: Ground, limit: int, pick: Pick[R]) -> None:
        self._ground = ground
        self._limit = limit
        self._pick = pick
        self._since_ms, self._until_ms = midnight_ms(ground.days.first), end_ms(ground.days.last)
        self._found: list[R] = []
        self._reads = 0
        self._seen = 0
        self._next: list[Account] = []

    def go_on(self, at: Position) -> tuple[list[R], Position | None]:
        step: Position | None = at
        while step is not None and not self._is_over:
            step = self._in_account(step) if step.account else self._to_next_account(step)
        return self._found, step

    @property
    def _is_over(self) -> bool:
        return len(self._found) >= self._limit or self._reads >= MAX_READS or self._seen >= MAX_MESSAGES

    def _to_next_account(self, at: Position) -> Position | None:
        """The next account; after the last one the day before, where there is one."""
        if not self._next and not (self._ground.account and at.done):
            self._reads += 1
            self._next = some_accounts(self._ground.account, at.done, _ACCOUNTS_A_READ)
        if self._next:
            return Position(done=at.done, account=self._next[0].id, day=at.day)
        if not at.day or at.day <= self._ground.days.first.isoformat():
            return None
        return Position(day=(date.fromisoformat(at.day) - timedelta(days=1)).isoformat())

    def _in_account(self, at: Position) -> Position:
        """A page of the account's messages."""
        account = self._account(at.account)
        if account is None:
            return self._through(at)
        page, more = self._page(account, at)
        self._seen += len(page)
        for message_id, facts in page:
            at = msgspec.structs.replace(at, before=message_id)
            picked = self._pick(account, message_id, facts)
            if picked is not None:
                self._found.append(picked)
                if len(self._found) == self._limit:
                    return at
        return at if more else self._through(at)

    def _through(self, at: Position) -> Position:
        if self._next and self._next[0].id == at.account:
            self._next.pop(0)
        return Position(done=at.account, day=at.day)

    def _account(self, id_: str) -> Account | None:
        if self._next and self._next[0].id == id_:
            return self._next[0]
        self._reads += 1
        return accounts.get(id_)

    def _page(self, account: Account, at: Position) -> tuple[Sequence[Facts], bool]:
        """Some of its messages, newest first, and whether there are more."""
        if self._ground.number is not None:
            return self._to_number(account.id, self._ground.number, at.before)
        self._reads += account.shards
        cursor = {"before": at.before} if at.before else None
        page = messages.day(account.id, at.day, account.shards, cursor, _PAGE)
        return page.items, page.cursor is not None

    def _to_number(self, account: str, number: str, before: str) -> tuple[Sequence[Facts], bool]:
        named = messages.to_number(account, number, self._since_ms, self._until_ms, before=before, limit=self._limit)
        self._reads += 1 + len(named)
        page = [Facts(one, tuple(messages.facts_of(account, one, consistent=False))) for one in named]
        return page, len(named) == self._limit
