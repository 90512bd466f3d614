"""Mutated PDUs by the million against framing, codec and sessions: nothing but the protocol error, and no growth."""

import random
from pathlib import Path

from smpp_bridge.protocol.codec import HEADER, decode, decode_by_table
from smpp_bridge.protocol.commands import RESPONSE_BIT, CommandId
from smpp_bridge.protocol.errors import ProtocolError, SessionError
from smpp_bridge.protocol.events import Request
from smpp_bridge.protocol.framing import HEADER_OCTETS, MAX_PDU_OCTETS, Framer
from smpp_bridge.protocol.operations import BOUND_STATES, Role, State
from smpp_bridge.protocol.pdu import PDUS, BindTransceiver, DeliverSm, SubmitSm
from smpp_bridge.protocol.session import Session
from tests.smpp_bridge.protocol.vectors import VECTORS

SEEDS = [octets for octets, _ in VECTORS.values()]
NUMBERS = [0, 1, 4, 15, 16, 17, 254, 255, MAX_PDU_OCTETS, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
COMMANDS = [*(int(command) for command in CommandId), 0x99, 0x80000099]
MAX_SEED = 300  # octets: what grows longer by mutation is cut, so that a million stay a matter of a minute


class Fuzzer:
    """`step` is one input; the same `seed` gives the same inputs. Raises what ought never to be raised."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._found = list(SEEDS)  # mutations that are PDUs: others begin there
        self._sessions = {role: _bound(role) for role in Role}
        self._now = 0.0
        self.refused = 0
        self.read = 0
        self.ended = 0

    def step(self) -> None:
        """One mutated PDU: through the codec, through the framing in pieces, into a session of either role."""
        octets = self._mutated()
        self._decode(octets)
        self._frame(octets)
        self._converse(octets)

    def _mutated(self) -> bytes:
        draw = self._random
        octets = bytearray(draw.choice(SEEDS if draw.random() < 0.5 else self._found))
        for _ in range(draw.randint(1, 4)):
            at = draw.randrange(len(octets) + 1)
            match draw.randrange(8):
                case 0 if octets:
                    octets[at % len(octets)] ^= 1 << draw.randrange(8)
                case 1:
                    octets[at:at] = draw.randbytes(draw.randint(1, 8))
                case 2:
                    del octets[at : at + draw.randint(1, 8)]
                case 3:
                    octets[at : at + 4] = draw.choice(NUMBERS).to_bytes(4)
                case 4:
                    octets[4:8] = draw.choice(COMMANDS).to_bytes(4)
                case 5:
                    other = draw.choice(self._found)
                    octets[at:] = other[draw.randrange(len(other)) :]
                case 6 if octets:
                    octets[at % len(octets)] = draw.choice((0, 1, 0x7F, 0x80, 0xFF))
                case _:
                    octets += octets[at : at + 16]
        del octets[MAX_SEED:]
        if draw.random() < 0.8 and len(octets) >= HEADER_OCTETS:
            octets[:4] = len(octets).to_bytes(4)
        return bytes(octets)

    def _decode(self, octets: bytes) -> None:
        try:
            pdu = decode(octets)
        except ProtocolError as error:
            self.refused += 1
            if len(octets) >= HEADER_OCTETS and HEADER.unpack_from(octets)[0] == len(octets):
                self._agree(octets, error)
            return
        self.read += 1
        self._found[self._random.randrange(len(self._found))] = octets
        _, command_id, status, sequence = HEADER.unpack_from(octets)
        assert pdu == decode_by_table(octets, command_id, status, sequence)

    def _agree(self, octets: bytes, error: ProtocolError) -> None:
        _, command_id, status, sequence = HEADER.unpack_from(octets)
        try:
            decode_by_table(octets, command_id, status, sequence)
        except ProtocolError as by_table:
            assert by_table.command_status == error.command_status  # noqa: PT017 -- compared with another refusal
            return
        raise AssertionError(f"read by table, but refused with {error}: {octets.hex()}")

    def _frame(self, octets: bytes) -> None:
        framer, frames = Framer(), []
        cut = self._random.randrange(len(octets) + 1)
        try:
            for piece in (SEEDS[0], octets[:cut], octets[cut:]):
                frames += framer.feed(piece)
        except ProtocolError:
            assert framer.error is not None
        assert frames[0] == SEEDS[0]
        assert sum(map(len, frames)) <= len(SEEDS[0]) + len(octets)

    def _converse(self, octets: bytes) -> None:
        draw = self._random
        role = draw.choice((Role.ESME, Role.SMSC))
        session = self._sessions[role]
        self._now += draw.random()
        if len(octets) >= HEADER_OCTETS and draw.random() < 0.3:
            octets = octets[:12] + draw.randint(1, 12).to_bytes(4) + octets[16:]  # of a request that may wait
        events = session.receive(octets, self._now)
        for event in events:
            if isinstance(event, Request) and event.pdu.command_id | RESPONSE_BIT in PDUS:
                session.reply(event.pdu, draw.choice((0, 0x08, 0x58)))
        try:
            if session.free_window and draw.random() < 0.2:
                session.send(SubmitSm() if role is Role.ESME else DeliverSm(), None, self._now)
        except SessionError:
            pass  # its state has changed meanwhile
        session.tick(self._now)
        for frame in Framer().feed(session.take_output()):
            decode(frame)  # what we say is always right
        assert session.requests_waiting >= 0
        if session.state not in BOUND_STATES:
            self.ended += 1
            session.close("over")
            self._sessions[role] = _bound(role)


def resident_kib() -> int:
    """The memory that the process holds now."""
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0])


def _bound(role: Role) -> Session:
    esme, smsc = Session(Role.ESME, 0.0), Session(Role.SMSC, 0.0, max_requests=10)
    esme.bind(BindTransceiver(system_id="fuzz"), 0.0)
    (event,) = smsc.receive(esme.take_output(), 0.0)
    assert isinstance(event, Request)
    smsc.reply(event.pdu)
    esme.receive(smsc.take_output(), 0.0)
    session = esme if role is Role.ESME else smsc
    assert session.state is State.BOUND_TRX
    return session
