"""Find messages over all accounts: by id, by an SMSC's id, by number; else by going through the logs, newest first.

By id and by number every account is asked, since a message's key begins with its account: 300 keys, or 100 small
queries, a hundred accounts. An index over all accounts would cost a write for each message, for what a person looks up
now and then.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.cdr import Cdr, cdr_of
from chalicelib.domain.facts import AnyFact
from chalicelib.domain.receipts import id_forms
from chalicelib.domain.status import Status
from chalicelib.services.cost_as_taken import cost_as_taken
from chalicelib.services.faults import invalid_field
from chalicelib.services.read_messages import Span
from chalicelib.services.walk_messages import Ground, Position, position_of, some_accounts, walk
from chalicelib.store import hash_keys, messages, receipt_pointers, rule_rows

_ACCOUNTS_AT_ONCE: Final = 100  # three batches of keys
_MAX_TURNS: Final = 20
_FIRST_FACTS: Final = (messages.ACCEPTED, messages.QUEUED, "scheduled")  # one of them every message has


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; None is anything. `number`: E.164 with +. `gateway`: charged for, or submitted to."""

    account: str | None = None
    message_id: str | None = None
    smsc_id: str | None = None
    number: str | None = None
    text_hash: str | None = None
    gateway: str | None = None
    status: Status | None = None
    sender: str | None = None
    job: str | None = None
    route: str | None = None

    def fits(self, cdr: Cdr) -> bool:
        """Whether the message is one of them."""
        asked = (
            (self.account, cdr.account),
            (self.message_id, cdr.message_id),
            (self.number, cdr.mobile_number),
            (self.text_hash, cdr.text_hash),
            (self.status, cdr.status),
            (self.sender, cdr.sender),
            (self.job, cdr.job),
            (self.route, cdr.route),
        )
        return (
            all(want is None or want == has for want, has in asked)
            and (self.gateway is None or self.gateway in (cdr.gateway, cdr.submitted_to))
            and (self.smsc_id is None or not _forms(self.smsc_id).isdisjoint(cdr.smsc_ids))
        )


Found = tuple[list[Cdr], Position | None]


def check(wanted: Wanted) -> Wanted:
    """Itself. Raises Fault `invalid_request` where it asks for two things at once."""
    if wanted.message_id is not None and wanted.smsc_id is not None:
        raise invalid_field("smsc_id", "not_allowed", "a message is looked for by its id, or by an SMSC's")
    return wanted


def find(wanted: Wanted, days: Span, position: Any, limit: int) -> Found:
    """Up to `limit` messages, and where to go on (None: all was seen). `position`: None, or from before.

    `days` (UTC, of their making) do not matter where a message's id is given, nor where an SMSC's id is known. Raises
    Fault `invalid_cursor`, `not_found` (the account).
    """
    if wanted.message_id is not None:
        return _by_id(wanted, wanted.message_id, Position() if position is None else position_of(position))
    if wanted.smsc_id is not None and position is None:
        known = _by_pointer(wanted, wanted.smsc_id)
        if known:
            return known[:limit], None

    def pick(account: Account, message_id: str, facts: Sequence[AnyFact]) -> Cdr | None:
        cdr = cdr_of(message_id, account.id, facts, hash_keys.of(account.id))
        return cost_as_taken(cdr) if cdr is not None and wanted.fits(cdr) else None

    return walk(Ground(days=days, account=wanted.account, number=wanted.number), position, limit, pick)


def owner_of(message_id: str) -> str | None:
    """The account whose message it is, of some thousand accounts; None where none of them has it."""
    found, _ = _by_id(Wanted(message_id=message_id), message_id, Position())
    return found[0].account if found else None


def _by_id(wanted: Wanted, message_id: str, at: Position) -> Found:
    """The message, of whichever account it is."""
    try:
        ids.check_message_id(message_id)
    except ids.BadId:
        return [], None
    for _ in range(_MAX_TURNS):
        some = some_accounts(wanted.account, at.done, _ACCOUNTS_AT_ONCE)
        for owner, _facts in messages.named((account.id, message_id, key) for account in some for key in _FIRST_FACTS):
            cdr = _record(message_id, owner)
            return ([cdr] if cdr is not None and wanted.fits(cdr) else []), None
        if wanted.account is not None or len(some) < _ACCOUNTS_AT_ONCE:
            return [], None
        at = Position(done=some[-1].id)
    return [], at


def _by_pointer(wanted: Wanted, smsc_id: str) -> list[Cdr]:
    """The messages that gateways' SMSCs call so now; they use their ids again, and are forgotten after a week."""
    pointers = receipt_pointers.find((gateway, _forms(smsc_id)) for gateway in _gateways(wanted))
    whose = sorted({(one.account, one.message) for one in pointers.values()})
    cdrs = (_record(message, account) for account, message in whose)
    return [cdr for cdr in cdrs if cdr is not None and wanted.fits(cdr)]


def _record(message_id: str, account: str) -> Cdr | None:
    cdr = cdr_of(message_id, account, messages.facts_of(account, message_id), hash_keys.of(account))
    return None if cdr is None else cost_as_taken(cdr)


def _gateways(wanted: Wanted) -> Sequence[str]:
    return (wanted.gateway,) if wanted.gateway else [gateway.id for gateway in rule_rows.gateways.everything()]


def _forms(smsc_id: str) -> frozenset[str]:
    """However it is written: as in a receipt, or in an operator's list."""
    return frozenset(id_forms(smsc_id, "either"))
