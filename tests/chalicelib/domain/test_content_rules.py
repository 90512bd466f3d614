"""Content rules: what a text falls under, however it is dressed up; and that no rule takes long."""

import time
from typing import Any

import pytest

from chalicelib.domain.content_rules import BadPattern, Hit, Screen, check_pattern, fold, verdict
from chalicelib.domain.rules import SpamRule

ACCOUNT = "acc_1"


def rule(kind: Any, *patterns: str, id_: str = "r", action: Any = "block", **more: Any) -> SpamRule:
    return SpamRule(id=id_, kind=kind, patterns=patterns, action=action, **more)


HITS = [
    ("a word", rule("word", "casino"), "Visit our Casino today"),
    ("a word with accents", rule("word", "crédito"), "CREDITO ya"),
    ("a word without its accents", rule("word", "credito"), "¡Crédito ya!"),
    ("a word beside signs", rule("word", "casino"), "¡¡CASINO!!"),
    ("a word with a zero-width mark in it", rule("word", "casino"), "cas\u200bino"),
    ("a word with a soft hyphen", rule("word", "casino"), "ca\u00adsino"),
    ("a word in full-width letters", rule("word", "casino"), "ＣＡＳＩＮＯ"),
    ("a word in mathematical letters", rule("word", "casino"), "𝐜𝐚𝐬𝐢𝐧𝐨"),
    ("one of many words", rule("word", "one", "two", "casino"), "a casino"),
    ("a phrase", rule("phrase", "free money"), "Get FREE money now"),
    ("a phrase over signs and lines", rule("phrase", "free money"), "free -- \n money"),
    ("a host", rule("url", "bad.example"), "see https://bad.example/x?y"),
    ("a host under it", rule("url", "bad.example"), "see http://www.a.bad.example:8080"),
    ("a host without a scheme", rule("url", "bad.example"), "see bad.example now"),
    ("a host in capitals", rule("url", "bad.example"), "BAD.EXAMPLE"),
    ("any link", rule("url", "*"), "https://t.co/x"),
    ("any link, bare", rule("url", "*"), "pay at example.com/1"),
    ("an expression", rule("regex", r"win\s+\d{3,}"), "WIN  1000 now"),
    ("an expression with accents", rule("regex", "ñandú"), "ÑANDÚ"),
    ("a class of letters", rule("regex", r"^\p{L}+$"), "niño"),
]
NO_HITS = [
    ("a part of a word", rule("word", "casino"), "casinos"),
    ("words in another order", rule("phrase", "free money"), "money free"),
    ("a phrase that goes on inside a word", rule("phrase", "free money"), "free moneys"),
    ("a host that ends like it", rule("url", "bad.example"), "notbad.example"),
    ("a host that begins like it", rule("url", "bad.example"), "bad.example.com"),
    ("a mail address", rule("url", "*"), "write to me@example.com"),
    ("a price", rule("url", "*"), "only 3.50 today"),
    ("the end of a sentence", rule("url", "*"), "Hola.Adios 5"[:4]),
    ("a paused rule", rule("word", "casino", state="paused"), "casino"),
    ("another account's rule", rule("word", "casino", account="acc_2"), "casino"),
    ("an empty text", rule("regex", ".*"), ""),
]


@pytest.mark.parametrize(("label", "given", "text"), HITS, ids=[row[0] for row in HITS])
def test_a_text_falls_under_a_rule_however_it_is_dressed_up(label: str, given: SpamRule, text: str) -> None:
    (hit,) = Screen([given]).hits(ACCOUNT, text)
    assert (hit.rule, hit.action) == ("r", "block")
    assert hit.pattern in given.patterns


@pytest.mark.parametrize(("label", "given", "text"), NO_HITS, ids=[row[0] for row in NO_HITS])
def test_what_only_looks_like_it_goes(label: str, given: SpamRule, text: str) -> None:
    assert Screen([given]).hits(ACCOUNT, text) == ()


def test_the_rules_of_all_and_of_the_account_hold_together_and_the_most_severe_decides() -> None:
    screen = Screen(
        [
            rule("word", "a", id_="1", action="report"),
            rule("word", "b", id_="2", action="hold", account=ACCOUNT),
            rule("word", "c", id_="3", action="block"),
            rule("word", "a", id_="4", action="report"),
        ]
    )
    assert [hit.rule for hit in screen.hits(ACCOUNT, "a b c")] == ["1", "3", "4", "2"]
    assert verdict(screen.hits(ACCOUNT, "a b c")) == Hit("3", "block", "c")
    assert verdict(screen.hits(ACCOUNT, "a b")) == Hit("2", "hold", "b")
    assert verdict(screen.hits("acc_other", "a b")) == Hit("1", "report", "a")
    assert verdict(()) is None


BAD = [
    ("word", ""),
    ("word", " "),
    ("word", "two words"),
    ("word", "x" * 201),
    ("phrase", "!!!"),
    ("url", "https://example.com"),
    ("url", "example"),
    ("url", "exa mple.com"),
    ("url", "*.com"),
    ("regex", "("),
    ("regex", "[a"),
    ("regex", r"(a)\1"),  # a reference back
    ("regex", "(?=x)y"),  # looks around
    ("regex", "(?<!x)y"),
    ("regex", "((a{100}){100}){100}"),
]


@pytest.mark.parametrize(("kind", "pattern"), BAD)
def test_what_is_no_pattern_of_its_kind_is_refused(kind: str, pattern: str) -> None:
    with pytest.raises(BadPattern):
        check_pattern(kind, pattern)


EVIL = [r"(a+)+$", r"(a|a)*b", r"(.*a){20}b", r"^(([a-z])+.)+[A-Z]([a-z])+$", r"(x+x+)+y"]


@pytest.mark.parametrize("pattern", EVIL)
def test_expressions_that_take_other_engines_for_ever_take_milliseconds(pattern: str) -> None:
    screen = Screen([rule("regex", pattern)])
    began = time.process_time()
    screen.hits(ACCOUNT, "a" * 39_000 + "!")
    assert time.process_time() - began < 0.5


def test_a_long_text_against_many_words_and_links_takes_milliseconds() -> None:
    screen = Screen([rule("word", *(f"w{n}" for n in range(200))), rule("url", *(f"h{n}.example" for n in range(200)))])
    for text in ("." * 39_000, "a." * 19_000, "http://" * 5_000, "-" * 39_000, "www." * 9_000):
        began = time.process_time()
        screen.hits(ACCOUNT, text)
        assert time.process_time() - began < 0.5, text[:10]


def test_folding_leaves_other_alphabets_alone() -> None:
    assert fold("Привет") == "привет"
    assert fold("한국어") == "한국어"
    assert fold("Straße") == "strasse"
