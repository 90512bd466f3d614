"""When a gateway's figures are worth a look."""

import pytest

from chalicelib.domain import latency
from chalicelib.domain.day_summary import SummaryLine
from chalicelib.domain.gateway_quality import DEFAULTS, findings
from chalicelib.domain.traffic import nothing

SPREAD = {1_200: 300, 2_600: 300, 4_200: 200, 12_000: 100, 70_000: 60, 4_000_000: 40}  # ms → deliveries


def line(messages: int, ends: dict[str, int], latencies: dict[int, int]) -> SummaryLine:
    made = nothing()
    made.messages, made.ends = messages, ends
    for took_ms, count in latencies.items():
        made.latency = latency.add(made.latency, took_ms, count)
    return made


@pytest.mark.parametrize(
    ("what", "figures", "codes"),
    [
        ("a network as they are", line(1050, {"delivered": 950, "undelivered": 50}, SPREAD), ()),
        (
            "made up: each after three seconds, whichever side of the bound",
            line(1000, {"delivered": 1000}, {2_990: 700, 3_010: 300}),
            ("all_delivered", "uniform_latency", "made_up_receipts"),
        ),
        ("all delivered, but as handsets are found", line(1000, {"delivered": 1000}, SPREAD), ("all_delivered",)),
        ("uniform, and not all", line(1000, {"delivered": 900, "expired": 100}, {2_500: 900}), ("uniform_latency",)),
        ("too few to say", line(199, {"delivered": 199}, {2_500: 199}), ()),
        ("few arrive", line(1000, {"delivered": 600, "undelivered": 400}, {}), ("few_delivered",)),
        ("no receipts", line(1000, {"delivered": 500, "expired": 40}, SPREAD), ("receipts_missing",)),
        ("nobody knows", line(1000, {"delivered": 800, "unknown": 150}, {}), ("many_unknown",)),
    ],
)
def test_a_finding_is_told_where_the_table_says_so(what: str, figures: SummaryLine, codes: tuple[str, ...]) -> None:
    assert tuple(one.code for one in findings(figures)) == codes, what


def test_thresholds_can_be_others() -> None:
    few = line(10, {"delivered": 10}, {})
    assert [one.code for one in findings(few, DEFAULTS._replace(enough=5))] == ["all_delivered"]
