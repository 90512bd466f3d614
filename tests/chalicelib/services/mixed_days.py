"""Some days of mixed messages of two accounts in two time zones, all of it made by the services.

Delivered, undelivered, expired and then delivered after all, refused by rules, without credit, canceled, rejected and
paid back, in several parts, scheduled, canceled until then, charged hours or days after they were made, around
midnight, in bundles and alone.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

import msgspec

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.decision import Decision
from chalicelib.domain.facts import Scheduled
from chalicelib.domain.refusals import refusal
from chalicelib.domain.status import Status
from chalicelib.services.charge import charge
from chalicelib.services.settle import settle
from chalicelib.store import accounts, ledger, made_queues, messages
from chalicelib.store.messages import Noted
from tests.chalicelib.services import world

FIRST_MS: Final = 1_763_856_000_000  # 2025-11-23T00:00:00Z
DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
ZONES: Final = {"acc_lima": "America/Lima", "acc_kathmandu": "Asia/Kathmandu"}
GATEWAYS: Final = ("gtw_a", "gtw_b")
OPERATORS: Final = (("ES", "Movistar", 40_000), ("ES", "Orange", 35_000), ("NP", "Ncell", 61_000))
BUNDLE: Final = 40
EVERY_MS: Final = 475 * MINUTE_MS


class Kind(NamedTuple):
    """How messages fare: the refusal's code, else the end and whose news it is; and when they are charged."""

    refusal: str = ""
    end: Status | None = None
    by_receipt: bool = False
    then: Status | None = None  # a later receipt
    parts: int = 1
    waits_ms: int = 0  # from when it was made to its charge
    alone: bool = False
    unpaid: bool = False  # it ends before it is charged


KINDS: Final = (
    *(Kind(end=Status.DELIVERED, by_receipt=True),) * 6,
    Kind(end=Status.DELIVERED, by_receipt=True, parts=3),
    Kind(end=Status.UNDELIVERED, by_receipt=True),
    Kind(end=Status.EXPIRED, by_receipt=True, then=Status.DELIVERED),
    Kind(end=Status.REJECTED, parts=2),
    Kind(end=Status.CANCELED, alone=True),
    Kind(end=Status.UNKNOWN),
    Kind(refusal="no_route"),
    Kind(refusal="dnd"),
    Kind(),  # it waits at its gateway
    Kind(end=Status.DELIVERED, by_receipt=True, waits_ms=9 * 3_600_000, alone=True),  # scheduled
    Kind(end=Status.DELIVERED, by_receipt=True, waits_ms=10 * DAY_MS, alone=True),
    Kind(end=Status.CANCELED, waits_ms=7 * 3_600_000, alone=True, unpaid=True),  # scheduled, and canceled until then
    Kind(refusal="opted_out", waits_ms=5 * 3_600_000, alone=True),  # scheduled, and refused then
    Kind(end=Status.DELIVERED, by_receipt=True, waits_ms=59 * MINUTE_MS),
    Kind(end=Status.FAILED, waits_ms=61 * MINUTE_MS),
)


class Made(NamedTuple):
    """A message that was made, and when it was charged or refused."""

    account: str
    draft: wire.Draft
    decision: Decision
    kind: Kind
    at_ms: int


def make(count: int) -> list[Made]:
    """So many messages of the two accounts over three days, most of them at the borders of the zones' days."""
    for gateway in GATEWAYS:
        made_queues.create_gateway_queues(gateway)
    for account, zone in ZONES.items():
        told = Account(
            id=account,
            name=account,
            created_ms=FIRST_MS,
            time_zone=zone,
            refund_policy="not_delivered",
            shards=2,
            retention_days=3650,
        )
        assert accounts.create(told)
        ledger.grant(account, "opening", count * 200_000, who="test", why="opening", now_ms=FIRST_MS - DAY_MS)
    made = [_made(number, count) for number in range(count)]
    _charge(made)
    for account in ZONES:
        ledger.grant(account, "top-up", 5_000_000, who="test", why="more", now_ms=FIRST_MS + DAY_MS)
        ledger.grant(account, "taken", -1_000_000, who="test", why="a mistake", now_ms=FIRST_MS + 2 * DAY_MS)
    _settle(made)
    return made


