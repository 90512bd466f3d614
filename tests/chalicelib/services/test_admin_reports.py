"""Administrators' reports: what they say is what was charged, what was taken, and what became of it."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain.account import Account
from chalicelib.domain.bind_event import BindKind, bind_event
from chalicelib.domain.cdr import Cdr
from chalicelib.domain.decision import DEFAULT_ROUTE
from chalicelib.domain.rules import Gateway, Route, Target
from chalicelib.domain.status import Status
from chalicelib.domain.traffic import GroupBy, Question, figures
from chalicelib.domain.utc_days import each
from chalicelib.domain.webhook import CALLBACKS, Endpoint, EventType
from chalicelib.domain.webhook_delivery import Delivery
from chalicelib.domain.webhook_event import Event
from chalicelib.services import (
    check_charges,
    check_submits,
    check_wallets,
    close_day,
    read_bind_log,
    read_webhook_log,
    report_default_routing,
    sum_traffic,
)
from chalicelib.services.charge import charge
from chalicelib.services.faults import Fault
from chalicelib.services.find_messages import Wanted, find
from chalicelib.services.read_messages import Span
from chalicelib.services.settle import settle
from chalicelib.services.walk_messages import Ground
from chalicelib.store import accounts, binds, ledger, rule_rows, rules, webhook_deliveries, webhooks
from chalicelib.store.wallets import WalletTable
from tests.chalicelib.services import mixed_days, world
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, HOUR_MS, NOW_MS, OTHER_GATEWAY, PRICE_MICROS, Calls

pytestmark = pytest.mark.usefixtures("aws")

DAY = datetime.fromtimestamp(NOW_MS / 1000, UTC).date()
TODAY = Span(DAY, DAY)
DAY_MS = 24 * HOUR_MS
DEFAULT_PRICE = 70_000
COST_MICROS = 11_000
GATEWAYS = [Gateway(id=name, name=name, host="h", port=1, system_id="x") for name in (GATEWAY, OTHER_GATEWAY)]
ROUTES = [Route(id="rte_1", targets=(Target(gateway=GATEWAY),), price_micros=PRICE_MICROS, country="ES")]


def some_traffic() -> None:
    """Five messages of two parts by a route, four of them taken, of which three are delivered; two by default."""
    world.open_account(credit_micros=100 * PRICE_MICROS)
    by_route = [world.draft(parts=2) for _ in range(5)]
    by_default = [world.draft() for _ in range(2)]
    costing = msgspec.structs.replace(world.decision(), cost_micros=COST_MICROS)
    default = msgspec.structs.replace(world.decision(OTHER_GATEWAY, DEFAULT_PRICE), route=DEFAULT_ROUTE)
    for draft in by_route:
        charge([world.routed(draft, by=costing)], NOW_MS)
    for draft in by_default:
        charge([world.routed(draft, by=default)], NOW_MS)
    charge([world.routed(world.draft(), by="no_route")], NOW_MS)
    taken = [draft.id for draft in by_route[:4]]
    parts = [(id_, part) for id_ in taken for part in (1, 2)]
    settle([world.outcomes(*(world.submitted(id_, f"{id_}/{part}", part, 2) for id_, part in parts))], NOW_MS)
    delivered = [world.receipt(f"{id_}/{part}") for id_, part in parts[:6]]
    lost = [world.receipt(f"{id_}/{part}", status=Status.UNDELIVERED) for id_, part in parts[6:]]
    settle([world.outcomes(*delivered, *lost)], NOW_MS + HOUR_MS)


def close(day: date = DAY, account: str = ACCOUNT, at_ms: int = NOW_MS + DAY_MS) -> None:
    """The account's day is closed, to its end."""
    work: wire.ArchiveWork | None = close_day.begin(account, day, at_ms, final=False)
    while work is not None:
        work = close_day.close(work, at_ms)


def summed(*group_by: GroupBy, now_ms: int = NOW_MS, **only: str) -> dict[tuple[str, ...], Any]:
    question = Question(first=DAY.isoformat(), last=DAY.isoformat(), group_by=group_by, **only)
    held = sum_traffic.ask(question, now_ms)
    assert not held.day
    return {group: figures(line) for group, line in held.groups}


# --- charges against prices


