"""Announce: whoever listens to an account hears what became of its messages."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from chalicelib.domain import facts, ids
from chalicelib.domain.facts import AnyFact, ends_over
from chalicelib.domain.news import Heard, News
from chalicelib.domain.status import RANK
from chalicelib.services.tell_esme import tell_esme
from chalicelib.services.tell_webhooks import tell_webhooks
from chalicelib.store import accounts, messages, webhooks
from chalicelib.store.messages import Whose

__all__ = ["Heard", "News", "announce", "has_ears"]

log: Final = logging.getLogger(__name__)
# Each hears all news of accounts that listen, and takes its own; told twice it must do as if it were told once.
LISTENERS: Final[tuple[Callable[[Sequence[Heard], int], None], ...]] = (tell_esme, tell_webhooks)
Origin = facts.Queued | facts.Accepted | facts.Scheduled  # what has a message's content
_EARLIER: Final = (messages.ACCEPTED, facts.Scheduled.__name__.lower())  # where it ended before it was queued


def announce(news: Sequence[News], now_ms: int) -> None:
    """Tell what has just been noted. Saying it again, after a replay, tells the same under the same names.

    An end that a higher-ranking one stands over is not told; one that stands over an earlier one is. It costs nothing
    where nobody listens, else a request or two a hundred messages. Raises what its listeners raise, and
    dynamo.Overloaded.
    """
    told = {one.name: one for one in news if has_ears(one.account, one.message, now_ms) and one.stands is not False}
    if not told:
        return
    heard = _heard(list(told.values()))
    for tell in LISTENERS:
        tell(heard, now_ms)


def has_ears(account_id: str, message: str, now_ms: int) -> bool:
    """Whether anybody may want to hear of the message. What a job made came by no login and names no callback, so of
    the listeners it is for the account's webhooks alone; where there are none by this very memory, tell_webhooks would
    find none.
    """
    account = accounts.cached(account_id, now_ms)
    if account is None or not account.listens:
        return False
    return ids.run_of(message) is None or bool(webhooks.cached(account_id, now_ms).endpoints)


def _heard(news: Sequence[News]) -> list[Heard]:
    """The news that still are some, each with its message's content."""
    known = _known(news)
    unknown = [_whose(one) for one in news if one.content is None and not _origins(known.get(_whose(one), ()))]
    accepted = messages.named((*one, key) for one in dict.fromkeys(unknown) for key in _EARLIER)
    heard: list[Heard] = []
    for one in news:
        facts_known = (*known.get(_whose(one), ()), *accepted.get(_whose(one), ()))
        if _stands_over(facts_known, one.fact):
            continue
        content = one.content or next((origin.content for origin in _origins(facts_known)), None)
        if content is None:  # its first facts are gone by now, as those of a message that a receipt comes late for
            log.warning("no content to announce", extra={"account": one.account, "message_id": one.message})
            continue
        heard.append(Heard(one, content))
    return heard


def _known(news: Iterable[News]) -> dict[Whose, list[AnyFact]]:
    """Of each message the fact with its content, and the ends that would stand over one of the news, in one go."""
    sought: dict[tuple[str, str, str], None] = {}
    for one in news:
        if one.content is None:
            sought[*_whose(one), messages.QUEUED] = None
        if isinstance(one.fact, facts.Final) and one.stands is None:
            sought |= {(*_whose(one), key): None for key in ends_over(one.fact.status)}
    return messages.named(sought)


def _origins(known: Iterable[AnyFact]) -> list[Origin]:
    return [fact for fact in known if isinstance(fact, Origin)]


def _stands_over(known: Iterable[AnyFact], fact: AnyFact) -> bool:
    """Whether one of the known ends ranks over this fact, which is one."""
    if not isinstance(fact, facts.Final):
        return False
    return any(isinstance(one, facts.Final) and RANK[one.status] > RANK[fact.status] for one in known)


def _whose(news: News) -> Whose:
    return news.account, news.message
