"""What the customers' page says of commands, timers and limits, held against the code."""

import re
from pathlib import Path
from typing import Final

from smpp_bridge.customers.metrics import _COUNTERS, _GAUGES, _LABELLED, _OF_RECEPTION, PREFIX
from smpp_bridge.customers.terms import CustomerTerms
from smpp_bridge.protocol.commands import RESPONSE_BIT, CommandId
from smpp_bridge.protocol.operations import OPERATIONS, Role, State

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "smpp.md").read_text()
NAMES: Final = {
    "not yet bound": State.OPEN,
    "transmitter": State.BOUND_TX,
    "receiver": State.BOUND_RX,
    "transceiver": State.BOUND_TRX,
}
NOT_SERVED: Final = {CommandId.GENERIC_NACK, CommandId.ALERT_NOTIFICATION}  # the answer to anything; never sent
ONE_WAY: Final = {CommandId.DATA_SM}  # may go either way; we send deliver_sm


def rows(heading: str) -> list[list[str]]:
    table = PAGE[PAGE.index(heading) :].split("\n\n")[1].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table]


def states(cell: str) -> set[State]:
    return {NAMES[name] for name in cell.split(", ") if name}


def test_the_commands_and_states_of_the_page_are_those_of_the_matrix() -> None:
    told: dict[CommandId, tuple[set[State], set[State]]] = {}
    for names, customer, ours in rows("### Which command in which state"):
        for name in re.findall(r"`(\w+)`", names):
            told[CommandId[name.upper()]] = (states(customer), states(ours))
    known = {
        command: (set(where) if Role.ESME in who else set(), set(where) if Role.SMSC in who else set())
        for command, (where, who) in OPERATIONS.items()
        if not command & RESPONSE_BIT and command not in NOT_SERVED
    }
    for command in ONE_WAY:
        known[command] = (known[command][0], set())
    assert told == known


def test_the_timers_and_limits_of_the_page_are_the_defaults() -> None:
    terms = CustomerTerms()
    for _, amount, setting in rows("### Windows, timers and limits"):
        value = getattr(terms, setting.strip("`"))
        assert value == (0 if amount == "never" else float(amount.split()[0])), setting


def test_the_settings_and_figures_of_the_operators_page_exist() -> None:
    page = (DOCS / "operations.md").read_text()
    named = {name.lower() for name in re.findall(r"CHASQUI_SMPP_([A-Z_]+)`", page)}
    assert named
    assert named <= set(CustomerTerms.__struct_fields__)
    figures = {name.removesuffix("_total") for name in re.findall(rf"`(?:{PREFIX}|…_customers_|…_)(\w+)`", page)}
    known = {*_COUNTERS, *_GAUGES, *_LABELLED, *_OF_RECEPTION, "sessions", "submits_pending"}
    assert known & figures >= {"binds", "turned", "bans", "responses", "pauses", "stalled", "receipts_told"}
