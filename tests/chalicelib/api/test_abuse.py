"""What is wrong in the same way wherever it is taken: cursors, dates, spans, amounts, addresses."""

import datetime
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, get_args, get_origin

import msgspec
import pytest

from chalicelib.api.amounts import Amount, Price
from chalicelib.api.catalogue import CATALOGUE
from chalicelib.api.operation import Operation
from chalicelib.settings import settings
from chalicelib.store import aws
from tests.chalicelib.api.callers import logged_in, person
from tests.chalicelib.api.things import FIELDS, Things, plain
from tests.chalicelib.api.world import World
from tests.conftest import ENVIRONMENT, empty_aws

OPERATIONS: Final = [one for endpoints in CATALOGUE for one in endpoints.operations if one.role is not None]
DATES: Final = ("2026-02-30", "2026-13-01", "2026-00-10", "0000-01-01", "10000-01-01", "yesterday", "26-1-1", "")
INSTANTS: Final = ("2026-02-30T10:00:00Z", "2026-01-01T25:00:00Z", "10000-01-01T00:00:00Z", "2026-01-01T00:00", "now")
AMOUNTS: Final = (
    "0.0000001",
    "1.0000000",
    "1e-7",
    "NaN",
    "Infinity",
    "1" * 40,
    "٣",
    " 1",
    "+1",
    "01",
    "",
    0.1,
    1,
    True,
    None,
)
ADDRESSES: Final = ("a@example.com\nBcc: b@example.com", "a@example.com\r\n", "\na@example.com", "a\u2028@example.com")
# One page or one number must not cost more, however long ago it began: calls of AWS for one request.
MOST_CALLS: Final = 80
TEN_YEARS: Final = ("2016-11-23", "2026-11-23")
ENDS_OF_TIME: Final = ("0001-01-01", "9999-12-31")


class Spot(NamedTuple):
    """A place in a body: the names on the way to it (None: an element of a list), and what it is."""

    way: tuple[str | None, ...]
    kind: Any

    @property
    def pointer(self) -> str:
        return "".join(f"/{'0' if step is None else step}" for step in self.way)


def leaves(kind: Any, way: tuple[str | None, ...] = ()) -> Iterator[Spot]:
    """Every place of a type that holds no further ones."""
    if hasattr(kind, "__metadata__"):
        kind = get_args(kind)[0]
    if get_origin(kind) is tuple:
        yield from leaves(get_args(kind)[0], (*way, None))
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            yield from leaves(field.type, (*way, field.encode_name))
    elif get_args(kind) and get_origin(kind) is not dict and "Literal" not in str(kind):
        for choice in get_args(kind):
            yield from leaves(choice, way)
    else:
        yield Spot(way, kind)


def holding(kind: Any, way: tuple[str | None, ...], value: Any) -> Any:
    """The plainest value of the type that has `value` in that place."""
    if not way:
        return value
    while hasattr(kind, "__metadata__"):
        kind = get_args(kind)[0]
    if get_origin(kind) is tuple:
        return [holding(get_args(kind)[0], way[1:], value)]
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        kind = next(choice for choice in get_args(kind) if any(leaf.way[:1] == way[:1] for leaf in leaves(choice)))
        return holding(kind, way, value)
    field = next(one for one in msgspec.structs.fields(kind) if one.encode_name == way[0])
    return {**plain(kind, FIELDS), str(way[0]): holding(field.type, way[1:], value)}


class Abuse:
    """Asks as whoever may: an administrator's key, an account's owner."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._things = Things(world)
        owner = logged_in(world, person(world, "owner"))
        self._keys = {"admin": world.admin, "customer": owner, "person": owner}

    def ask(self, operation: Operation, query: dict[str, str], body: Any = None) -> Any:
        needed = plain(operation.query, FIELDS) if operation.query else {}
        text = "&".join(f"{name}={value}" for name, value in {**needed, **query}.items())
        path = f"{self._things.path(operation)}?{text}"
        return self._world.call(operation.method, path, body, key=self._keys[str(operation.role)])

    def refused(self, operation: Operation, spot: Spot, value: Any) -> None:
        """The value in that place of the body is a fault that names the place."""
        answer = self.ask(operation, {}, holding(operation.body, spot.way, value))
        told = answer.json_body
        assert answer.status_code == 422, (operation.id, spot.pointer, value, told)
        named = [str(error.get("pointer")).replace("/...", "/0") for error in told["errors"]]
        assert any(spot.pointer.endswith(pointer) for pointer in named), (operation.id, value, told)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """One world for all: nothing that is asked here changes it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        settings.cache_clear()
        settings()  # now: the client of the app brings the environment of another stage
        with empty_aws():
            yield World()
    settings.cache_clear()


@pytest.fixture(scope="module")
def abuse(world: World) -> Abuse:
    return Abuse(world)


@pytest.fixture
def calls(world: World) -> Iterator[list[str]]:
    """The calls of AWS that are made meanwhile."""
    made: list[str] = []

    def note(model: Any, **_: Any) -> None:
        made.append(model.name)

    watched = [aws.client(service).meta.events for service in ("dynamodb", "sqs", "s3")]
    for events in watched:
        events.register("before-parameter-build.*", note)
    yield made
    for events in watched:
        events.unregister("before-parameter-build.*", note)


