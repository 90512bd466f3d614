"""One eventful batch for each queue function, and the story that a world tells afterwards, bundle by bundle."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.facts import Accepted, ErrorInfo
from chalicelib.domain.rules import Gateway, Route, Target
from chalicelib.domain.status import Status
from chalicelib.domain.waiting import Window
from chalicelib.services.charge import charge
from chalicelib.store import accounts, ledger, made_queues, messages, queues, rules
from functions import billing, dead_letters, delivery, rounds, routing
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, HOUR_MS, NOW_MS, OTHER_GATEWAY, PRICE_MICROS
from tests.functions.lambda_runs import POISON, Handler, bodies
from tests.snapshots import items, waiting, waits

POOR_ACCOUNT: Final = "acc_poor"
# Everything that a step can leave behind. What moves money carries no instants: it must be the same to the digit.
_SUMS: Final = ("wallets", "usage")
_DATED: Final = ("ledger", "messages", "receipts", "dead_letters")
_QUEUES: Final = (
    queues.ACCEPTED,
    queues.BILLING,
    *(queues.gateway_queue(gateway, priority) for gateway in (GATEWAY, OTHER_GATEWAY) for priority in ("bulk", "high")),
)

# Chapter → what it says. A chapter is a bundle's, or "" for the sums.
Story = dict[str, list[str]]


@dataclass(frozen=True, eq=False)
class Scenario:
    """`prepare` a world, then have `handler` do `bundles`, which lie on `queue`."""

    name: str
    handler: Handler
    queue: str
    prepare: Callable[[], None]
    bundles: tuple[wire.Bundle, ...]
    chapters: dict[str, str]  # message → its bundle
    poison: bool = True  # whether a record that is no bundle comes with them

    def story(self) -> Story:
        """The world as it is, told in no particular order."""
        told: dict[str, set[str]] = defaultdict(set)
        for chapter, line in self._lines():
            told[chapter].add(line)
        return {chapter: sorted(lines) for chapter, lines in told.items()}

    def _lines(self) -> Iterator[tuple[str, str]]:
        for table in _SUMS:
            yield from (("", f"{table} {_sorted(item)}") for item in items(table))
        for table in _DATED:
            yield from ((self._chapter_of(item), f"{table} {_sorted(item)}") for item in items(table))
        for queue in _QUEUES:
            for bundle in _waiting(queue):
                yield bundle.id.partition("/")[0], f"{queue} {wire.encode(bundle)}"
        if self.queue != queues.OUTCOMES:
            yield from (("", f"outcomes {bundle.outcomes}") for bundle in _told(queues.OUTCOMES))
        elif waits(queues.OUTCOMES):
            yield "", "receipts are parked"
        if self.poison and waits(queues.DEAD):
            yield "", "the poison is with the dead letters"

    def _chapter_of(self, item: dict[str, Any]) -> str:
        told = str(item)
        found = [bundle for message, bundle in self.chapters.items() if ids.bundle_of_single(message) in told]
        return found[0] if found else ""


def _sorted(item: dict[str, Any]) -> str:
    """Without SQS's own name of a record, which is a new one in each world."""
    return str(sorted((name, value) for name, value in item.items() if name != "record"))


# --- the customers, and the rules before and after an administrator changed them


_CREDIT_MICROS: Final = {
    ACCOUNT: 20 * PRICE_MICROS,
    POOR_ACCOUNT: PRICE_MICROS,
}


def _open_accounts() -> None:
    for account, credit_micros in _CREDIT_MICROS.items():
        accounts.create(Account(id=account, name="Acme", created_ms=NOW_MS))
        ledger.grant(account, "opening", credit_micros, who="test", why="opening", now_ms=NOW_MS)
    for gateway in (GATEWAY, OTHER_GATEWAY):
        made_queues.create_gateway_queues(gateway)


def publish(gateway: str = GATEWAY, price_micros: int = PRICE_MICROS) -> None:
    """Rules that send everything to the gateway at that price."""
    gateways = [Gateway(id=id_, name=id_, host="smsc", port=2775, system_id="us") for id_ in (GATEWAY, OTHER_GATEWAY)]
    route = Route(id="rte_1", targets=(Target(gateway=gateway),), price_micros=price_micros)
    rules.publish(gateways, [route], [], by="test", note="", now_ms=NOW_MS)


def _prepare() -> None:
    _open_accounts()
    publish()


# --- route and charge: the same messages


def _accepted(account: str, *drafts: wire.Draft) -> wire.AcceptedBundle:
    return wire.AcceptedBundle(id=ids.bundle_of_single(drafts[0].id), account=account, messages=drafts)


ACCEPTED: Final = (
    _accepted(ACCOUNT, world.draft(parts=2)),
    _accepted(ACCOUNT, world.draft(), world.draft(priority="bulk"), world.draft(valid_until_ms=NOW_MS - 1)),
    _accepted(POOR_ACCOUNT, world.draft(), world.draft()),  # it can pay for one of the two
    _accepted("acc_gone", world.draft()),
)


def routed_by(
    gateway: str = GATEWAY, price_micros: int = PRICE_MICROS, rules_number: int = 1
) -> tuple[wire.RoutedBundle, ...]:
    """The same bundles as route sends them on."""
    by = world.decision(gateway, price_micros, rules_number)
    return tuple(
        world.routed(
            *bundle.messages, by="account_inactive" if bundle.account == "acc_gone" else by, account=bundle.account
        )
        for bundle in ACCEPTED
    )


def _chapters(*bundles: wire.AcceptedBundle) -> dict[str, str]:
    return {draft.id: bundle.id for bundle in bundles for draft in bundle.messages}


# --- settle: what became of messages that were charged

