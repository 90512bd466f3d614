"""Which senders may be used: the most specific rule alone counts."""

from typing import Any

import pytest

from chalicelib.domain.rules import SenderRule
from chalicelib.domain.senders import Allowed, SenderRules, form_of


def rule(id_: str, *senders: str, **more: Any) -> SenderRule:
    return SenderRule(id=id_, senders=senders, **more)


RULES = SenderRules(
    [
        rule("0all", "Any", replacement="Chasqui"),
        rule("1es", "Espana", country="ES"),
        rule("2acc", "Acme", account="acc_1", forms=("international",)),
        rule("3both", "AcmeES", account="acc_1", country="ES"),
        rule("4both", "Later", account="acc_1", country="ES"),
        rule("5off", "Paused", account="acc_2", state="paused"),
    ]
)
ROWS = [
    ("acc_1", "ES", "AcmeES", Allowed()),
    ("acc_1", "ES", "Acme", None),  # its own rule for the country counts, and no other
    ("acc_1", "ES", "Later", None),  # of two for the same thing the older id stands
    ("acc_1", "FR", "Acme", Allowed()),
    ("acc_1", "FR", "+34600111222", Allowed()),
    ("acc_1", "FR", "12345", None),
    ("acc_1", "FR", "Any", None),
    ("acc_2", "ES", "Espana", Allowed()),
    ("acc_2", "ES", "Acme", None),
    ("acc_2", "FR", "Any", Allowed()),
    ("acc_2", "FR", "Acme", Allowed("Chasqui", "0all")),
    ("acc_2", "FR", "acme", Allowed("Chasqui", "0all")),  # handsets tell case
]


@pytest.mark.parametrize(("account", "country", "sender", "told"), ROWS)
def test_account_and_country_before_account_before_country(
    account: str, country: str, sender: str, told: Allowed | None
) -> None:
    assert RULES.look(account, country, sender) == told


def test_without_rules_any_sender_may_be_used() -> None:
    assert SenderRules([]).look("acc_1", "ES", "Anyone") == Allowed()


@pytest.mark.parametrize(
    ("sender", "form"),
    [
        ("+34600111222", "international"),
        ("123456789012345", "international"),
        ("+1234567890123456", None),
        ("12345", "short_code"),
        ("Acme 24", "alphanumeric"),
        ("abcdefghijk", "alphanumeric"),
        ("abcdefghijkl", None),
        ("", None),
    ],
)
def test_forms_are_those_of_addresses(sender: str, form: str | None) -> None:
    assert form_of(sender) == form
