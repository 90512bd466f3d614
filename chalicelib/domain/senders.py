"""Which senders an account may have where: the most specific rule of the published ones decides. Pure."""

from collections.abc import Iterable
from typing import Final

import msgspec

from chalicelib.domain.numbers import BadSender, parse_sender
from chalicelib.domain.rules import SenderForm, SenderRule

_FORMS: Final[dict[int, SenderForm]] = {1: "international", 3: "short_code", 5: "alphanumeric"}  # by TON


class Allowed(msgspec.Struct, frozen=True):
    """The sender may be used; or, where `replacement` is not empty, that one goes out instead."""

    replacement: str = ""
    rule: str = ""


class SenderRules:
    """The sender rules of a snapshot, indexed. Never changes."""

    def __init__(self, rules: Iterable[SenderRule]) -> None:
        self._rules: dict[tuple[str | None, str | None], SenderRule] = {}
        for rule in sorted(rules, key=lambda rule: rule.id):
            if rule.state == "active":  # of two for the same thing the older id stands
                self._rules.setdefault((rule.account, rule.country), rule)

    def look(self, account: str, country: str, sender: str) -> Allowed | None:
        """What becomes of the sender; None: it is refused. Account before country; without a rule all may be used."""
        if not self._rules:
            return Allowed()
        places = ((account, country), (account, None), (None, country), (None, None))
        rule = next((self._rules[place] for place in places if place in self._rules), None)
        if rule is None or sender in rule.senders or form_of(sender) in rule.forms:
            return Allowed()
        return Allowed(rule.replacement, rule.id) if rule.replacement else None


def form_of(sender: str) -> SenderForm | None:
    """The form of a sender, or None where it is none."""
    try:
        return _FORMS[parse_sender(sender).ton]
    except BadSender:
        return None