_TAKEN, _LONG, _REFUSED, _EXPIRED = (world.draft(parts=parts) for parts in (1, 2, 1, 2))
_CHARGED: Final = (_TAKEN, _LONG, _REFUSED, _EXPIRED)


def _prepare_charged() -> None:
    _prepare()
    charge([world.routed(draft) for draft in _CHARGED], NOW_MS)


def _attempted(message: str) -> wire.AttemptOutcome:
    return wire.AttemptOutcome(
        account=ACCOUNT,
        message=message,
        at_ms=NOW_MS + 1500,
        attempt=1,
        part=1,
        gateway=GATEWAY,
        error=ErrorInfo(code="system_error", title="The SMSC is not well."),
        next="retry in 5 s",
    )


_NEWS: Final = (
    world.outcomes(
        world.submitted(_TAKEN.id, "A1"),
        world.submitted(_LONG.id, "B1", 1, 2),
        world.submitted(_LONG.id, "B2", 2, 2),
        world.receipt("A1"),
        world.receipt("B1"),
        _attempted(_REFUSED.id),
        world.ended(_REFUSED.id, Status.REJECTED),
    ),
    world.outcomes(
        world.receipt("B2", status=Status.UNDELIVERED),
        world.ended(_EXPIRED.id, Status.EXPIRED),
        world.receipt("Z9"),  # of a message that nobody knows (yet)
    ),
)

# --- looking after what waits: a message whose bundle was lost, one whose validity ended, one that is well

_LOST, _OVERDUE, _WELL = world.draft(), world.draft(valid_until_ms=NOW_MS - HOUR_MS), world.draft()


def _prepare_waiting() -> None:
    _prepare()
    charge([world.routed(_OVERDUE, _WELL)], NOW_MS - 2 * HOUR_MS)
    bodies(queues.gateway_queue(GATEWAY, "normal"))
    fact = Accepted(at_ms=NOW_MS, content=_LOST.content)
    messages.put_facts([messages.Noted(ACCOUNT, _LOST.id, fact, 90)])


_VISIT: Final = wire.Visit(id="V", accounts=(ACCOUNT, POOR_ACCOUNT), windows=(Window(NOW_MS - 1000, NOW_MS + 1000),))


def _waiting(queue: str) -> list[wire.Bundle]:
    return [wire.decode(body) for body in waiting(queue) if body != POISON]


def _told(queue: str) -> Iterator[wire.OutcomeBundle]:
    return (bundle for bundle in _waiting(queue) if isinstance(bundle, wire.OutcomeBundle))


SCENARIOS: Final = (
    Scenario("route", routing.route, queues.ACCEPTED, _prepare, ACCEPTED, _chapters(*ACCEPTED)),
    Scenario("charge", billing.charge, queues.BILLING, _prepare, routed_by(), _chapters(*ACCEPTED)),
    Scenario(
        "settle",
        delivery.settle,
        queues.OUTCOMES,
        _prepare_charged,
        _NEWS,
        {draft.id: ids.bundle_of_single(draft.id) for draft in _CHARGED},
    ),
    Scenario("visit", rounds.visit, queues.VISITS, _prepare_waiting, (_VISIT,), {}),
    Scenario("shelve", dead_letters.shelve, queues.DEAD, _prepare, ACCEPTED[:2], _chapters(*ACCEPTED), poison=False),
)

# The batch of charge as rules that came later would have it: to another gateway, at twice the price.
REPRICED: Final = replace(SCENARIOS[1], name="charge again", bundles=routed_by(OTHER_GATEWAY, 2 * PRICE_MICROS, 2))


# --- what the world holds, for tests that go through several steps


def everything_stored() -> list[str]:
    """All that any step writes, without what is on queues."""
    return sorted(f"{table} {_sorted(item)}" for table in (*_SUMS, *_DATED) for item in items(table))


def bundles_in_ledger() -> set[str]:
    """The bundles that have been charged or refused."""
    return {str(item["entry"]["S"]) for item in items("ledger")}


def assert_money_adds_up() -> None:
    """Each wallet is the sum of its ledger, and all charges are what the queued facts and the usage say."""
    entries = items("ledger")
    for wallet in items("wallets"):
        of_account = [int(item["amount_micros"]["N"]) for item in entries if item["account"] == wallet["account"]]
        assert int(wallet["balance_micros"]["N"]) == sum(of_account)
    charged = -sum(int(item["amount_micros"]["N"]) for item in entries if item["kind"]["S"] == "charge")
    told = [msgspec.json.decode(item["body"]["S"]) for item in items("messages")]
    assert sum(fact.get("charge_micros", 0) for fact in told) == charged
    assert sum(int(item.get("credits_micros", {"N": 0})["N"]) for item in items("usage")) == charged


def what_follows(queue: str) -> tuple[wire.Bundle, ...]:
    """What a step sent to the next one; for charge what the bridge would tell of its dispatches: all delivered."""
    if queue == queues.ACCEPTED:
        return tuple(bodies(queues.BILLING))
    dispatched = [bundle for name in _QUEUES[2:] for bundle in bodies(name) if isinstance(bundle, wire.DispatchBundle)]
    return tuple(_delivered(bundle) for bundle in dispatched)


def _delivered(bundle: wire.DispatchBundle) -> wire.OutcomeBundle:
    outcomes: list[wire.Outcome] = []
    for message in bundle.messages:
        for part in range(1, message.content.parts + 1):
            smsc_id = f"{message.id}{part}"
            taken = world.submitted(message.id, smsc_id, part, message.content.parts)
            outcomes += [msgspec.structs.replace(taken, account=bundle.account), world.receipt(smsc_id)]
    return world.outcomes(*outcomes)
