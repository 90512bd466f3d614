"""Another account's things: for every operation that names one, they are not there; and they stay as they are."""

from typing import Any, Final

import msgspec
import pytest

from chalicelib.api.catalogue import CATALOGUE
from chalicelib.api.operation import Operation
from tests.chalicelib.api.callers import logged_in, person
from tests.chalicelib.api.things import Things
from tests.chalicelib.api.world import ACCOUNT, World

STRANGER: Final = "acc_two"
NAMING: Final = [
    operation
    for endpoints in CATALOGUE
    for operation in endpoints.operations
    if operation.path_types and operation.role in ("customer", "person")
]
# What says of any number what it is to the account that asks: nothing, where it is another's.
OF_ACCOUNTS: Final = [
    operation
    for endpoints in CATALOGUE
    for operation in endpoints.operations
    if operation.path.startswith("/v1/admin/accounts/{account}/") and len(operation.path_types) > 1
]


@pytest.fixture
def stranger(world: World) -> str:
    """Another account's owner: a person, who may all that an account may."""
    world.customer(msgspec.structs.replace(ACCOUNT, id=STRANGER, name="Two"), 1_000_000)
    return logged_in(world, person(world, "owner", STRANGER))


def answer(world: World, things: Things, operation: Operation, key: str, path: str | None = None) -> tuple[int, Any]:
    told = world.call(operation.method, path or things.path(operation), things.body(operation), key=key)
    return told.status_code, told.json_body


def test_a_strangers_thing_is_not_found_by_any_operation_and_stays_as_it_is(world: World, stranger: str) -> None:
    things = Things(world)
    owner = logged_in(world, person(world, "owner"))
    reads = [operation for operation in NAMING if operation.method == "GET"]
    before = {operation.id: answer(world, things, operation, owner) for operation in reads}
    assert [name for name, (status, _) in before.items() if status == 404] == []  # they are there
    for operation in NAMING:
        status, told = answer(world, things, operation, stranger)
        assert (status, told.get("code")) == (404, "not_found"), (operation.id, told)
    after = {operation.id: answer(world, things, operation, owner) for operation in reads}
    changing = {"read_job_results", "read_contact_export", "read_cdr_export"}  # their URLs are signed anew
    assert {name: told for name, told in after.items() if name not in changing} == {
        name: told for name, told in before.items() if name not in changing
    }


def test_a_thing_of_one_account_is_not_found_under_another_by_administrators_either(
    world: World, stranger: str
) -> None:
    things = Things(world)
    assert OF_ACCOUNTS
    for operation in OF_ACCOUNTS:
        path = things.path(operation).replace(ACCOUNT.id, STRANGER)
        status, told = answer(world, things, operation, world.admin, path)
        assert (status, told.get("code")) == (404, "not_found"), (operation.id, told)


def test_a_list_or_report_of_one_account_tells_nothing_of_another(world: World, stranger: str) -> None:
    things = Things(world)
    for endpoints in CATALOGUE:
        for operation in endpoints.operations:
            if operation.role == "customer" and operation.method == "GET" and not operation.path_types:
                told = world.call("GET", operation.path, key=stranger)
                assert told.status_code in (200, 202, 422), (operation.id, told.json_body)
                for name, hidden in things.ids.items():
                    assert hidden not in str(told.json_body), (operation.id, name)
