"""A login has so many places; a bound session holds one while it beats, and lets go when it is asked to or gone."""

import msgspec
import pytest

from chalicelib.domain.smpp_login import EsmeSession, Traffic
from chalicelib.store import esme_sessions
from chalicelib.store.esme_sessions import GONE_SECONDS

pytestmark = pytest.mark.usefixtures("aws")
NOW_MS = 1_760_000_000_000
GONE_MS = NOW_MS + int(GONE_SECONDS * 1000) + 1
ONE = EsmeSession(
    id="ses_1",
    system_id="acme",
    account="acc_1",
    bind="transceiver",
    address="203.0.113.7",
    bridge="bridge_1",
    bound_ms=NOW_MS,
)
TWO = msgspec.structs.replace(ONE, id="ses_2", bind="receiver", bridge="bridge_2", tls=True)
THREE = msgspec.structs.replace(ONE, id="ses_3")


def test_as_many_sessions_have_a_place_as_the_login_may_have() -> None:
    assert [esme_sessions.take(session, 2, NOW_MS) for session in (ONE, TWO, THREE)] == [0, 1, None]
    assert [held.session for held in esme_sessions.of_login("acme", NOW_MS)] == [ONE, TWO]
    other = msgspec.structs.replace(THREE, system_id="other")
    assert esme_sessions.take(other, 2, NOW_MS) == 0


def test_a_session_that_takes_a_place_again_has_the_one_it_has() -> None:
    esme_sessions.take(ONE, 2, NOW_MS)
    assert esme_sessions.take(ONE, 2, NOW_MS) == 0
    assert len(esme_sessions.of_login("acme", NOW_MS)) == 1


def test_a_place_that_is_let_go_is_the_next_ones() -> None:
    esme_sessions.take(ONE, 1, NOW_MS)
    esme_sessions.release(ONE, 0)
    esme_sessions.release(ONE, 0)
    assert esme_sessions.take(TWO, 1, NOW_MS) == 0
    esme_sessions.release(ONE, 0)  # late: the place is another's
    assert [held.session for held in esme_sessions.of_login("acme", NOW_MS)] == [TWO]


def test_a_beat_keeps_the_place_and_tells_what_the_session_carries() -> None:
    esme_sessions.take(ONE, 1, NOW_MS)
    traffic = Traffic(submits=120, delivers=80, throttled=3, submits_per_second=12.5, delivers_per_second=8.0)
    assert not esme_sessions.beat(ONE, 0, traffic, NOW_MS + 10_000)
    (held,) = esme_sessions.of_login("acme", GONE_MS)
    assert (held.traffic, held.beat_ms, held.unbind_asked) == (traffic, NOW_MS + 10_000, False)
    assert esme_sessions.take(TWO, 1, GONE_MS) is None


def test_who_does_not_beat_is_gone_and_hears_of_it_when_it_comes_back() -> None:
    esme_sessions.take(ONE, 1, NOW_MS)
    assert esme_sessions.of_login("acme", GONE_MS) == []
    assert esme_sessions.take(TWO, 1, GONE_MS) == 0
    assert esme_sessions.beat(ONE, 0, Traffic(), GONE_MS + 1)
    assert [held.session for held in esme_sessions.of_login("acme", GONE_MS)] == [TWO]


def test_who_was_long_without_a_beat_goes_on_where_nobody_wanted_the_place() -> None:
    esme_sessions.take(ONE, 1, NOW_MS)
    assert not esme_sessions.beat(ONE, 0, Traffic(), GONE_MS)
    assert [held.session for held in esme_sessions.of_login("acme", GONE_MS)] == [ONE]


def test_an_end_that_is_asked_for_is_heard_at_each_beat_and_only_by_that_session() -> None:
    esme_sessions.take(ONE, 2, NOW_MS)
    esme_sessions.take(TWO, 2, NOW_MS)
    one, _ = esme_sessions.of_login("acme", NOW_MS)
    assert esme_sessions.ask_unbind(one)
    assert esme_sessions.beat(ONE, 0, Traffic(), NOW_MS + 1)
    assert esme_sessions.beat(ONE, 0, Traffic(), NOW_MS + 2)
    assert not esme_sessions.beat(TWO, 1, Traffic(), NOW_MS + 1)
    assert [held.unbind_asked for held in esme_sessions.of_login("acme", NOW_MS + 2)] == [True, False]
    esme_sessions.release(ONE, 0)
    assert not esme_sessions.ask_unbind(one)
    assert esme_sessions.take(THREE, 2, NOW_MS) == 0
    assert not esme_sessions.ask_unbind(one)
    assert not esme_sessions.beat(THREE, 0, Traffic(), NOW_MS + 3)


def test_all_that_are_bound_are_listed_page_by_page() -> None:
    sessions = [
        msgspec.structs.replace(ONE, id=f"s{number}", system_id=f"login{number % 3}", bound_ms=number)
        for number in range(7)
    ]
    for session in sessions:
        assert esme_sessions.take(session, 5, NOW_MS) is not None
    seen: list[str] = []
    page = esme_sessions.listing(NOW_MS, None, 2)
    while True:
        seen += [held.session.id for held in page.items]
        if page.cursor is None:
            break
        page = esme_sessions.listing(NOW_MS, page.cursor, 2)
    assert sorted(seen) == [session.id for session in sessions]
    assert esme_sessions.listing(GONE_MS).items == ()
