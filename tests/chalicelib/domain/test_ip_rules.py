"""Which addresses rules let in, and which texts are no rules."""

import pytest

from chalicelib.domain.ip_rules import BadIpRule, allows, parse_rule

LET_IN = [
    ((), "203.0.113.7"),
    ((), "nonsense"),  # without rules nobody asks where a call comes from
    (("203.0.113.0/24",), "203.0.113.7"),
    (("203.0.113.7",), "203.0.113.7"),
    (("198.51.100.0/24", "203.0.113.0/24"), "203.0.113.255"),
    (("0.0.0.0/0",), "8.8.8.8"),
    (("2001:db8::/32",), "2001:db8:0:0::1"),
    (("2001:db8::1",), "2001:0db8:0000:0000:0000:0000:0000:0001"),
    (("203.0.113.0/24",), "::ffff:203.0.113.7"),
    (("fe80::/10",), "fe80::1%eth0"),
    (("::/0", "0.0.0.0/0"), "203.0.113.7"),
]
KEPT_OUT = [
    (("203.0.113.0/24",), "203.0.114.7"),
    (("203.0.113.7",), "203.0.113.8"),
    (("2001:db8::/32",), "2001:db9::1"),
    (("0.0.0.0/0",), "2001:db8::1"),
    (("::/0",), "203.0.113.7"),
    (("::/0",), "::ffff:203.0.113.7"),  # it is IPv4, however it is written
    (("203.0.113.0/24",), ""),
    (("0.0.0.0/0", "::/0"), "nonsense"),
    (("0.0.0.0/0",), "203.0.113.7, 10.0.0.1"),
]
NO_RULES = [
    "",
    " ",
    "any",
    "*",
    "256.0.0.1",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10.0.0",
    "010.0.0.1",
    "2001:db8::/129",
    "2001:db8::1::2",
    "fe80::1%eth0",
    "١٠.٠.٠.١",
    " 10.0.0.1",
    "10.0.0.1\n",
    "9" * 5000,
]


@pytest.mark.parametrize(("rules", "address"), LET_IN)
def test_an_address_in_a_rules_network_may_come(rules: tuple[str, ...], address: str) -> None:
    assert allows(rules, address)


@pytest.mark.parametrize(("rules", "address"), KEPT_OUT)
def test_an_address_in_no_rules_network_may_not_come(rules: tuple[str, ...], address: str) -> None:
    assert not allows(rules, address)


@pytest.mark.parametrize("text", NO_RULES)
def test_what_is_no_network_is_no_rule(text: str) -> None:
    with pytest.raises(BadIpRule):
        parse_rule(text)


def test_bits_beyond_the_mask_are_told_with_the_network_that_would_be_meant() -> None:
    with pytest.raises(BadIpRule, match=r"10\.0\.0\.0/8"):
        parse_rule("10.1.2.3/8")
    with pytest.raises(BadIpRule, match="2001:db8::/32"):
        parse_rule("2001:db8::1/32")


def test_a_list_with_a_bad_rule_lets_nobody_in_by_mistake() -> None:
    with pytest.raises(BadIpRule):
        allows(("10.0.0.0/8", "nonsense"), "10.0.0.1")