def _made(number: int, count: int) -> Made:
    kind = KINDS[number % len(KINDS)]
    account = tuple(ZONES)[number // len(KINDS) % len(ZONES)]
    decided_ms = _decided_ms(number, count)
    made_ms = decided_ms - kind.waits_ms - 700
    country, operator, price = OPERATORS[number // 7 % len(OPERATORS)]
    content = msgspec.structs.replace(
        world.draft(parts=kind.parts, valid_until_ms=decided_ms + 10 * DAY_MS).content,
        to=f"+3460{number:07}",
        country=country,
        sender=("ACME", "BRAND")[number % 2],
        text="=cmd()" if number % 50 == 0 else "hello",
    )
    decision = Decision(
        gateway=GATEWAYS[number // 11 % 2],
        route="rte_1",
        operator=operator,
        price_micros=price,
        rules=1,
        why="a test",
        cost_micros=price // 2,
    )
    draft = wire.Draft(id=ids.new_message_id(made_ms, 2), at_ms=made_ms, content=content)
    return Made(account, draft, decision, kind, decided_ms)


def _decided_ms(number: int, count: int) -> int:
    """Every some hours, so that bundles share an instant; and to the millisecond around the zones' midnights."""
    midnights = (0, 5 * 3_600_000, 18 * 3_600_000 + 15 * MINUTE_MS)  # UTC, Lima, Kathmandu
    if number % 5 == 0:
        return FIRST_MS + number % 3 * DAY_MS + midnights[number // 5 % 3] + (-1, 0, 1)[number // 15 % 3]
    return FIRST_MS + number * 3 * DAY_MS // count // EVERY_MS * EVERY_MS


def _charge(made: Sequence[Made]) -> None:
    """Those of an account that are decided at one instant, together."""
    for _, some in groupby(sorted(made, key=_together), key=_together):
        left = list(some)
        for one in left:
            if one.kind.waits_ms and one.kind.alone:
                scheduled = Scheduled(at_ms=one.draft.at_ms, content=one.draft.content, due_ms=one.at_ms)
                messages.put_facts([Noted(one.account, one.draft.id, scheduled, 3650)])
        charge([_bundle(together) for together in _bundles(left) if not together[0].kind.unpaid], left[0].at_ms)


def _together(one: Made) -> tuple[str, int]:
    return one.account, one.at_ms


def _bundles(made: Sequence[Made]) -> Iterator[list[Made]]:
    """What is sent alone, alone; of the others those that were made together."""
    by_waiting: dict[int, list[Made]] = defaultdict(list)
    for one in made:
        if one.kind.alone:
            yield [one]
        else:
            by_waiting[one.kind.waits_ms].append(one)
    for some in by_waiting.values():
        yield from (some[at : at + BUNDLE] for at in range(0, len(some), BUNDLE))


def _bundle(some: Sequence[Made]) -> wire.RoutedBundle:
    routed = tuple(
        wire.Routed(draft=one.draft, refusal=refusal(one.kind.refusal))
        if one.kind.refusal
        else wire.Routed(draft=one.draft, decision=one.decision)
        for one in some
    )
    return wire.RoutedBundle(id=ids.bundle_of_single(some[0].draft.id), account=some[0].account, messages=routed)


def _settle(made: Sequence[Made]) -> None:
    """All that happens to them, a hundred outcomes at a time; some bundles twice."""
    told = [outcome for one in made if not one.kind.refusal for outcome in _outcomes(one)]
    told += [_receipt(one, part, one.kind.then) for one in made if one.kind.then for part in range(one.kind.parts)]
    for number, at in enumerate(range(0, len(told), 100)):
        bundle = wire.OutcomeBundle(id=ids.new_ulid(FIRST_MS), outcomes=tuple(told[at : at + 100]))
        last_ms = max(getattr(outcome, "at_ms", 0) for outcome in bundle.outcomes)
        for _ in range(2 if number % 10 == 0 else 1):
            settle([bundle], last_ms + 400)


def _outcomes(one: Made) -> Iterator[wire.Outcome]:
    kind = one.kind
    if kind.by_receipt:
        for part in range(kind.parts):
            submitted = world.submitted(one.draft.id, _smsc_id(one, part), part + 1, kind.parts)
            yield msgspec.structs.replace(
                submitted, account=one.account, gateway=one.decision.gateway, at_ms=one.at_ms + 900
            )
        yield from (_receipt(one, part, kind.end) for part in range(kind.parts) if kind.end)
    elif kind.end is not None:
        ended = world.ended(one.draft.id, kind.end)
        after_ms = 0 if kind.unpaid else 2000
        yield msgspec.structs.replace(ended, account=one.account, at_ms=one.at_ms + after_ms)


def _receipt(one: Made, part: int, status: Status | None) -> wire.ReceiptOutcome:
    receipt = world.receipt(_smsc_id(one, part), status=status or Status.DELIVERED)
    return msgspec.structs.replace(receipt, gateway=one.decision.gateway, at_ms=one.at_ms + 5000 + 10 * part)


def _smsc_id(one: Made, part: int) -> str:
    return f"{one.draft.id}-{part}"


def expected(made: Sequence[Made], account: str) -> Counter[str]:
    """How many of an account's messages end as what."""
    ends = Counter[str]()
    for one in made:
        if one.account == account:
            kind = one.kind
            ends["refused" if kind.refusal or kind.unpaid else (kind.then or kind.end or "waiting")] += 1
    return ends
