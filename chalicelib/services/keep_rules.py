"""Keep content rules, sender rules and the countries' hours: rows that are used once published."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from chalicelib.domain.content_rules import BadPattern, Hit, Screen, check_pattern, verdict
from chalicelib.domain.numbers import BadSender, parse_sender
from chalicelib.domain.rules import CountryRule, SenderRule, SpamRule
from chalicelib.domain.suppression import BadZone, zone
from chalicelib.services import record_change
from chalicelib.services.faults import Fault, FieldFault, invalid, invalid_field, not_found
from chalicelib.store import rule_rows
from chalicelib.store.rows import MUST_BE_NEW, Row, Rows

R = TypeVar("R", SpamRule, SenderRule)


def create_spam_rule(rule: SpamRule) -> Row[SpamRule]:
    """The rule. Raises Fault `invalid_request` with each bad pattern, `already_exists`."""
    _check_patterns(rule)
    return _create(rule_rows.spam, rule)


def change_spam_rule(rule: SpamRule, expected_version: int) -> Row[SpamRule]:
    """The rule over that version of it. Raises Fault `invalid_request`, `not_found`, `version_conflict`."""
    _check_patterns(rule)
    return _change(rule_rows.spam, rule, expected_version)


def create_sender_rule(rule: SenderRule) -> Row[SenderRule]:
    """The rule, its senders written as messages have them. Raises Fault `invalid_request`, `already_exists`."""
    return _create(rule_rows.senders, _with_senders(rule))


def change_sender_rule(rule: SenderRule, expected_version: int) -> Row[SenderRule]:
    """The rule over that version of it. Raises Fault `invalid_request`, `not_found`, `version_conflict`."""
    return _change(rule_rows.senders, _with_senders(rule), expected_version)


def set_country(rule: CountryRule) -> CountryRule:
    """The country's hours, over what was set before. Raises Fault `invalid_request`."""
    try:
        zone(rule.time_zone)
    except BadZone as error:
        raise invalid_field("/time_zone", error.code, str(error)) from None
    held = rule_rows.countries.get(rule.country, consistent=True)
    rule_rows.countries.put(rule)
    record_change.changed("country", rule.country, held.value if held else None, rule)
    return rule


def tried(text: str, account: str, rules: Sequence[SpamRule]) -> tuple[tuple[Hit, ...], Hit | None]:
    """The rules that the text would fall under, and the hit that would decide; counts nothing."""
    hits = Screen(rules).hits(account, text)
    return hits, verdict(hits)


def _create(rows: Rows[R], rule: R) -> Row[R]:
    if not rows.put(rule, expected=MUST_BE_NEW):
        raise Fault("already_exists", f"there is a rule {rule.id}")
    record_change.changed(_kind(rule), rule.id, None, rule)
    return Row(rule, 1)


def _change(rows: Rows[R], rule: R, expected_version: int) -> Row[R]:
    held = rows.get(rule.id, consistent=True)
    if held is None:
        raise not_found("rule")
    if not rows.put(rule, expected=expected_version):
        raise Fault("version_conflict", f"the rule is at version {held.version}")
    record_change.changed(_kind(rule), rule.id, held.value, rule)
    return Row(rule, expected_version + 1)


def _kind(rule: SpamRule | SenderRule) -> str:
    return "rule" if isinstance(rule, SpamRule) else "sender_rule"


def _check_patterns(rule: SpamRule) -> None:
    faults = []
    for number, pattern in enumerate(rule.patterns):
        try:
            check_pattern(rule.kind, pattern)
        except BadPattern as error:
            faults.append(FieldFault(field=f"/patterns/{number}", code=error.code, detail=str(error)))
    if faults:
        raise invalid(*faults)


def _with_senders(rule: SenderRule) -> SenderRule:
    faults: list[FieldFault] = []
    senders = [_sender(faults, f"/senders/{number}", sender) for number, sender in enumerate(rule.senders)]
    replacement = None if rule.replacement is None else _sender(faults, "/replacement", rule.replacement)
    if faults:
        raise invalid(*faults)
    return msgspec.structs.replace(rule, senders=tuple(senders), replacement=replacement)


def _sender(faults: list[FieldFault], field: str, given: str) -> str:
    try:
        return str(parse_sender(given))
    except BadSender as error:
        faults.append(FieldFault(field=field, code=error.code, detail=str(error)))
        return ""
