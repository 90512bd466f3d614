"""Opt out: a recipient leaves an account's service, or comes back; by a word that it writes, by the API, by a list."""

import logging
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from chalicelib.domain.account import Account, OptOutWords
from chalicelib.domain.content import Category
from chalicelib.domain.numbers import BadNumber, Number, normalize
from chalicelib.domain.opt_outs import Meaning, understood
from chalicelib.services import record_change
from chalicelib.services.faults import Fault, invalid_field, not_found
from chalicelib.services.import_numbers import Import, import_numbers
from chalicelib.store import accounts, opt_outs
from chalicelib.store.opt_outs import OptOut

log: Final = logging.getLogger(__name__)
_ATTEMPTS: Final = 5  # somebody else changes the account at the same moment


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What an inbound message meant, and what to answer: to whom it came from, from where it was sent to.

    An empty text: nothing. It is to be sent with this category, or the opt-out would stop it.
    """

    meaning: Meaning
    to: str
    sender: str
    text: str
    category: Category = "confirmation"


def heard(account: Account, sender: str, recipient: str, text: str, now_ms: int) -> Reply | None:
    """Note what `sender` (E.164) wrote to the account's number `recipient` at that instant, if it is such a wish.

    Hearing it again, or late, changes nothing: the newest wish stands, by the time of the message.
    """
    wish = understood(text, account.opt_out_words)
    if wish is None:
        return None
    left = wish.meaning == "leave"
    if left:
        _flag(account)
    opt_outs.note(OptOut(account=account.id, number=sender, left=left, at_ms=now_ms, way="keyword", word=wish.word))
    log.info("opt-out" if left else "opt-out undone", extra={"account": account.id, "word": wish.word})
    return Reply(meaning=wish.meaning, to=sender, sender=recipient, text=wish.text)


def leave(account: Account, number: str, now_ms: int) -> OptOut:
    """The number has left, as the account says. Raises Fault `invalid_request`."""
    try:
        known = normalize(number, account.default_region)
    except BadNumber as error:
        raise invalid_field("/number", error.code, str(error)) from None
    _flag(account)
    opt_out = OptOut(account=account.id, number=known.e164, left=True, at_ms=now_ms, way="api")
    opt_outs.note(opt_out)
    record_change.changed("opt_out", known.e164, None, {"left": True})
    return read(account, known.e164)


def import_list(account: Account, given: bytes | Iterable[str], now_ms: int) -> Import:
    """The list's numbers have left. Raises Fault `list_too_long`."""

    def write(numbers: list[Number]) -> None:
        _flag(account)
        opt_outs.put_many(
            OptOut(account=account.id, number=number.e164, left=True, at_ms=now_ms, way="import") for number in numbers
        )

    imported = import_numbers(given, account.default_region, write)
    record_change.changed("opt_out", "import", None, {"imported": imported.imported, "invalid": imported.invalid})
    return imported


def read(account: Account, number: str) -> OptOut:
    """The number's opt-out. Raises Fault `not_found`."""
    held = opt_outs.get(account.id, f"+{number.lstrip('+')}")
    if held is None:
        raise not_found("opt-out")
    return held


def come_back(account: Account, number: str, now_ms: int) -> str:
    """The number gets messages again, as the account says. Raises Fault `not_found`."""
    held = read(account, number)
    opt_outs.note(msgspec.structs.replace(held, left=False, at_ms=max(now_ms, held.at_ms), way="api", word=None))
    record_change.changed("opt_out", held.number, {"left": held.left}, {"left": False})
    return held.number


def set_words(account: Account, words: Sequence[OptOutWords]) -> tuple[OptOutWords, ...]:
    """The account's own words; none: those of all. Raises Fault `version_conflict`."""
    _change(account.id, opt_out_words=tuple(words))
    record_change.changed(
        "account", account.id, {"opt_out_words": account.opt_out_words}, {"opt_out_words": tuple(words)}
    )
    return tuple(words)


def _flag(account: Account) -> None:
    """Have the account's recipients looked up from now on. Before the first opt-out is noted: none must be missed."""
    if not account.has_opt_outs:
        _change(account.id, has_opt_outs=True)


def _change(account: str, **changes: object) -> None:
    for _ in range(_ATTEMPTS):
        row = accounts.versioned(account)
        if row is None:
            raise not_found("account")
        changed = msgspec.structs.replace(row.value, **changes)
        if changed == row.value or accounts.change(account, row.version, changed):
            return
    raise Fault("version_conflict", "the account kept changing")
