"""Charging's sums: what a bundle costs, and the record of its verdicts that a replay reads."""

from typing import Any

import msgspec
import pytest

from chalicelib.domain import charging
from chalicelib.domain.charging import Charge, Verdict, Verdicts
from chalicelib.domain.content import Content
from chalicelib.domain.decision import Decision
from chalicelib.domain.refusals import REASONS, by_content, refusal
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding
from chalicelib.domain.usage import UsageLine

NOW_MS = 1_760_000_000_000
SLOT = "2025-10-09T08:45"


def decision(price_micros: int = 10, operator: str = "op") -> Decision:
    return Decision(gateway="g", route="r", operator=operator, price_micros=price_micros, rules=1, why="w")


def content(parts: int = 1, valid_until_ms: int = NOW_MS + 1) -> Content:
    return Content(
        to="+34600111222", country="ES", sender="A", encoding=Encoding.GSM7, parts=parts, valid_until_ms=valid_until_ms
    )


def line(operator: str = "op", **counts: Any) -> UsageLine:
    return UsageLine(slot=SLOT, country="ES", operator=operator, gateway="g", **counts)


def charge(bundle: str, lines: int) -> Charge:
    usage = tuple(line(f"op{number}") for number in range(lines))
    return Charge(
        account="a", bundle=bundle, at_ms=0, amount_micros=1, verdicts=charging.gather([decision()]), usage=usage
    )


def test_a_bundle_costs_price_times_parts_of_what_is_sent() -> None:
    asked: list[tuple[Content, Verdict]] = [
        (content(parts=2), decision(10)),
        (content(), decision(5, operator="other")),
        (content(parts=9), refusal("no_route")),
        (content(parts=9, valid_until_ms=NOW_MS), decision(10)),
    ]
    made = charging.propose("a", "B", asked, NOW_MS)
    assert (made.amount_micros, made.kind) == (25, "charge")
    assert made.usage == (
        line(messages=1, parts=2, credits_micros=20),
        line("other", messages=1, parts=1, credits_micros=5),
        UsageLine(slot=SLOT, country="ES", refused=2),
    )
    assert [type(verdict).__name__ for verdict in made.verdicts.each()] == [
        "Decision", "Decision", "Refusal", "Refusal",
    ]  # fmt: skip
    assert made.verdicts.refusals[1].status is Status.EXPIRED


def test_a_refused_bundle_costs_nothing_and_keeps_the_reasons_it_had() -> None:
    asked: list[tuple[Content, Verdict]] = [(content(), decision()), (content(), refusal("no_route"))]
    made = charging.refuse(charging.propose("a", "B", asked, NOW_MS), "no_credit")
    counted = (UsageLine(slot=SLOT, country="ES", refused=2),)
    assert (made.amount_micros, made.usage, made.kind) == (0, counted, "refusal")
    assert [one.error.code for one in made.verdicts.each() if not isinstance(one, Decision)] == [
        "no_credit", "no_route",
    ]  # fmt: skip


def test_verdicts_are_kept_once_each_and_come_back_as_they_were() -> None:
    told: list[Verdict] = [
        decision(),
        refusal("no_route"),
        decision(),
        decision(11),
        refusal("no_credit"),
        refusal("no_route"),
    ]
    kept = charging.gather(told)
    assert (len(kept.decisions), len(kept.refusals)) == (2, 2)
    assert msgspec.json.decode(msgspec.json.encode(kept), type=Verdicts).each() == told


def test_a_campaigns_verdicts_stay_under_a_kilobyte() -> None:
    assert len(msgspec.json.encode(charging.gather([decision()] * 98))) < 1024


def test_what_is_held_is_not_counted_before_somebody_has_decided() -> None:
    asked: list[tuple[Content, Verdict]] = [(content(), by_content("cr_1", hold=True))]
    assert charging.propose("a", "B", asked, NOW_MS).usage == ()


def test_usage_knows_what_the_operators_ask_for_as_far_as_anybody_has_said() -> None:
    dear = msgspec.structs.replace(decision(), cost_micros=7)
    (counted,) = charging.propose("a", "B", [(content(parts=3), dear), (content(), decision())], NOW_MS).usage
    assert (counted.messages, counted.cost_micros) == (2, 21)


@pytest.mark.parametrize(
    ("lines", "groups"),
    [
        ([1, 1, 1], [3]),
        ([1] * 5, [5]),
        ([3, 3, 3], [2, 1]),
        ([10, 1], [1, 1]),
        ([], []),
    ],
)
def test_charges_are_grouped_as_a_transaction_holds_them(lines: list[int], groups: list[int]) -> None:
    made = charging.grouped([charge(str(number), count) for number, count in enumerate(lines)], max_items=11)
    assert [len(group) for group in made] == groups


@pytest.mark.parametrize("code", sorted(REASONS.keys() - {"held"}))
def test_each_reason_ends_a_message_for_good_with_a_sentence(code: str) -> None:
    made = refusal(code)
    assert made.status in {Status.REJECTED, Status.EXPIRED, Status.CANCELED}
    assert made.error.code == code
    assert made.error.title.endswith(".")


def test_what_is_held_has_not_ended() -> None:
    assert refusal("held").status is Status.ACCEPTED
    assert by_content("cr_1", hold=True).held
    assert not by_content("cr_1", hold=False).held


def test_a_code_that_the_table_lacks_is_never_made_up() -> None:
    with pytest.raises(KeyError):
        refusal("no_such_code")
