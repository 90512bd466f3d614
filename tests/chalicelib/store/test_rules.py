"""Published rules: numbered, never overwritten, seen by every process soon."""

import pytest

from chalicelib.domain.rules import Gateway, NumberingPrefix, Route, Rules, Target
from chalicelib.store import rules
from tests.chalicelib.services.world import Calls

pytestmark = pytest.mark.usefixtures("aws")
GATEWAY = Gateway(id="g", name="Ñandú", host="h", port=2775, system_id="s")
ROUTE = Route(id="r", targets=(Target(gateway="g"),), price_micros=5)
LINE = NumberingPrefix(prefix="34", country="ES", operator="op")


def publish(note: str = "", now_ms: int = 1000) -> Rules:
    return rules.publish([GATEWAY], [ROUTE], [LINE], by="ana", note=note, now_ms=now_ms)


def test_before_the_first_publication_the_rules_are_empty() -> None:
    assert rules.current(0) == Rules(number=0, published_ms=0, published_by="")


def test_what_is_published_comes_back_as_it_was_under_the_next_number() -> None:
    first, second = publish(), publish("segunda ✓", now_ms=2000)
    assert (first.number, second.number) == (1, 2)
    assert rules.current(3000) == second == rules.get(2)
    assert rules.get(1) == first
    with pytest.raises(LookupError):
        rules.get(3)


def test_a_number_that_another_took_meanwhile_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first = publish()
    monkeypatch.setattr(rules, "newest_number", lambda known=0: 0)
    assert publish().number == 2
    assert rules.get(1) == first


def test_a_newer_snapshot_is_looked_for_every_few_seconds_only() -> None:
    publish()
    rules.current(10_000)
    calls = Calls("s3")
    other_process_published = rules._put_new(Rules(number=2, published_ms=1, published_by="x"))
    assert other_process_published
    assert [rules.current(at).number for at in (10_000, 14_999, 15_000, 16_000)] == [1, 1, 2, 2]
    assert (calls.of("ListObjectsV2"), calls.of("GetObject")) == (1, 1)


def test_the_index_is_built_once_a_snapshot() -> None:
    publish()
    assert rules.table(10_000) is rules.table(90_000)


def test_publications_are_listed_newest_first_page_by_page() -> None:
    for number in range(5):
        publish(f"nº {number}", now_ms=number)
    page = rules.listing(limit=2)
    assert [(one.number, one.note, one.published_by, one.published_ms) for one in page.items] == [
        (5, "nº 4", "ana", 4),
        (4, "nº 3", "ana", 3),
    ]
    page = rules.listing(page.cursor, limit=2)
    assert [one.number for one in page.items] == [3, 2]
    page = rules.listing(page.cursor, limit=2)
    assert ([one.number for one in page.items], page.cursor) == ([1], None)


def test_there_is_nothing_to_list_before_the_first() -> None:
    page = rules.listing()
    assert (page.items, page.cursor) == ((), None)


def test_a_note_that_does_not_fit_is_refused_before_anything_is_written() -> None:
    with pytest.raises(ValueError, match="at most 200"):
        publish("x" * 201)
    assert publish("ñ" * 200).number == 1
