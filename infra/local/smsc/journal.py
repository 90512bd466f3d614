"""The simulator's journal: a line for each submit_sm that it took, for who must know exactly what was sent twice."""

import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from infra.local.smsc.recorder import segment
from smpp_bridge.protocol.pdu import SubmitSm


class Taken(Struct, frozen=True):
    """An accepted submit. `message_id` is as the response gives it, if that ever left."""

    at: float  # epoch seconds
    system_id: str
    destination: str
    part: int
    message_id: str


class Journal:
    """Appends to a file, whose every line is whole even if the process is killed."""

    def __init__(self, path: str) -> None:
        self._file = Path(path).open("a", buffering=1)  # noqa: SIM115 -- open for as long as the simulator runs

    def note(self, pdu: SubmitSm, system_id: str, message_id: str) -> None:
        """The submit was accepted just now, by that sender."""
        part = segment(pdu).number
        self._file.write(f"{time.time():.3f} {system_id} {pdu.destination_addr} {part} {message_id}\n")


def read(path: Path) -> Iterator[Taken]:
    """What is in a journal, in order."""
    with path.open() as lines:
        for line in lines:
            at, system_id, destination, part, message_id = line.split()
            yield Taken(float(at), system_id, destination, int(part), message_id)
