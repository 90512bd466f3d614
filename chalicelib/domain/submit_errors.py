"""What an SMSC's refusal means for a message: again, elsewhere, or the end; and what to do next."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, assert_never

import msgspec

from chalicelib.domain.rules import ErrorRule


class Action(StrEnum):
    """What to do about a refusal."""

    PAUSE = "pause"  # hold the session back, lower its rate, then send again
    RETRY = "retry"  # send again on this gateway
    FAIL_OVER = "fail_over"  # try the next gateway
    FINAL = "final"  # no gateway will take it
    UNKNOWN = "unknown"  # the SMSC may have it: hold or send again, as the gateway and the traffic class say


class Consequence(msgspec.Struct, frozen=True, kw_only=True):
    """What a command_status means. `delays_seconds[n]` is the wait before going again the n + 1st time."""

    action: Action
    code: str  # stable, snake_case
    title: str
    delays_seconds: tuple[int, ...] = ()
    counts_as_attempt: bool = True
    permanent: bool = False  # the same message to the same gateway cannot succeed
    may_fail_over: bool = True
    refundable: bool = True

    @property
    def of_gateway(self) -> bool:
        """Whether the gateway is at fault, whatever the message. To be throttled is no fault of anybody's."""
        return self.action in (Action.RETRY, Action.UNKNOWN) or (self.action is Action.FAIL_OVER and not self.permanent)


class Retry(msgspec.Struct, frozen=True):
    """Send again on this gateway, after a wait that the sender spreads with jitter."""

    after_seconds: int


class FailOver(msgspec.Struct, frozen=True):
    """Hand to the next gateway, now."""


class Hold(msgspec.Struct, frozen=True):
    """The SMSC may have it. Send again only if the gateway's setting says so for this traffic."""


class Fail(msgspec.Struct, frozen=True, kw_only=True):
    """The end."""

    code: str
    title: str
    permanent: bool
    refundable: bool
    expired: bool = False  # its validity ended, rather than that the SMSC said no


NextStep = Retry | FailOver | Hold | Fail

BUSY_DELAYS_SECONDS: Final = (30, 120, 300)
SYSTEM_DELAYS_SECONDS: Final = (5, 30)
PAUSE_DELAYS_SECONDS: Final = (1, 2, 4, 8, 16, 30)  # the last one is repeated
BIND_DELAYS_SECONDS: Final = (5, 30, 120, 300)  # the last one is repeated; an alarm goes with it
OWN_STATUSES_FROM: Final = 0x400  # SMPP 3.4, 5.1.3: what is above belongs to the SMSC's vendor


def _pause(code: str, title: str, delays_seconds: tuple[int, ...] = PAUSE_DELAYS_SECONDS) -> Consequence:
    return Consequence(
        action=Action.PAUSE, code=code, title=title, delays_seconds=delays_seconds, counts_as_attempt=False
    )


def _again(code: str, title: str, delays_seconds: tuple[int, ...]) -> Consequence:
    return Consequence(action=Action.RETRY, code=code, title=title, delays_seconds=delays_seconds)


def _elsewhere(code: str, title: str, *, permanent: bool = False) -> Consequence:
    return Consequence(action=Action.FAIL_OVER, code=code, title=title, permanent=permanent)


def _final(code: str, title: str) -> Consequence:
    return Consequence(action=Action.FINAL, code=code, title=title, permanent=True, may_fail_over=False)


