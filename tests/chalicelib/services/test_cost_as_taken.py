"""What a message cost: the parts that were taken, at the gateway that took them, by the snapshot that decided."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from chalicelib.domain import ids
from chalicelib.domain.cdr import Cdr, cdr_of
from chalicelib.domain.costs import GatewayCosts
from chalicelib.domain.message import AnyFact, Final, Queued, Status, Submitted
from chalicelib.domain.rules import NumberingPrefix
from chalicelib.domain.tariff import TariffLine
from chalicelib.services.cost_as_taken import cost_as_taken
from chalicelib.store import rules
from tests.chalicelib.services import world
from tests.chalicelib.services.world import NOW_MS

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
    assert cost_as_taken(record(*facts, **changes)).cost_micros == cost_micros
