"""Count ends: how messages ended, in their accounts' usage, each once; and which end of each stands by then."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from chalicelib.domain.facts import Final, Queued
from chalicelib.domain.status import RANK, Status
from chalicelib.domain.usage import slot_at
from chalicelib.store import accounts, ends
from chalicelib.store.ends import End
from chalicelib.store.messages import Whose

Ended = tuple[str, str, Final]  # account, message id, its end


def count_ends(ended: Iterable[Ended], queued: Mapping[Whose, Queued], now_ms: int) -> dict[Whose, Status]:
    """Count the ends of messages that were charged; the status that each of those counts under by now.

    An end that ranks over the one that was counted takes its place; one that does not, changes nothing. Before the ends
    are noted or after, once or again, it comes to the same. Raises dynamo.Overloaded.
    """
    highest: dict[Whose, Final] = {}
    for account, message, final in ended:
        known = highest.get((account, message))
        if known is None or RANK[final.status] > RANK[known.status]:
            highest[account, message] = final
    by_account: dict[str, list[End]] = defaultdict(list)
    for (account, message), final in highest.items():
        paid = queued.get((account, message))
        if paid is not None:
            by_account[account].append(_end(message, final, paid))
    standing: dict[Whose, Status] = {}
    for account, some in by_account.items():
        of = accounts.cached(account, now_ms)
        counted = ends.count(account, some, now_ms, of.shards if of else 1)
        standing |= {(account, message): status for message, status in counted.items()}
    return standing


def _end(message: str, final: Final, queued: Queued) -> End:
    """In the slot of its charge, as `charging.usage_line` counts it."""
    took_ms = max(0, final.at_ms - queued.at_ms)
    return End(
        message=message,
        status=final.status,
        line=(slot_at(queued.at_ms), queued.content.country, queued.operator, queued.gateway),
        latency_ms=took_ms if final.status is Status.DELIVERED else None,
    )
