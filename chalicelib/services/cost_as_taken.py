"""Cost as taken: what a message cost at the gateway that took it, which need not be the one that it was charged for.

Until a day is closed, what is told of costs is what was decided: every part, at the gateway that was chosen. An
operator's invoice has only what its SMSC took.
"""

import msgspec

from chalicelib.domain.cdr import Cdr
from chalicelib.domain.routing import Line
from chalicelib.domain.status import Status
from chalicelib.store import rules


def cost_as_taken(cdr: Cdr) -> Cdr:
    """The record with what its operator will ask: for the parts taken, at the gateway that took them.

    Nothing, where it ended and no SMSC took it. Where it failed over, the snapshot that decided says the cost.
    """
    if cdr.charged_ms is None or cdr.mode == "test":
        return cdr
    if cdr.submitted_ms is None:
        # Of what is unknown nobody can say that it was not taken.
        over = cdr.done_ms is not None and cdr.status != Status.UNKNOWN
        return msgspec.structs.replace(cdr, cost_micros=0) if over else cdr
    each = _decided(cdr) if cdr.submitted_to == cdr.gateway else _elsewhere(cdr)
    return msgspec.structs.replace(cdr, cost_micros=None if each is None else each * len(cdr.smsc_ids))


def _decided(cdr: Cdr) -> int | None:
    """What a part costs at the gateway that was chosen."""
    return None if cdr.cost_micros is None else cdr.cost_micros // cdr.parts


def _elsewhere(cdr: Cdr) -> int | None:
    """What a part costs at the gateway that it was handed on to."""
    try:
        table = rules.numbered(cdr.rules)
    except LookupError:
        return None
    line = table.line_of(cdr.mobile_number, cdr.country)
    if not line.operator:  # the number was erased
        line = Line(cdr.country, cdr.operator)
    return table.cost_micros(cdr.submitted_to, line, cdr.created_ms)
