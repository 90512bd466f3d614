"""Money against a plain model: whatever is granted, taken back, charged, refunded or replayed, in whatever order."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chalicelib.domain import charging
from chalicelib.domain.account import Account
from chalicelib.domain.charging import Charge, Verdicts
from chalicelib.domain.usage import UsageLine, merged
from chalicelib.services.read_ledger import places, statement
from chalicelib.store import accounts, ledger, usage, wallets
from tests.chalicelib.services import world

pytestmark = pytest.mark.usefixtures("aws")
START_MS = 1_760_000_000_000
AMOUNTS = st.integers(1, 120)
OPERATORS = ("Movistar", "Orange")
SLOT = "2025-10-09T08:45"  # of all that happens: a millisecond a step


@dataclass
class Model:
    """What an account should be: what moved when, under which name, and how far below zero it may go."""

    movements: dict[str, tuple[int, int]] = field(default_factory=dict)  # name: instant, amount
    charged: dict[str, UsageLine] = field(default_factory=dict)
    refunded: dict[str, UsageLine] = field(default_factory=dict)
    granted: list[UsageLine] = field(default_factory=list)
    limit: int = 0

    @property
    def balance(self) -> int:
        return sum(amount for _, amount in self.movements.values())

    @property
    def statement(self) -> list[tuple[str, int]]:
        """Names and amounts by time, and by name within a millisecond."""
        ordered = sorted((at_ms, name, amount) for name, (at_ms, amount) in self.movements.items())
        return [(name, amount) for _, name, amount in ordered]

    @property
    def paid(self) -> list[tuple[str, UsageLine]]:
        """The bundles that cost something."""
        return [(name, line) for name, line in self.charged.items() if line.credits_micros]

    @property
    def usage(self) -> dict[Any, UsageLine]:
        lines = merged([*self.charged.values(), *self.refunded.values(), *self.granted])
        return {line.key: line for line in lines}


class Money(RuleBasedStateMachine):
    """One account of its own for each run; time passes by a millisecond a step."""

    number = 0

    @initialize(credit=st.sampled_from([0, 60, 400]))
    def open(self, credit: int) -> None:
        type(self).number += 1
        self.account = f"acc_{self.number}"
        self.model = Model()
        self.proposals: list[Charge] = []  # whatever was to be charged, paid or not
        self.now_ms = START_MS
        self.names = 0
        assert accounts.create(Account(id=self.account, name="Acme", created_ms=START_MS))
        if credit:
            self.grant(credit, taken_back=False)

    def name(self, kind: str) -> str:
        """A new name; their order is not that of time."""
        self.names += 1
        self.now_ms += 1
        return f"{9999 - self.names if self.names % 2 else self.names}-{kind}"

    # --- from outside

    @rule(amount=AMOUNTS, taken_back=st.sampled_from([False, False, True]))
    def grant(self, amount: int, taken_back: bool) -> None:
        name = self.name("grant")
        moved = -amount if taken_back else amount
        assert ledger.grant(self.account, name, moved, who="ana", why="w", now_ms=self.now_ms)
        self.model.movements[name] = self.now_ms, moved
        self.model.granted.append(
            UsageLine(slot=SLOT, adjusted_micros=moved) if taken_back else UsageLine(slot=SLOT, granted_micros=moved)
        )

    @rule(amount=AMOUNTS)
    def grant_again_under_the_same_name(self, amount: int) -> None:
        granted = [name for name in self.model.movements if name.endswith("grant")]
        for name in granted[-1:]:
            assert not ledger.grant(self.account, name, amount, who="ana", why="w", now_ms=self.now_ms + 50)

    @rule(limit=st.integers(0, 80))
    def let_it_go_below_zero(self, limit: int) -> None:
        wallets.set_credit_limit(self.account, limit)
        self.model.limit = limit

    # --- charges

    def proposed(self, amount: int) -> Charge:
        name = self.name("bundle")
        line = UsageLine(
            slot=SLOT, country="ES", operator=OPERATORS[amount % 2], gateway="g", messages=1, parts=1,
            credits_micros=amount,
        )  # fmt: skip
        verdicts = charging.gather([world.decision(price_micros=amount)])
        return Charge(
            account=self.account, bundle=name, at_ms=self.now_ms, amount_micros=amount, verdicts=verdicts, usage=(line,)
        )

    @rule(amounts=st.lists(st.integers(0, 25), max_size=3), again=st.lists(st.integers(0, 1000), max_size=2))
    def charge(self, amounts: list[int], again: list[int]) -> None:
        """A group in one transaction: all, or none; and those that came before are told, though priced anew."""
        earlier = {
            one.bundle: one for at in again if self.proposals for one in [self.proposals[at % len(self.proposals)]]
        }
        new = [self.proposed(amount) for amount in amounts]
        self.proposals += new
        group = [*earlier.values(), *new]
        if not group:
            return
        self.now_ms += 1
        asked = [
            charging.refuse(one, "no_route")
            if one.bundle in self.model.charged
            else msgspec.structs.replace(one, at_ms=self.now_ms)
            for one in group
        ]
        known = {one.bundle for one in group} & self.model.charged.keys()
        total = sum(one.amount_micros for one in asked)
        done = ledger.charge(asked)
        if known:
            assert isinstance(done, ledger.Known)
            assert {name: -entry.amount_micros for name, entry in done.entries.items()} == {
                name: self.model.charged[name].credits_micros for name in known
            }
            assert all(verdict_of(entry.verdicts) for entry in done.entries.values())  # the first decision stands
        elif total > self.model.balance + self.model.limit and total:
            assert done == ledger.NoCredit()
        else:
            assert isinstance(done, ledger.Charged)
            for one in asked:
                self.model.charged[one.bundle] = one.usage[0]
                if one.amount_micros:
                    self.model.movements[one.bundle] = self.now_ms, -one.amount_micros

    # --- refunds

    @precondition(lambda self: self.model.paid)
    @rule(chosen=st.lists(st.integers(0, 1000), min_size=1, max_size=3), another_amount=AMOUNTS)
    def refund(self, chosen: list[int], another_amount: int) -> None:
        """What was charged goes back once, alone or with others, whatever a replay would give back."""
        self.now_ms += 1
        asked = dict(self.model.paid[place % len(self.model.paid)] for place in chosen)
        lines = {
            f"{bundle}/refund": UsageLine(
                slot=charged.slot,
                country="ES",
                operator=charged.operator,
                gateway="g",
                refunded_micros=another_amount if f"{bundle}/refund" in self.model.refunded else charged.credits_micros,
            )
            for bundle, charged in asked.items()
        }
        refunds = [ledger.Refund(name, line, "rejected") for name, line in lines.items()]
        entries = ledger.refund(self.account, refunds, self.now_ms)
        for bundle, charged in asked.items():
            name = f"{bundle}/refund"
            assert entries[name].amount_micros == charged.credits_micros
            if name not in self.model.refunded:
                given_back = lines[name].refunded_micros
                self.model.refunded[name] = msgspec.structs.replace(lines[name], paid_back_micros=given_back)
                self.model.movements[name] = self.now_ms, charged.credits_micros

    # --- what holds after each step

    @invariant()
    def the_wallet_is_the_sum_of_the_ledger_and_of_the_model(self) -> None:
        wallet = wallets.get(self.account, consistent=True)
        assert wallet is not None
        assert wallet.balance_micros == self.model.balance == world.ledger_sum(self.account)
        assert wallet.available_micros == self.model.balance + self.model.limit

    @invariant()
    def usage_is_what_was_charged_and_given_back(self) -> None:
        counted = usage.month(self.account, "2025-10")
        assert {line.key: line for line in counted} == self.model.usage
        assert sum(line.moved_micros for line in counted) == self.model.balance

    @invariant()
    def the_statement_tells_each_movement_with_what_was_left(self) -> None:
        lines, after = statement(self.account, places(None, None), None, 1000)
        assert after is None
        told = [(line.entry.id, line.entry.amount_micros) for line in reversed(lines)]
        assert told == self.model.statement
        balance = 0
        for line in reversed(lines):
            balance += line.entry.amount_micros
            assert line.balance_micros == balance


def verdict_of(verdicts: Verdicts | None) -> bool:
    """Whether a decision, and no refusal, was kept."""
    return verdicts is not None and bool(verdicts.decisions) and not verdicts.refusals


def test_money_is_what_a_plain_model_says_after_any_steps() -> None:
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
