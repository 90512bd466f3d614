"""The message log: facts under their names, whole messages by the day, a shard or several."""

import pytest

from chalicelib.domain import ids
from chalicelib.domain.facts import Accepted, Final, Queued
from chalicelib.domain.status import Status
from chalicelib.store import messages
from chalicelib.store.messages import MessageTable, Noted
from tests.chalicelib.services import world
from tests.chalicelib.services.world import NOW_MS

pytestmark = pytest.mark.usefixtures("aws")
ACCEPTED = Accepted(at_ms=NOW_MS, content=world.draft().content)
ENDED = Final(at_ms=NOW_MS + 1, status=Status.DELIVERED)
DAY = "2025-10-09"


def note(message_id: str, *facts: Accepted | Final | Queued, account: str = "a") -> None:
    messages.put_facts([Noted(account, message_id, fact, 90) for fact in facts])


def made(count: int, shards: int = 1) -> list[str]:
    """Ids of as many messages of two facts each, the newest last."""
    made_ids = [ids.new_message_id(NOW_MS + number, shards) for number in range(count)]
    messages.put_facts([Noted("a", id_, fact, 90) for id_ in made_ids for fact in (ACCEPTED, ENDED)])
    return made_ids


def walk(shards: int, limit: int) -> list[list[str]]:
    pages = []
    cursor = None
    while True:
        page = messages.day("a", DAY, shards, cursor, limit)
        assert all(len(found.facts) == 2 for found in page.items)
        pages.append([found.message_id for found in page.items])
        cursor = page.cursor
        if cursor is None:
            return pages


def test_a_fact_put_twice_is_there_once() -> None:
    message = ids.new_message_id(NOW_MS)
    note(message, ACCEPTED, ACCEPTED, ENDED)
    note(message, ACCEPTED)
    assert messages.facts_of("a", message) == [ACCEPTED, ENDED]


def test_a_message_is_its_accounts_alone() -> None:
    message = ids.new_message_id(NOW_MS)
    note(message, ACCEPTED)
    assert messages.facts_of("b", message) == []


def test_a_message_is_not_confused_with_one_whose_id_begins_alike() -> None:
    message = ids.new_message_id(NOW_MS)
    note(message, ACCEPTED)
    assert messages.facts_of("a", message[:-1] + "Z") == []


def test_facts_are_kept_for_the_accounts_days_from_when_the_message_was_made() -> None:
    message = ids.new_message_id(NOW_MS)
    late = Final(at_ms=NOW_MS + 10**9, status=Status.DELIVERED)
    messages.put_facts([("a", message, ACCEPTED, 2), ("a", message, late, 2)])
    assert {int(item.expires) for item in MessageTable.scan()} == {NOW_MS // 1000 + 2 * 86_400}


@pytest.mark.parametrize(("shards", "limit"), [(1, 3), (1, 7), (1, 50), (4, 3)])
def test_a_day_is_listed_newest_first_page_by_page(shards: int, limit: int) -> None:
    expected = sorted(made(7, shards), reverse=True)
    pages = walk(shards, limit)
    assert [message for page in pages for message in page] == expected
    assert all(len(page) == limit for page in pages[:-1])


def test_a_day_lists_neither_other_days_nor_other_accounts() -> None:
    note(ids.new_message_id(NOW_MS - 86_400_000), ACCEPTED)
    note(ids.new_message_id(NOW_MS), ACCEPTED, account="b")
    assert messages.day("a", DAY, 1).items == ()


def test_the_queued_fact_is_found_by_its_recipient() -> None:
    queued = Queued(
        at_ms=NOW_MS,
        content=ACCEPTED.content,
        gateway="g",
        route="r",
        operator="o",
        price_micros=1,
        charge_micros=1,
        rules=1,
        bundle="B",
        why="w",
    )
    message = ids.new_message_id(NOW_MS)
    note(message, ACCEPTED, queued, ENDED)
    found = list(MessageTable.by_recipient.query("a#+34600111222"))
    assert [item.fact for item in found] == [f"{message}#queued"]
