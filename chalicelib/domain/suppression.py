"""Who is not to be written to, and when: Do Not Disturb, opt-outs, and the hours of promotional traffic. Pure."""

from collections.abc import Collection
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from chalicelib.domain.content import Category, Content
from chalicelib.domain.decision import Refusal
from chalicelib.domain.refusals import refusal
from chalicelib.domain.rules import CountryRule
from chalicelib.domain.texts import ERASED

MINUTES_A_DAY: Final = 1_440
_ZONES: Final = 64

# What each category is held back by. A confirmation answers the recipient who has just written: nothing holds it.
HELD_TO: Final[dict[Category, frozenset[str]]] = {
    "promotional": frozenset({"dnd", "opted_out", "outside_hours"}),
    "transactional": frozenset({"opted_out"}),
    "confirmation": frozenset(),
}


class BadZone(ValueError):
    """There is no such time zone."""

    code: Final = "invalid_time_zone"


class Known(msgspec.Struct, frozen=True):
    """What the tables say of the numbers that were asked for."""

    dnd: Collection[str] = frozenset()
    opted_out: Collection[tuple[str, str]] = frozenset()  # account, number


NOTHING_KNOWN: Final = Known()


def asks(content: Content, reason: str) -> bool:
    """Whether a message of its category can be held back for that reason."""
    return reason in HELD_TO[content.category]


def suppressed(
    content: Content, account: str, known: Known, country: CountryRule | None, now_ms: int
) -> Refusal | None:
    """Why the message must not go now, if it must not. The recipient's own word comes first."""
    if content.to == ERASED:
        return refusal("erased")
    reasons = HELD_TO[content.category]
    if "opted_out" in reasons and (account, content.to) in known.opted_out:
        return refusal("opted_out")
    if "dnd" in reasons and content.to in known.dnd:
        return refusal("dnd")
    if "outside_hours" in reasons and country is not None and not within_hours(country, now_ms):
        return refusal("outside_hours")
    return None


def within_hours(rule: CountryRule, at_ms: int) -> bool:
    """Whether promotional traffic is allowed to the country at that instant, by the clock of its rule's time zone."""
    local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone(rule.time_zone))
    minute = local.hour * 60 + local.minute
    from_minute, until_minute = rule.from_minute, rule.until_minute
    if from_minute <= until_minute:
        return local.isoweekday() in rule.days and from_minute <= minute < until_minute
    # Over midnight: the small hours belong to the evening that they follow.
    evening = local.isoweekday() if minute >= from_minute else (local.isoweekday() - 2) % 7 + 1
    return evening in rule.days and (minute >= from_minute or minute < until_minute)


@lru_cache(_ZONES)
def zone(name: str) -> ZoneInfo:
    """The time zone of that IANA name. Raises BadZone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadZone("no time zone of that name is known (IANA, as Europe/Madrid)") from None
