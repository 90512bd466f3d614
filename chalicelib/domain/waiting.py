"""When a message that has not ended is looked at, and what is done for it then: tables and sums, no clock."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from chalicelib.domain.account import Account
from chalicelib.domain.facts import AnyFact, ErrorInfo, Submitted
from chalicelib.domain.message import Message
from chalicelib.domain.rules import Gateway
from chalicelib.domain.status import Status

MINUTE_MS: Final = 60_000
STEP_MS: Final = 5 * MINUTE_MS  # how often rounds begin, and how long a window is
# After the validity: an SMSC tells of an expiry with a receipt, and that is the better news. It is given so long.
GRACE_MS: Final = 30 * MINUTE_MS
STUCK_MS: Final = 10 * MINUTE_MS  # how old a message is that ought to be charged by now
# Validities that customers ask for, in minutes, to 30 days, the longest there is. A message is looked at when each of
# them is over, so that it ends at most by the next of its own.
VALIDITIES_MINUTES: Final = (5, 30, 60, 120, 240, 480, 720, 1440, 2880, 4320, 10_080, 43_200)
# Ages at which each message is looked at. The first is looked at twice: a round may not take place.
LOOKS_MS: Final = (
    STUCK_MS,
    STUCK_MS + STEP_MS,
    *(minutes * MINUTE_MS + GRACE_MS for minutes in VALIDITIES_MINUTES),
)
NO_RECEIPT: Final = ErrorInfo(code="no_receipt", title="The validity ended, and no receipt has told what became of it.")


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """The messages made in [since_ms, until_ms), after the one named (empty: all of them)."""

    since_ms: int
    until_ms: int
    after: str = ""


class Care(StrEnum):
    """What a message that waits needs."""

    SEND_AGAIN = "send_again"  # it was accepted and nothing came of it: its bundle is lost, or late
    END = "end"  # its validity is over


def windows(now_ms: int) -> tuple[Window, ...]:
    """What a round that begins now looks at. Rounds a step apart leave nothing out and overlap nowhere."""
    begins_ms = now_ms - now_ms % STEP_MS
    return tuple(Window(begins_ms - look_ms - STEP_MS, begins_ms - look_ms) for look_ms in LOOKS_MS)


def care_of(message: Message, now_ms: int) -> Care | None:
    """What is to be done for the message now, if anything."""
    if message.final or message.content is None:
        return None
    if message.content.valid_until_ms + GRACE_MS <= now_ms:
        return Care.END
    if message.status is Status.ACCEPTED and not message.held and message.content.valid_until_ms > now_ms:
        return Care.SEND_AGAIN
    return None


def wait_until_ms(account: Account | None, since_ms: int) -> int:
    """Until when a message of the account may wait at gateways that was charged then; 0: while it is valid."""
    if account is None or account.max_wait_seconds is None:
        return 0
    return since_ms + account.max_wait_seconds * 1000


def may_wait_until_ms(gateway: Gateway, since_ms: int, account_until_ms: int) -> int | None:
    """Until when what has waited at the gateway since then (0: not known) may wait there, by its account's setting (0:
    none) and the gateway's; None: while it is valid.
    """
    until_ms = account_until_ms or None
    if gateway.max_wait_seconds is not None and since_ms:
        gateway_ms = since_ms + gateway.max_wait_seconds * 1000
        until_ms = gateway_ms if until_ms is None else min(until_ms, gateway_ms)
    return until_ms


def ended_ms(valid_until_ms: int) -> int:
    """The instant that an end by the clock is noted with: the same one whenever it is noticed."""
    return valid_until_ms + GRACE_MS


def ends_by_ms(created_ms: int, valid_until_ms: int) -> int:
    """When a message has ended for certain, if rounds take place: the look after its validity, and two steps."""
    least_ms = valid_until_ms + GRACE_MS - created_ms
    return created_ms + next((look for look in LOOKS_MS if look >= least_ms), least_ms) + 2 * STEP_MS


def was_submitted(facts: Iterable[AnyFact]) -> bool:
    """Whether an SMSC is known to have taken any of it."""
    return any(isinstance(fact, Submitted) for fact in facts)