def test_charges_are_held_against_the_rules_that_decided() -> None:
    rules.publish(GATEWAYS, ROUTES, [], by="test", note="", now_ms=NOW_MS)
    world.open_account()
    right, wrong, gone, lost = (world.draft() for _ in range(4))
    charge([world.routed(right)], NOW_MS)
    charge([world.routed(wrong, by=world.decision(price_micros=PRICE_MICROS + 1))], NOW_MS)
    charge([world.routed(gone, by=msgspec.structs.replace(world.decision(), route="rte_old"))], NOW_MS)
    charge([world.routed(lost, by=world.decision(rules=7))], NOW_MS)
    found, after = check_charges.check(Ground(days=TODAY), None, 10, all_of_them=True)
    assert after is None
    assert {one.message_id: one.verdict for one in found} == {
        right.id: "agrees",
        wrong.id: "differs",
        gone.id: "gone",
        lost.id: "gone",
    }
    (told,) = (one for one in found if one.message_id == wrong.id)
    assert (told.charge_micros, told.expected_charge_micros, told.source) == (PRICE_MICROS + 1, PRICE_MICROS, "route")
    assert len(check_charges.check(Ground(days=TODAY), None, 10, all_of_them=False)[0]) == 3


# --- wallets against ledgers


def test_a_wallet_is_its_ledger_and_what_is_not_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_wallets, "MAX_ENTRIES", 4)
    monkeypatch.setattr(check_wallets, "_PAGE", 3)
    world.open_account(credit_micros=0)
    world.open_account("acc_bad", 500)
    for number in range(7):
        ledger.grant(ACCOUNT, f"g{number}", 100 + number, who="test", why="", now_ms=NOW_MS - HOUR_MS + number)
    WalletTable("acc_bad").update([WalletTable.balance_micros.add(-20), WalletTable.available_micros.add(-20)])
    found: dict[str, check_wallets.WalletCheck] = {}
    position: Any = None
    answers = 0
    while True:
        calls = Calls("dynamodb")
        some, after = check_wallets.check(None, position, 10, NOW_MS)
        assert calls.of("Query") <= 3
        found |= {one.account: one for one in some}
        answers += 1
        if after is None:
            break
        position = msgspec.to_builtins(after)
    assert answers > 1  # the ledger of seven is added up over two answers
    good, bad = found[ACCOUNT], found["acc_bad"]
    assert (good.agrees, good.entries, good.ledger_micros) == (True, 7, 721)
    assert (bad.agrees, bad.balance_micros, bad.ledger_micros, bad.difference_micros) == (False, 480, 500, -20)


# --- default routing


def test_the_default_routing_report_tells_what_ended_there_and_sets_it() -> None:
    rules.publish(GATEWAYS, ROUTES, [], by="test", note="", now_ms=NOW_MS)
    some_traffic()
    (told,), after = report_default_routing.report(None, TODAY, None, 10, NOW_MS)
    assert after is None
    assert (told.messages, told.parts, told.credit_micros) == (2, 2, 2 * DEFAULT_PRICE)
    assert (told.default_gateway, told.gateway_state) == (None, None)
    asked = report_default_routing.Default(gateway=OTHER_GATEWAY, price_micros=DEFAULT_PRICE)
    with pytest.raises(Fault) as raised:
        report_default_routing.change(ACCOUNT, asked, told.version, TODAY, NOW_MS)
    assert raised.value.fields[0].code == "unknown"
    rule_rows.gateways.put(GATEWAYS[1])
    set_ = report_default_routing.change(ACCOUNT, asked, told.version, TODAY, NOW_MS)
    assert (set_.default_gateway, set_.default_price_micros, set_.gateway_state) == (
        OTHER_GATEWAY,
        DEFAULT_PRICE,
        "active",
    )
    with pytest.raises(Fault) as raised:  # somebody changed it meanwhile
        report_default_routing.change(ACCOUNT, asked, told.version, TODAY, NOW_MS)
    assert raised.value.code == "version_conflict"
    kept = accounts.get(ACCOUNT)
    assert kept is not None
    assert kept.refund_policy == "rejected"  # all else is as it was


# --- traffic