def parameters(operation: Operation, *kinds: type) -> list[tuple[str, Any]]:
    """The query's parameters of these kinds."""
    if operation.query is None:
        return []
    return [(str(leaf.way[0]), leaf.kind) for leaf in leaves(operation.query) if leaf.kind in kinds]


def spots(*kinds: type) -> list[tuple[Operation, Spot]]:
    """Every place of every body that takes one of these."""
    return [
        (operation, spot)
        for operation in OPERATIONS
        if operation.body is not None
        for spot in leaves(operation.body)
        if spot.kind in kinds
    ]


def test_no_listing_takes_a_cursor_that_it_did_not_give_out(abuse: Abuse, world: World) -> None:
    for _ in range(2):
        world.send()
    genuine = world.call("GET", "/v1/messages?limit=1").json_body["next_cursor"]
    taking = [one for one in OPERATIONS if "cursor" in [name for name, _ in parameters(one, str)]]
    paged = [operation for operation in taking if "invalid_cursor" in operation.faults]
    assert {one.path.rpartition("/")[2] for one in taking if one not in paged} <= {"file"}  # it has no pages
    assert len(paged) > 30
    for operation in paged:
        forged = ("AAAA", "x" * 2_000, genuine[:-2] + "AA", genuine if operation.id != "list_messages" else "_" * 40)
        for cursor in forged:
            answer = abuse.ask(operation, {"cursor": cursor})
            told = (answer.status_code, answer.json_body.get("code"))
            assert told == (400, "invalid_cursor"), (operation.id, cursor, answer.json_body)


def test_no_query_takes_a_date_that_does_not_exist(abuse: Abuse) -> None:
    asked = 0
    for operation in OPERATIONS:
        for name, kind in parameters(operation, datetime.date, datetime.datetime):
            for value in DATES if kind is datetime.date else INSTANTS:
                asked += 1
                answer = abuse.ask(operation, {name: value})
                assert answer.status_code == 422, (operation.id, name, value)
                assert answer.json_body["errors"][0]["parameter"] == name, (operation.id, value)
    assert asked > 100


def test_no_body_takes_a_date_that_does_not_exist(abuse: Abuse) -> None:
    for operation, spot in spots(datetime.date, datetime.datetime):
        for value in DATES if spot.kind is datetime.date else INSTANTS:
            abuse.refused(operation, spot, value)


def test_a_span_of_ten_years_or_of_all_time_is_refused_or_costs_no_more_than_a_page(
    abuse: Abuse, calls: list[str]
) -> None:
    for operation in OPERATIONS:
        names = [name for name, _ in parameters(operation, datetime.date)]
        if not names:
            continue
        first, last = (next((name for name in names if end in name), "") for end in ("from", "to"))
        for since, until in (TEN_YEARS, ENDS_OF_TIME, (ENDS_OF_TIME[0], ""), ("", ENDS_OF_TIME[1])):
            given = {name: value for name, value in ((first, since), (last, until)) if name and value}
            calls.clear()
            answer = abuse.ask(operation, given)
            assert answer.status_code in (200, 202, 422), (operation.id, given, answer.json_body)
            assert len(calls) <= MOST_CALLS, (operation.id, given, len(calls))


def test_no_body_takes_a_span_that_ends_before_it_begins_or_after_all_time(abuse: Abuse) -> None:
    for operation in {one.id: one for one, _ in spots(datetime.date)}.values():
        names = {str(spot.way[0]) for one, spot in spots(datetime.date) if one is operation and len(spot.way) == 1}
        if {"date_from", "date_to"} <= names:
            for since, until in (ENDS_OF_TIME, ENDS_OF_TIME[::-1], ("2026-01-02", "2026-01-01")):
                body = {**plain(operation.body, FIELDS), "date_from": since, "date_to": until}
                answer = abuse.ask(operation, {}, body)
                assert answer.status_code == 422, (operation.id, since, until, answer.json_body)


def test_no_amount_has_seven_decimals_or_is_anything_else_than_a_decimal_string(abuse: Abuse) -> None:
    found = spots(Amount, Price)
    assert {operation.id for operation, _ in found} >= {"grant_credits", "set_credit_limit", "create_a_route"}
    for operation, spot in found:
        for value in (*AMOUNTS, "-0.5") if spot.kind is Price else AMOUNTS:
            if value is not None or _is_needed(operation, spot):
                abuse.refused(operation, spot, value)


def _is_needed(operation: Operation, spot: Spot) -> bool:
    return not any(leaf.way == spot.way and leaf.kind is type(None) for leaf in leaves(operation.body))


def test_no_mail_address_has_a_line_break(abuse: Abuse) -> None:
    found = [(operation, spot) for operation, spot in spots(str) if spot.way[-1] in ("email", "address")]
    assert {operation.id for operation, _ in found} >= {"invite_user", "forward_notifications"}
    for operation, spot in found:
        for value in ADDRESSES:
            if operation.id == "lift_a_bad_mailbox":  # it looks it up: there is none such
                assert abuse.ask(operation, {}, {"address": value}).status_code == 404
            else:
                abuse.refused(operation, spot, value)
