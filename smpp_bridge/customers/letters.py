"""Items on their way to a customer, and the records that they came in: a record is through when all its items are."""

from typing import Final

from chalicelib.domain.esme import EsmeItem
from chalicelib.store.queues import Record
from chalicelib.wire import BadBundle, EsmeBundle, decode

# How long an item that was refused waits before each next time; the last one is repeated.
AGAIN_SECONDS: Final = (5, 30, 120, 600, 900)
MAX_ATTEMPTS: Final = 100  # about a day of them: then it is a dead letter, which an administrator may send again


class InHand:
    """A record that this bridge holds. `bundle` is None where it cannot be read: then `reason` says why."""

    __slots__ = ("bundle", "buried", "left", "put_off", "reason", "record", "visible_until")

    def __init__(self, record: Record, login: str, visible_until: float) -> None:
        self.record = record
        self.visible_until = visible_until
        self.bundle, self.reason = _read(record.body, login)
        self.left = 0  # items that are neither acknowledged, nor put off, nor given up
        self.put_off: list[EsmeItem] = []  # refused: to come again
        self.buried: list[EsmeItem] = []  # refused for the last time, or impossible to send

    @property
    def attempt(self) -> int:
        """How often its items have been told in vain."""
        return self.bundle.attempt if self.bundle else 0

    @property
    def is_last_attempt(self) -> bool:
        return self.attempt + 1 >= MAX_ATTEMPTS

    @property
    def again_seconds(self) -> int:
        """How long what it puts off is to wait."""
        return AGAIN_SECONDS[min(self.attempt, len(AGAIN_SECONDS) - 1)]


class Letter:
    """An item on its way, as one deliver_sm or the parts of a long message, which go over one session."""

    __slots__ = ("done", "is_lost", "item", "number", "of", "parts", "refusals", "status", "takes_tlvs", "waiting")

    def __init__(self, number: int, item: EsmeItem, of: InHand) -> None:
        self.number = number  # its place in the order of arrival
        self.item = item
        self.of = of
        self.takes_tlvs: bool | None = None  # how it is cut: as the session that it last went over wants it
        self.parts = 1
        self.done: set[int] = set()  # parts that are acknowledged
        self.refusals = 0  # how often it was refused since it came here
        self.sent()

    def sent(self) -> None:
        """It goes out now: nothing is known of what becomes of it."""
        self.waiting = 0  # parts without an answer
        self.is_lost = False  # the session ended before an answer
        self.status = 0  # a command_status that says no

    @property
    def is_acknowledged(self) -> bool:
        return len(self.done) == self.parts


def _read(body: str, login: str) -> tuple[EsmeBundle | None, str]:
    try:
        bundle = decode(body)
    except BadBundle as error:
        return None, f"no bundle: {error}"
    if not isinstance(bundle, EsmeBundle) or bundle.login != login:
        return None, f"a bundle of another queue: {type(bundle).__name__}"
    return bundle, ""