def test_an_open_and_a_closed_day_add_up_to_the_same_and_the_closed_one_knows_who_and_why() -> None:
    some_traffic()
    things: tuple[tuple[GroupBy, ...], ...] = (("gateway",), ("account", "operator"), ("hour", "country"), ("month",))
    before = {by: summed(*by) for by in things}
    gateway = before[("gateway",)]
    one = gateway[(GATEWAY,)]
    assert (one.messages, one.parts, one.credit_micros, one.ended, one.delivered) == (5, 10, 10 * PRICE_MICROS, 4, 3)
    assert (one.delivered_share, one.ends) == (0.75, {"delivered": 3, "undelivered": 1})
    assert one.p50_milliseconds is not None
    assert gateway[(OTHER_GATEWAY,)].credit_micros == 2 * DEFAULT_PRICE
    assert gateway[("",)].refused == 1
    assert {group: told.messages for group, told in summed("sender").items()} == {("",): 7}
    close()
    later_ms = NOW_MS + 2 * DAY_MS
    for by in things:
        after = summed(*by, now_ms=later_ms)
        without_errors = {group: msgspec.structs.replace(told, errors={}) for group, told in after.items()}
        assert without_errors == before[by], by
    assert summed("gateway", now_ms=later_ms)[(GATEWAY,)].errors == {"not_delivered": 1}
    assert summed("sender", now_ms=later_ms)[("ACME",)].messages == 7
    calls = Calls("dynamodb")
    assert list(summed("gateway", now_ms=later_ms, gateway=GATEWAY)) == [(GATEWAY,)]
    assert calls.made == ["Query", "Scan"]  # its summaries, and whether all accounts have one
    assert summed("gateway", now_ms=later_ms, gateway=GATEWAY)
    assert len(calls.made) == 2  # asked again, it is answered from what was summed up


def test_a_question_is_gone_on_with_where_it_was_left(monkeypatch: pytest.MonkeyPatch) -> None:
    some_traffic()
    first = DAY - timedelta(days=3)
    question = Question(first=first.isoformat(), last=DAY.isoformat(), group_by=("day",))
    whole = sum_traffic.ask(question, NOW_MS)
    assert not whole.day
    monkeypatch.setattr(sum_traffic, "SECONDS", 1e-9)  # a day a time
    monkeypatch.setattr(sum_traffic, "FRESH_MS", 0)
    answers, held = 0, sum_traffic.ask(question, NOW_MS + 1)
    while held.day:
        answers, held = answers + 1, sum_traffic.ask(question, NOW_MS + 1)
        assert answers < 10
    assert answers >= 2
    assert held.groups == whole.groups
    assert held.name != whole.name
    assert sum_traffic.answered(question, whole.name) is None  # its pages are gone
    assert sum_traffic.answered(question, held.name) == held


def test_submits_are_counted_where_and_when_an_smsc_took_them() -> None:
    some_traffic()
    assert check_submits.check(None, TODAY, None, 10) == ([], None)  # not closed
    close()
    found, _ = check_submits.check(None, Span(DAY - timedelta(days=1), DAY + timedelta(days=1)), None, 10)
    told = {one.gateway: (one.charged_parts, one.submitted_parts, one.difference_parts) for one in found}
    assert told == {GATEWAY: (10, 8, -2), OTHER_GATEWAY: (2, 0, -2)}
    assert [one.cost_micros for one in found] == [8 * COST_MICROS, 0]
    assert check_submits.check(OTHER_GATEWAY, TODAY, None, 10)[0] == [found[1]]


# --- logs


def test_the_bind_log_is_read_by_party_and_by_day() -> None:
    kinds: tuple[BindKind, ...] = ("refused", "bound", "lost")
    events = [
        bind_event("gateway", gateway, kind, "transceiver", NOW_MS - age * DAY_MS + order, session=f"{gateway}/0/trx")
        for age in range(3)
        for order, kind in enumerate(kinds)
        for gateway in (GATEWAY, OTHER_GATEWAY)
    ]
    binds.put([*events, events[0]])
    days = Span(DAY - timedelta(days=2), DAY)
    newest = sorted(events, key=lambda event: event.id, reverse=True)
    for wanted, expected in (
        (read_bind_log.Wanted(), newest),
        (read_bind_log.Wanted(kind="lost"), [event for event in newest if event.kind == "lost"]),
        (
            read_bind_log.Wanted(side="gateway", name=GATEWAY),
            [event for event in newest if event.name == GATEWAY],
        ),
        (read_bind_log.Wanted(side="customer"), []),
    ):
        found = []
        position: Any = None
        while True:
            some, after = read_bind_log.read(wanted, days, position, 4)
            found += some
            if after is None:
                break
            position = msgspec.to_builtins(after)
        assert found == expected, wanted
    assert read_bind_log.read(read_bind_log.Wanted(), TODAY, None, 100)[0] == newest[:6]


