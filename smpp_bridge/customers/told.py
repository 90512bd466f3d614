"""What customers have acknowledged here: not to be told again by this process; and the figures of the outbox."""

from collections import Counter, OrderedDict
from typing import Final

from chalicelib.domain.esme import EsmeItem, EsmeReceipt

MAX_REMEMBERED: Final = 50_000  # some 10 MB. What is half delivered is known by its record as well


class Told:
    """Names of items that logins have acknowledged, the last MAX_REMEMBERED, and totals since the process started."""

    def __init__(self) -> None:
        self.receipts = 0  # acknowledged
        self.inbound = 0  # acknowledged
        self.repeats = 0  # not sent, since they had been acknowledged here before
        self.refused: Counter[int] = Counter()  # deliver_sm_resp that say no, by command_status
        self.unanswered = 0
        self.put_off = 0  # items that come again after a while
        self.buried = 0  # items, or records that cannot be read, that went with the dead letters
        self._names: OrderedDict[tuple[str, str], None] = OrderedDict()

    def knows(self, login: str, item: EsmeItem) -> bool:
        """Whether the login has acknowledged it here, as far as is remembered."""
        return (login, item.name) in self._names

    def acknowledged(self, login: str, item: EsmeItem) -> None:
        """The login has it."""
        if isinstance(item, EsmeReceipt):
            self.receipts += 1
        else:
            self.inbound += 1
        self._names[login, item.name] = None
        if len(self._names) > MAX_REMEMBERED:
            self._names.popitem(last=False)
