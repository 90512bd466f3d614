"""Looks recipients up in both lists of those not to be written to, Do Not Disturb and opt-outs, in one call for 100."""

import random
import time
from collections import defaultdict
from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

from chalicelib.domain.suppression import NOTHING_KNOWN, Known
from chalicelib.store import aws, dynamo
from chalicelib.store.dnd import DndTable
from chalicelib.store.opt_outs import OptOutTable

_ATTEMPTS: Final = 8
_PAUSE_SECONDS: Final = 0.025


def find(numbers: Iterable[str], pairs: Iterable[tuple[str, str]]) -> Known:
    """Which of the numbers are on the DND list, and which (account, number) pairs have opted out.

    Raises dynamo.Overloaded where some stay unread.
    """
    dnd, opt_outs = (model._get_connection().table_name for model in (DndTable, OptOutTable))
    asked = iter(
        [
            *((dnd, {"number": {"S": number}}) for number in dict.fromkeys(numbers)),
            *((opt_outs, {"account": {"S": one}, "number": {"S": two}}) for one, two in dict.fromkeys(pairs)),
        ]
    )
    found: dict[str, list[Any]] = defaultdict(list)
    while some := list(islice(asked, dynamo.BATCH_GET)):
        for table, items in _read(some):
            found[table] += items
    if not found:
        return NOTHING_KNOWN
    return Known(
        dnd=frozenset(item["number"]["S"] for item in found[dnd]),
        opted_out=frozenset(
            (item["account"]["S"], item["number"]["S"]) for item in found[opt_outs] if item["left"]["BOOL"]
        ),
    )


def _read(asked: list[tuple[str, dict[str, Any]]]) -> Iterable[tuple[str, list[Any]]]:
    left: dict[str, Any] = {}
    for table, key in asked:
        left.setdefault(table, {"Keys": []})["Keys"].append(key)
    for attempt in range(_ATTEMPTS):
        answer = aws.client("dynamodb").batch_get_item(RequestItems=left)
        yield from answer["Responses"].items()
        left = answer.get("UnprocessedKeys")
        if not left:
            return
        time.sleep(random.uniform(0, _PAUSE_SECONDS * 2**attempt))  # noqa: S311 - no secret
    raise dynamo.Overloaded("recipients stayed unread in the lists of those not to be written to")
