"""What an account sent and paid, by quarters of an hour, of which the days of every time zone are made. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from chalicelib.domain import latency
from chalicelib.domain.latency import Histogram
from chalicelib.domain.status import Status

# Every time zone of today is off UTC by a multiple of it.
SLOT_MS: Final = 900_000
Key = tuple[str, str, str, str]
_NOBODYS: Final[Key] = ("", "", "", "")
_SLOT: Final = "%Y-%m-%dT%H:%M"
# What is added up as it stands; ends and latencies are added up by what they are of.
SUMS: Final = (
    *("messages", "parts", "credits_micros", "refunded_micros", "cost_micros", "costed", "refused"),
    *("paid_back_micros", "granted_micros", "adjusted_micros"),
    *("defaulted", "defaulted_parts", "defaulted_micros"),
)


class UsageLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A quarter of an hour of an account's traffic to an operator over a gateway, and of its ledger.

    A message counts in the slot in which it was charged or refused, whatever becomes of it later, and whenever: its end
    and its refund are counted there, too. A charge is of the same instant; other movements of the ledger are also
    counted in the slot of their own, so that what was there before, and they, make what is there after.
    """

    slot: str  # YYYY-MM-DDTHH:MM (UTC), in which it begins
    country: str = ""  # as operator and gateway: '' where no message is meant, or none that was charged
    operator: str = ""
    gateway: str = ""
    messages: int = 0  # charged ones, as are their parts
    parts: int = 0
    credits_micros: int = 0  # what they were charged
    refunded_micros: int = 0  # what of it was given back
    cost_micros: int = 0  # what operators ask for them, as far as it is known
    costed: int = 0  # messages of which it is
    refused: int = 0  # messages that ended instead of being charged
    paid_back_micros: int = 0  # by when it was given back, as granted and taken back
    granted_micros: int = 0
    adjusted_micros: int = 0  # negative where credit was taken back
    defaulted: int = 0  # of the messages, those that no route took: they went to the account's default gateway
    defaulted_parts: int = 0
    defaulted_micros: int = 0  # what they were charged
    ends: Mapping[Status, int] = {}  # of the charged messages
    latencies: Histogram = latency.EMPTY  # of those that were delivered, from their charge on

    @property
    def day(self) -> str:
        """The UTC day."""
        return self.slot[:10]

    @property
    def key(self) -> Key:
        return self.slot, self.country, self.operator, self.gateway

    @property
    def moved_micros(self) -> int:
        """By how much its movements moved the balance."""
        return self.paid_back_micros + self.granted_micros + self.adjusted_micros - self.credits_micros


def slot_at(at_ms: int) -> str:
    """The slot that an instant lies in."""
    return datetime.fromtimestamp((at_ms - at_ms % SLOT_MS) / 1000, UTC).strftime(_SLOT)


def begins_ms(slot: str) -> int:
    """The first instant of a slot."""
    return int(datetime.strptime(slot, _SLOT).replace(tzinfo=UTC).timestamp()) * 1000


def merged(lines: Iterable[UsageLine]) -> tuple[UsageLine, ...]:
    """Lines of the same key added up."""
    together: dict[Key, list[UsageLine]] = {}
    for line in lines:
        together.setdefault(line.key, []).append(line)
    return tuple(some[0] if len(some) == 1 else added_up(some) for some in together.values())


def added_up(lines: Iterable[UsageLine], **key: str) -> UsageLine:
    """All of them in one line, which has the first one's key, but for what is given of it."""
    some = list(lines)
    ends: dict[Status, int] = {}
    for line in some:
        for status, count in line.ends.items():
            ends[status] = ends.get(status, 0) + count
    sums = {name: sum(getattr(line, name) for line in some) for name in SUMS}
    of = dict(zip(("slot", "country", "operator", "gateway"), some[0].key if some else _NOBODYS, strict=True)) | key
    counted = {status: count for status, count in ends.items() if count}
    latencies = latency.merge(line.latencies for line in some)
    return msgspec.convert({**of, **sums, "ends": counted, "latencies": latencies}, UsageLine)


def by_day(lines: Iterable[UsageLine]) -> tuple[UsageLine, ...]:
    """The lines of whole UTC days: their slots are days (YYYY-MM-DD)."""
    return merged(msgspec.structs.replace(line, slot=line.day) for line in lines)
