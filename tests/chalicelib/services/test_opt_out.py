"""Leaving and coming back, in whatever order it is heard."""

import itertools

import pytest

from chalicelib.domain.account import Account, OptOutWords
from chalicelib.services import opt_out
from chalicelib.services.opt_out import heard
from chalicelib.store import accounts, opt_outs
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS

pytestmark = pytest.mark.usefixtures("aws")
NUMBER, OURS = "+34600111222", "55555"


def account() -> Account:
    held = accounts.get(ACCOUNT)
    assert held is not None
    return held


def test_a_word_to_leave_is_noted_answered_and_told_from_where_it_was_written_to() -> None:
    world.open_account()
    reply = heard(account(), NUMBER, OURS, "Baja", NOW_MS)
    assert reply is not None
    assert (reply.meaning, reply.to, reply.sender, reply.category) == ("leave", NUMBER, OURS, "confirmation")
    assert "ALTA" in reply.text
    held = opt_outs.get(ACCOUNT, NUMBER)
    assert held is not None
    assert (held.way, held.word, held.at_ms) == ("keyword", "BAJA", NOW_MS)
    assert account().has_opt_outs


def test_a_word_to_come_back_undoes_it() -> None:
    world.open_account()
    heard(account(), NUMBER, OURS, "STOP", NOW_MS)
    reply = heard(account(), NUMBER, OURS, "START", NOW_MS + 1)
    assert reply is not None
    assert reply.meaning == "come_back"
    assert opt_outs.get(ACCOUNT, NUMBER) is None
    assert opt_outs.listing(ACCOUNT).items == ()


def test_another_text_is_nobodys_wish_and_costs_no_call() -> None:
    world.open_account()
    held = account()
    calls = world.Calls("dynamodb")
    assert heard(held, NUMBER, OURS, "Where is my parcel?", NOW_MS) is None
    assert calls.made == []


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_newest_wish_stands_in_whatever_order_and_however_often_they_are_heard(order: tuple[int, ...]) -> None:
    world.open_account()
    wishes = [("STOP", NOW_MS), ("START", NOW_MS + 1), ("ALTO", NOW_MS + 2)]
    for place in (*order, *order):
        word, at_ms = wishes[place]
        heard(account(), NUMBER, OURS, word, at_ms)
    held = opt_outs.get(ACCOUNT, NUMBER)
    assert held is not None
    assert (held.word, held.at_ms) == ("ALTO", NOW_MS + 2)


def test_a_wish_to_leave_that_comes_late_does_not_undo_a_return() -> None:
    world.open_account()
    heard(account(), NUMBER, OURS, "START", NOW_MS + 1)
    heard(account(), NUMBER, OURS, "STOP", NOW_MS)
    assert opt_outs.get(ACCOUNT, NUMBER) is None


def test_an_accounts_own_words_are_what_is_understood() -> None:
    world.open_account()
    opt_out.set_words(account(), [OptOutWords(language="de", leave=("ENDE",), come_back=("WEITER",))])
    assert heard(account(), NUMBER, OURS, "STOP", NOW_MS) is None
    reply = heard(account(), NUMBER, OURS, "ende", NOW_MS)
    assert reply is not None
    assert reply.text == ""


def test_a_list_is_imported_line_by_line_the_bad_ones_named_and_the_same_again_changes_nothing() -> None:
    world.open_account()
    raw = "number;name\r\n+34600000001;Ana\r\nnonsense;x\r\n600000002;y\r\n+34 600-000 001;again\r\n\r\n;z\r\n".encode(
        "utf-16"
    )
    for _ in range(2):
        told = opt_out.import_list(account(), raw, NOW_MS)
        assert (told.imported, told.repeated, told.invalid) == (1, 1, 3)
        assert [bad.line for bad in told.bad_lines] == [3, 4, 7]
    assert [one.number for one in opt_outs.listing(ACCOUNT).items] == ["+34600000001"]


def test_a_list_of_thousands_with_bad_ones_is_counted_to_the_last() -> None:
    world.open_account()
    raw = "\n".join(f"+3460{n:07}" if n % 20 else f"bad {n}" for n in range(100)).encode()
    told = opt_out.import_list(account(), raw, NOW_MS)
    assert (told.imported, told.invalid, told.repeated) == (95, 5, 0)
    listed = opt_outs.listing(ACCOUNT, limit=1000).items
    assert len(listed) == 95


def test_an_account_that_is_changed_at_the_same_moment_is_flagged_all_the_same() -> None:
    world.open_account()
    stale = account()
    row = accounts.versioned(ACCOUNT)
    assert row is not None
    accounts.change(ACCOUNT, row.version, row.value)
    opt_out.leave(stale, NUMBER, NOW_MS)
    assert account().has_opt_outs
