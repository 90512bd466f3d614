"""The simulator's journal: a line for each submit that was taken, a repeated part included."""

from pathlib import Path

import msgspec

from infra.local.smsc import Smsc, journal
from tests.infra.local.scenario import QUICK, bound, run


def test_each_taken_submit_has_its_line_and_a_refused_one_has_none(tmp_path: Path) -> None:
    path = tmp_path / "journal"

    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            part = b"\x05\x00\x03\x01\x02\x02 mundo"
            esme.submit("5210", b"hola")
            esme.submit("5211", part, esm_class=0x40)
            esme.submit("5211", part, esm_class=0x40)
            esme.submit("52100010", b"refused")
            await esme.until(lambda: len(esme.responses) == 4)
            ids = [response.message_id for response in esme.responses[:3]]
            taken = list(journal.read(path))
            assert [one.message_id for one in taken] == ids
            assert [(one.destination, one.part) for one in taken] == [("5210", 1), ("5211", 2), ("5211", 2)]
            assert taken[0].at <= taken[2].at

    run(scenario, msgspec.structs.replace(QUICK, journal=str(path)))


def test_what_two_simulators_noted_one_after_the_other_is_read_as_one(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    settings = msgspec.structs.replace(QUICK, journal=str(path))

    async def scenario(smsc: Smsc) -> None:
        async with bound(smsc) as esme:
            esme.submit("5210", b"hola")
            await esme.until(lambda: len(esme.responses) == 1)

    run(scenario, settings)
    run(scenario, settings)
    assert [one.destination for one in journal.read(path)] == ["5210", "5210"]