# SMPP 3.4, 5.1.3, read as operators' SMSCs use it.
CONSEQUENCES: Final[Mapping[int, Consequence]] = {
    0x01: _final("invalid_length", "The SMSC finds the message's length invalid."),
    0x08: _again("gateway_system_error", "The SMSC had a system error.", SYSTEM_DELAYS_SECONDS),
    0x0A: _elsewhere("sender_refused", "The SMSC does not take this sender.", permanent=True),
    0x0B: _final("invalid_destination", "The SMSC finds the destination invalid."),
    0x0D: _pause("gateway_bind_failed", "The SMSC refused to bind.", BIND_DELAYS_SECONDS),
    0x0E: _pause("gateway_bind_failed", "The SMSC refused the password.", BIND_DELAYS_SECONDS),
    0x0F: _pause("gateway_bind_failed", "The SMSC refused the system id.", BIND_DELAYS_SECONDS),
    0x14: _again("gateway_busy", "The SMSC's queue is full.", BUSY_DELAYS_SECONDS),
    0x15: _elsewhere("service_refused", "The SMSC does not take this service type.", permanent=True),
    0x33: _final("invalid_destination_count", "The SMSC finds the number of destinations invalid."),
    0x43: _final("invalid_esm_class", "The SMSC does not take this esm_class."),
    0x45: _elsewhere("submit_failed", "The SMSC could not take the message."),
    0x48: _elsewhere("sender_refused", "The SMSC does not take this sender's type of number.", permanent=True),
    0x49: _elsewhere("sender_refused", "The SMSC does not take this sender's numbering plan.", permanent=True),
    0x58: _pause("gateway_throttled", "The SMSC asks for a lower rate."),
    0x61: _final("invalid_schedule", "The SMSC finds the time of delivery invalid."),
    0x62: _final("invalid_validity", "The SMSC finds the validity period invalid."),
    0x64: _again("gateway_temporary_error", "The SMSC cannot take the message for now.", BUSY_DELAYS_SECONDS),
    0x65: _final("gateway_permanent_error", "The SMSC will not take the message."),
    0x66: _final("gateway_rejected", "The SMSC rejected the message."),
    0xC0: _final("invalid_optional_part", "The SMSC finds the optional parameters invalid."),
    0xC1: _final("optional_parameter_refused", "The SMSC does not take an optional parameter."),
    0xC2: _final("invalid_parameter_length", "The SMSC finds a parameter's length invalid."),
    0xC3: _final("missing_parameter", "The SMSC misses an optional parameter."),
    0xC4: _final("invalid_parameter_value", "The SMSC finds an optional parameter's value invalid."),
}
UNLISTED: Final = _elsewhere("gateway_error", "The SMSC refused the message with a status that has no rule.")
NO_ANSWER: Final = Consequence(
    action=Action.UNKNOWN, code="no_answer", title="The SMSC did not answer.", may_fail_over=False, refundable=False
)


def table_of(rules: tuple[ErrorRule, ...]) -> dict[int, Consequence]:
    """A gateway's own table, to be kept beside its sessions: its rules, in the shape of CONSEQUENCES."""
    return {rule.command_status: _of_rule(rule) for rule in rules}


def consequence_of(command_status: int, gateway_table: Mapping[int, Consequence] | None = None) -> Consequence:
    """What a submit_sm_resp's status means: the gateway's own reading, else the table's, else fail over once."""
    if gateway_table is not None and command_status in gateway_table:
        return gateway_table[command_status]
    return CONSEQUENCES.get(command_status, UNLISTED)


def next_step(
    consequence: Consequence, *, attempt: int, failover_left: bool, now_ms: int, valid_until_ms: int
) -> NextStep:
    """What to do after a refusal. `attempt` counts from 1: how often the message has met this consequence here.

    Nothing is tried that would come after the end of the message's validity.
    """
    if consequence.action is Action.UNKNOWN:
        return Hold()
    if consequence.action is Action.FINAL:
        return _fail(consequence)
    if now_ms >= valid_until_ms:
        return _expired(consequence)
    delay_seconds = _delay(consequence, attempt)
    if delay_seconds is not None and now_ms + delay_seconds * 1000 < valid_until_ms:
        return Retry(delay_seconds)
    if failover_left and consequence.may_fail_over:
        return FailOver()
    return _fail(consequence) if delay_seconds is None else _expired(consequence)


def _delay(consequence: Consequence, attempt: int) -> int | None:
    delays, waited = consequence.delays_seconds, max(attempt, 1) - 1
    if waited < len(delays):
        return delays[waited]
    return delays[-1] if consequence.action is Action.PAUSE and delays else None


def _fail(consequence: Consequence) -> Fail:
    return Fail(
        code=consequence.code,
        title=consequence.title,
        permanent=consequence.permanent,
        refundable=consequence.refundable,
    )


def _expired(consequence: Consequence) -> Fail:
    title = f"The message's validity ended before a gateway took it. {consequence.title}"
    return Fail(code="validity_expired", title=title, permanent=False, refundable=True, expired=True)


def _of_rule(rule: ErrorRule) -> Consequence:
    match rule.action:
        case "retry":
            made = _again(rule.code, rule.title, BUSY_DELAYS_SECONDS)
        case "pause":
            made = _pause(rule.code, rule.title)
        case "fail_over":
            made = _elsewhere(rule.code, rule.title, permanent=True)
        case "final":
            made = _final(rule.code, rule.title)
        case _:
            assert_never(rule.action)
    return msgspec.structs.replace(made, refundable=rule.refund)
