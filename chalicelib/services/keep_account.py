"""Open and change accounts: what an administrator may set, and what must fit together."""

from collections.abc import Sequence
from typing import Final

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.ip_rules import BadIpRule, parse_rule
from chalicelib.domain.numbers import BadSender, parse_sender
from chalicelib.domain.schedule import BadZone, zone
from chalicelib.services import blank_texts, record_change, tell_price_changes
from chalicelib.services.faults import Fault, FieldFault, invalid, invalid_field, not_found
from chalicelib.services.follow_state import follow_state
from chalicelib.services.refuse_losses import check_account
from chalicelib.store import accounts, hash_keys
from chalicelib.store.rows import Row

# What no administrator sets: it follows from what else the account has, or the customer sets it.
_KEPT: Final = ("created_ms", "listens", "has_opt_outs", "opt_out_words")


def open_account(account: Account, now_ms: int) -> Row[Account]:
    """The account with an id of its own and an empty wallet. Raises Fault `invalid_request`, `below_cost`."""
    _check(account)
    opened = msgspec.structs.replace(account, id=ids.new_id("acc", now_ms), created_ms=now_ms)
    check_account(opened, None, now_ms)
    _make_key(opened)
    if not accounts.create(opened):
        raise Fault("already_exists", "the id is taken")  # an id was drawn twice: drawing again will do
    record_change.changed("account", opened.id, None, opened, account=opened.id)
    return Row(opened, 1)


def change_account(account: Account, expected_version: int, now_ms: int) -> Row[Account]:
    """The account over that version of it.

    Raises Fault `not_found`, `version_conflict`, `invalid_request`, `below_cost`. What a state has to be followed by,
    the same change once more does, where it was not done.
    """
    _check(account)
    held = accounts.versioned(account.id)
    if held is None:
        raise not_found("account")
    if account.shards < held.value.shards:
        raise invalid_field("/shards", "out_of_range", "messages lie in the shards there are: their number only grows")
    kept = {name: getattr(held.value, name) for name in _KEPT}
    changed = msgspec.structs.replace(account, **kept)
    check_account(changed, held.value, now_ms)
    _make_key(changed)
    blank_texts.begin_older(held.value, changed, now_ms)
    if not accounts.change(account.id, expected_version, changed):
        raise Fault("version_conflict", f"the account is at version {held.version}")
    record_change.changed("account", account.id, held.value, changed)
    follow_state(changed, now_ms)
    tell_price_changes.of_account(held.value, changed, expected_version + 1, now_ms)
    return Row(changed, expected_version + 1)


def _make_key(account: Account) -> None:
    """Who notes its messages reads the key that their texts are hashed with, and may not make it."""
    if account.text_retention == "hash":
        hash_keys.of(account.id)


def _check(account: Account) -> None:
    if (account.default_gateway is None) is not (account.default_price_micros is None):
        raise invalid_field("/default_price", "missing", "a default gateway and its price are set together")
    if account.default_sender is not None:
        try:
            parse_sender(account.default_sender)
        except BadSender as error:
            raise invalid_field("/default_sender", error.code, str(error)) from None
    try:
        zone(account.time_zone)
    except BadZone as error:
        raise invalid_field("/time_zone", error.code, str(error)) from None
    check_ip_rules(account.ip_rules)


def check_ip_rules(rules: Sequence[str]) -> None:
    """Raises Fault `invalid_request`, with each rule that is none."""
    faults = []
    for number, rule in enumerate(rules):
        try:
            parse_rule(rule)
        except BadIpRule as error:
            faults.append(FieldFault(field=f"/ip_rules/{number}", code=error.code, detail=str(error)))
    if faults:
        raise invalid(*faults)
