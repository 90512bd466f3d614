"""Suppress: look up which recipients are not to be written to, asking only about those who can be on a list."""

from collections.abc import Iterable

from chalicelib.domain.account import Account
from chalicelib.domain.content import Content
from chalicelib.domain.suppression import NOTHING_KNOWN, Known, asks
from chalicelib.store import dnd, suppression


def look_up(messages: Iterable[tuple[Account, Content]], now_ms: int) -> Known:
    """What the lists say of the messages' recipients.

    Costs nothing for accounts that nobody has ever opted out of and countries of which no number is on the DND list;
    for the others one call a hundred look-ups, of half a read unit each.
    """
    numbers: set[str] = set()
    pairs: set[tuple[str, str]] = set()
    countries = dnd.countries(now_ms)
    for account, content in messages:
        if asks(content, "dnd") and content.country in countries:
            numbers.add(content.to)
        if account.has_opt_outs and asks(content, "opted_out"):
            pairs.add((account.id, content.to))
    return suppression.find(sorted(numbers), sorted(pairs)) if numbers or pairs else NOTHING_KNOWN
