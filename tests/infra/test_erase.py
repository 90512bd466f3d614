"""The command that erases a number: it tells what it did, never whose number, and goes on where it was broken off."""

import pytest

from chalicelib.services import forget_number, keep_contacts, opt_out
from chalicelib.store import accounts, erasures
from infra import erase
from tests.chalicelib.services import world
from tests.chalicelib.services.test_forget_number import NUMBER
from tests.chalicelib.services.world import ACCOUNT

pytestmark = pytest.mark.usefixtures("aws")


def test_it_tells_what_it_did_and_what_is_left_to_do_and_again_that_nothing_was(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world.open_account()
    account = accounts.get(ACCOUNT)
    assert account is not None
    keep_contacts.create(account, NUMBER, "Ana", {}, group_ids=(), now_ms=1)
    opt_out.heard(account, NUMBER, "12345", "BAJA", 1)
    begun = forget_number.begin(NUMBER, None, "user:usr_1", 1, here=True)  # and its caller died
    assert erase.main([NUMBER, "--by", "command:ana"]) == 0
    told = capsys.readouterr().out
    head, *counts, last = told.splitlines()
    assert head == f"{begun.id}: +34•••••••22, of all accounts"
    assert [line.rsplit(maxsplit=1) for line in counts] == [
        ["  contacts", "1"], ["  opt_outs_kept", "1"], ["  on their way", "0"],
    ]  # fmt: skip
    assert last == "done"  # it was asked for so long ago
    assert NUMBER not in told
    row = erasures.get(begun.id)
    assert row is not None
    assert (row.value.by, row.value.number) == ("user:usr_1", "")  # who asked first
    assert erase.main([NUMBER, "--json"]) == 0
    assert '"did":{"opt_outs_kept":1}' in capsys.readouterr().out
    assert erase.main(["12", "--json"]) == 2
    assert "not a valid" in capsys.readouterr().err
