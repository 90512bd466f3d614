"""What a message cost: the parts that were taken, at the gateway that took them, by the snapshot that decided."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.cdr import Cdr, cdr_of
from chalicelib.domain.costs import GatewayCosts
from chalicelib.domain.facts import AnyFact, Final, Queued, Submitted
from chalicelib.domain.rules import NumberingPrefix
from chalicelib.domain.status import Status
from chalicelib.domain.tariff import TariffLine
from chalicelib.domain.texts import ERASED
from chalicelib.services import check_submits, close_day
from chalicelib.services.charge import charge
from chalicelib.services.cost_as_taken import cost_as_taken
from chalicelib.services.read_messages import Span
from chalicelib.services.settle import settle
from chalicelib.store import day_summaries, rules
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, NOW_MS, OTHER_GATEWAY

pytestmark = pytest.mark.usefixtures("aws")
DAY_MS = 86_400_000


def record(*facts: AnyFact, **changes: Any) -> Cdr:
    queued = Queued(
        at_ms=NOW_MS,
        content=world.draft(parts=3).content,
        gateway="chosen",
        route="r",
        operator="Movistar",
        price_micros=50,
        charge_micros=150,
        rules=1,
        bundle="b",
        why="",
        cost_micros=10,
    )
    made = cdr_of(ids.new_message_id(NOW_MS), "acc_one", [msgspec.structs.replace(queued, **changes), *facts])
    assert made is not None
    return made


def taken(gateway: str, parts: int) -> list[Submitted]:
    return [
        Submitted(
            at_ms=NOW_MS + 1, part=part, parts=3, gateway=gateway, smsc_message_id=f"{gateway}-{part}", session="s"
        )
        for part in range(1, parts + 1)
    ]


def end(status: Status) -> Final:
    return Final(at_ms=NOW_MS + 2, status=status)


@pytest.mark.parametrize(
    ("facts", "changes", "cost_micros"),
    [
        ([], {}, 30),  # nobody knows more yet
        (taken("chosen", 3), {}, 30),
        ([*taken("chosen", 1), end(Status.FAILED)], {}, 10),
        ([end(Status.CANCELED)], {}, 0),
        ([end(Status.UNKNOWN)], {}, 30),  # it may have been taken
        (taken("other", 3), {}, 12),
        (taken("other", 3), {"cost_micros": None}, 12),
        (taken("unpriced", 3), {}, None),
        (taken("other", 3), {"rules": 9}, None),  # which there is none of
        (taken("chosen", 3), {"cost_micros": None}, None),
    ],
)
def test_cost_follows_who_took_how_much(
    facts: Sequence[AnyFact], changes: dict[str, Any], cost_micros: int | None
) -> None:
    later = TariffLine(country="ES", operator="Movistar", amount_micros=99, from_ms=NOW_MS + DAY_MS)
    costs = GatewayCosts(gateway="other", lines=(TariffLine(country="ES", operator="Movistar", amount_micros=4), later))
    plan = [NumberingPrefix(prefix="346", country="ES", operator="Movistar")]
    rules.publish([], [], plan, by="test", note="", now_ms=NOW_MS, costs=[costs])
    told = record(*facts, **changes)
    assert cost_as_taken(told).cost_micros == cost_micros
    assert cost_as_taken(msgspec.structs.replace(told, mobile_number=ERASED)).cost_micros == cost_micros


def test_a_closed_day_and_the_invoice_have_the_cost_of_the_gateway_that_took_a_message() -> None:
    costs = [
        GatewayCosts(gateway=gateway, lines=(TariffLine(country="ES", operator="Movistar", amount_micros=amount),))
        for gateway, amount in ((GATEWAY, 10_000), (OTHER_GATEWAY, 4_000))
    ]
    plan = [NumberingPrefix(prefix="346", country="ES", operator="Movistar")]
    rules.publish([], [], plan, by="test", note="", now_ms=NOW_MS, costs=costs)
    world.open_account(credit_micros=10**9)
    stayed, moved, refused = (world.draft(parts=2) for _ in range(3))
    told = msgspec.structs.replace(world.decision(), cost_micros=10_000)
    charge([world.routed(one, by=told) for one in (stayed, moved, refused)], NOW_MS)
    elsewhere = [world.submitted(moved.id, f"M{part}", part, 2) for part in (1, 2)]
    happened: list[wire.Outcome] = [
        *(world.submitted(stayed.id, f"S{part}", part, 2) for part in (1, 2)),
        *(msgspec.structs.replace(one, gateway=OTHER_GATEWAY) for one in elsewhere),
        world.ended(refused.id, Status.REJECTED),
    ]
    settle([world.outcomes(*happened)], NOW_MS + 10_000)
    day = date.fromisoformat(ids.day_at(NOW_MS))
    close_day.close(close_day.begin(ACCOUNT, day, NOW_MS + DAY_MS, final=True), NOW_MS + DAY_MS)
    assert sum(line.cost_micros for line in day_summaries.get(day.isoformat())) == 20_000 + 8_000 + 0
    invoices, _ = check_submits.check(None, Span(day, day), None, 10)
    assert {one.gateway: (one.submitted_parts, one.cost_micros) for one in invoices} == {
        GATEWAY: (2, 20_000),
        OTHER_GATEWAY: (2, 8_000),
    }