def test_the_webhook_log_goes_over_all_accounts_and_endpoints() -> None:
    put: list[Delivery] = []
    for account in ("acc_a", "acc_b"):
        accounts.create(Account(id=account, name="x", created_ms=0))
        endpoint = Endpoint(id=f"whk_{account}", url="https://a.example", created_ms=0)
        webhooks.change(account, partial(msgspec.structs.replace, endpoints=(endpoint,)))
        for number, name in enumerate((endpoint.id, endpoint.id, CALLBACKS)):
            event = Event(id=f"evt_{number}", kind=EventType.DELIVERED, at_ms=NOW_MS + number, body="{}")
            waiting = Delivery(account=account, endpoint=name, event=event, state="delivered")
            put.append(msgspec.structs.replace(waiting, state="failed") if number == 1 else waiting)
    webhook_deliveries.put(put)

    def all_of(wanted: read_webhook_log.Wanted) -> list[tuple[str, str, str]]:
        found: list[tuple[str, str, str]] = []
        position: Any = None
        while True:
            some, after = read_webhook_log.read(wanted, position, 2)
            found += [(one.account, one.endpoint, one.event.id) for one in some]
            if after is None:
                return found
            position = msgspec.to_builtins(after)

    everything = all_of(read_webhook_log.Wanted())
    assert sorted(everything) == sorted((one.account, one.endpoint, one.event.id) for one in put)
    assert all_of(read_webhook_log.Wanted(state="failed", account="acc_b")) == [("acc_b", "whk_acc_b", "evt_1")]
    assert sorted(all_of(read_webhook_log.Wanted(event="evt_2"))) == [
        ("acc_a", CALLBACKS, "evt_2"),
        ("acc_b", CALLBACKS, "evt_2"),
    ]


# --- all of them, over days as they come


def test_over_mixed_days_every_report_says_the_same_as_the_messages_and_the_money() -> None:
    made = mixed_days.make(2 * len(mixed_days.KINDS))  # each kind, in each account
    first = datetime.fromtimestamp(mixed_days.FIRST_MS / 1000, UTC).date() - timedelta(days=1)
    days = Span(first, first + timedelta(days=3))
    now_ms = mixed_days.FIRST_MS + 12 * DAY_MS
    rows = everything(Span(days.first - timedelta(days=10), days.last))  # when they were made
    assert sorted(cdr.message_id for cdr in rows) == sorted(one.draft.id for one in made)
    open_ = over(days, now_ms)
    assert open_ == by_account(rows)
    for account, told in open_.items():
        entries = ledger.entries(account, limit=1000).items
        moved = sum(entry.amount_micros for entry in entries if entry.kind in ("charge", "refund"))
        assert told[2] - told[3] == -moved
    wallets_, _ = check_wallets.check(None, None, 10, now_ms)
    assert [one.agrees for one in wallets_] == [True, True]
    for account in mixed_days.ZONES:
        for day in each(days.first, days.last):
            close(day, account, now_ms)
    assert over(days, now_ms + DAY_MS) == open_
    submits, after = check_submits.check(None, days, None, 100)
    assert after is None
    taken = sum(one.kind.parts for one in made if one.kind.by_receipt)
    assert sum(one.submitted_parts for one in submits) == taken
    assert sum(one.charged_parts for one in submits) == sum(told[1] for told in open_.values())


def everything(days: Span) -> list[Cdr]:
    """Every message that was made on the days, whosever it is."""
    found: list[Cdr] = []
    position: Any = None
    while True:
        some, after = find(Wanted(), days, position, 50)
        found += some
        if after is None:
            return found
        position = msgspec.to_builtins(after)


Told = tuple[int, int, int, int, int, dict[str, int]]


def over(days: Span, now_ms: int) -> dict[str, Told]:
    """Messages, parts, credit, refunds, refused ones and ends of each account, as the summary has them."""
    question = Question(first=days.first.isoformat(), last=days.last.isoformat(), group_by=("account",))
    return {
        account: (*(told.messages, told.parts, told.credit_micros, told.refunded_micros, told.refused), told.ends)
        for (account,), line in sum_traffic.ask(question, now_ms).groups
        for told in (figures(line),)
    }


def by_account(rows: list[Cdr]) -> dict[str, Told]:
    """The same, counted from messages."""
    told = {}
    for account in sorted({cdr.account for cdr in rows}):
        mine = [cdr for cdr in rows if cdr.account == account]
        charged = [cdr for cdr in mine if cdr.charged_ms is not None]
        told[account] = (
            len(charged),
            sum(cdr.parts for cdr in charged),
            sum(cdr.credit_micros for cdr in charged),
            sum(cdr.refunded_micros for cdr in charged),
            len(mine) - len(charged),
            dict(sorted(Counter(cdr.status for cdr in charged if cdr.done_ms is not None).items())),
        )
    return told
