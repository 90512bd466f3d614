"""What goes wrong in a run, and when: drawn from a seed, so that a run can be had again."""

import random
from enum import Enum
from typing import Final

import msgspec

_STEP_SECONDS: Final = 2.5  # from one to the next; a bridge is up again after about two
# Deeds lie between these shares of the load: before there is nothing to hurt, after nothing to come back to.
_FROM: Final = 0.03
_TO: Final = 0.92


class Deed(Enum):
    """What is done to the platform, or to the SMSC that it talks to."""

    KILL = "bridge killed"  # SIGKILL; started again after the seconds
    CUT = "connections cut"  # all of the SMSC's, without an unbind
    SILENT = "SMSC silent"  # it reads nothing and answers nothing, for the seconds
    SLOW = "SMSC slow"  # it answers each submit later, for the seconds
    THROTTLE = "SMSC throttles"  # it refuses each submit with 0x58, for the seconds


# How long each lasts, at least and at most. Silence stays under the gateways' response timeout: what is unanswered in
# the end is so by a kill or a cut.
_SECONDS: Final = {
    Deed.KILL: (0.1, 2.0),
    Deed.CUT: (0.0, 0.0),
    Deed.SILENT: (1.0, 4.0),
    Deed.SLOW: (2.0, 4.0),
    Deed.THROTTLE: (0.5, 1.5),
}


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How large a run is."""

    messages: int = 20_000
    kills: int = 10
    cuts: int = 20
    spells: int = 4  # of each: silence, slowness, throttling
    calls: float = 0.02  # share of AWS calls that fail
    records: float = 0.05  # share of SQS records that are delivered twice

    @property
    def steps(self) -> int:
        return self.kills + self.cuts + 3 * self.spells

    @property
    def messages_per_second(self) -> float:
        """The pace of the load, at which it lasts as long as the plan."""
        return self.messages / (self.steps * _STEP_SECONDS)


class Step(msgspec.Struct, frozen=True, order=True):
    """Do it once that share of the load has been sent."""

    share: float
    deed: str  # Deed's name: what can be ordered
    seconds: float


def plan(seed: str, size: Size) -> list[Step]:
    """The steps in their order. The same seed and size always give the same ones."""
    dice = random.Random(f"{seed}/plan")
    counts = {
        Deed.KILL: size.kills,
        Deed.CUT: size.cuts,
        **dict.fromkeys((Deed.SILENT, Deed.SLOW, Deed.THROTTLE), size.spells),
    }
    return sorted(
        Step(round(dice.uniform(_FROM, _TO), 4), deed.name, round(dice.uniform(*_SECONDS[deed]), 2))
        for deed, count in counts.items()
        for _ in range(count)
    )
