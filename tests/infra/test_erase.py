"""The command that erases a number: it tells what it did, never whose number, and goes on where it was broken off."""

import pytest

from chalicelib.services import forget_number
from chalicelib.store import erasures
from infra import erase
from tests.chalicelib.services import world
from tests.chalicelib.services.test_forget_number import NUMBER, Traces, with_number

pytestmark = pytest.mark.usefixtures("aws")


def test_it_tells_what_it_did_and_what_is_left_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    Traces()
    begun = forget_number.begin(NUMBER, None, "user:usr_1", 1, here=True)  # and its caller died
    assert erase.main([NUMBER, "--by", "command:ana"]) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[0] == f"{begun.id}: +34•••••••22, of all accounts"
    counts = dict(line.split() for line in told.splitlines()[1:-2])
    assert counts["messages"] == "4"  # one is held still, though its validity is over
    assert counts["opt_outs_kept"] == "1"
    assert told.splitlines()[-1].startswith("it is looked again at ")
    assert NUMBER not in told
    assert "contacts" not in with_number()
    row = erasures.get(begun.id)
    assert row is not None
    assert row.value.by == "user:usr_1"  # who asked first


def test_again_it_finds_nothing_and_says_so_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    world.open_account()
    assert erase.main([NUMBER, "--json"]) == 0
    assert '"did":{}' in capsys.readouterr().out
    assert erase.main(["12", "--json"]) == 2
    assert "not a valid" in capsys.readouterr().err
