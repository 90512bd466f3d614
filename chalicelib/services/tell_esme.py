"""Tell SMPP customers: receipts of their messages, as they asked for them, go on their login's queue."""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from chalicelib.domain import ids
from chalicelib.domain.esme import EsmeInbound, EsmeItem, receipts_of
from chalicelib.domain.news import Heard
from chalicelib.store import queues
from chalicelib.wire import EsmeBundle, ToldInVain

log: Final = logging.getLogger(__name__)
MAX_ITEMS: Final = 100  # a bundle: about 25 KB of receipts
MAX_TEXT_OCTETS: Final = 100_000  # a bundle: long inbound messages go in fewer
_ID_DIGITS: Final = 32


def tell_esme(heard: Sequence[Heard], now_ms: int) -> None:
    """Put the receipts that were asked for on their logins' queues, in the order of the news. Raises Undelivered."""
    by_login: dict[str, list[EsmeItem]] = defaultdict(list)
    for one in heard:
        receipts = receipts_of(one, ids.created_ms_of(one.news.message))
        by_login[one.content.login].extend(receipts)
    for login, items in by_login.items():
        send(login, items)


def tell_again(told: Iterable[ToldInVain]) -> None:
    """Put what a customer's client did not take on its queue once more."""
    for one in told:
        send(one.login, one.items, one.attempt)


def send(login: str, items: Sequence[EsmeItem], attempt: int = 0) -> None:
    """Put items on a login's queue, in their order. A login that is gone is told nothing. Raises Undelivered."""
    if not items:
        return
    try:
        queues.send_to_esme(login, [_bundle(login, some, attempt) for some in _portions(items)])
    except queues.NoQueue:
        log.error("no such login: not told", extra={"login": login, "messages": [item.id for item in items]})


def _bundle(login: str, items: Sequence[EsmeItem], attempt: int) -> EsmeBundle:
    """Named after what it says, so that SQS takes the same only once where a step is done twice within minutes."""
    said = "\n".join((login, str(attempt), *(item.name for item in items)))
    name = hashlib.sha256(said.encode()).hexdigest()[:_ID_DIGITS]
    return EsmeBundle(id=name, login=login, items=tuple(items), attempt=attempt)


def _portions(items: Sequence[EsmeItem]) -> Iterator[list[EsmeItem]]:
    portion: list[EsmeItem] = []
    octets = 0
    for item in items:
        needs = len(item.text.encode()) + (len(item.data) if isinstance(item, EsmeInbound) else 0)
        if portion and (len(portion) == MAX_ITEMS or octets + needs > MAX_TEXT_OCTETS):
            yield portion
            portion, octets = [], 0
        portion.append(item)
        octets += needs
    if portion:
        yield portion
