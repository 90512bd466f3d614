"""What an account's wallet, usage and messages must say of each other, and how it is told where they do not. Pure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from chalicelib.domain.account import Wallet
from chalicelib.domain.charging import LedgerEntry
from chalicelib.domain.money import format_amount
from chalicelib.domain.status import FINAL, Status
from chalicelib.domain.usage import UsageLine

# An entry has the time at which its function began, and is there at most a function's timeout (20 s) later.
POSTED_MS: Final = 60_000
CLOCKS_MS: Final = 10_000  # by how much two clocks may differ
_ENDS: Final = tuple(status for status in Status if status in FINAL)


class Check(StrEnum):
    """What is compared."""

    WALLET = "wallet"  # the balance is the sum of the ledger
    CREDIT_LIMIT = "credit_limit"  # what is available is the balance and a limit, which is not below nothing
    CHARGE = "charge"  # a charge entry is the sum of its messages' charges
    VERDICTS = "verdicts"  # and they went where it says that they were to go, at its price
    REFUND = "refund"  # a refund entry is what its message was given back, which is what it was charged
    UNPAID = "unpaid"  # what was submitted was charged
    USAGE = "usage"  # a usage line is the sum of its messages
    WAITING = "waiting"  # no message waits past its validity


class Difference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Two parts of the books that do not say the same. `delta` is found less expected, in the check's own unit."""

    account: str
    check: Check
    subject: str  # the entry, message or usage line; or "wallet"
    expected: str
    found: str
    delta: int = 0
    messages: tuple[str, ...] = ()  # some of those concerned


class LedgerSum(msgspec.Struct):
    """An account's whole ledger added up, the entries apart that were posted about when the wallet was read."""

    entries: int = 0
    before_micros: int = 0  # there when the wallet was read, for certain
    up_micros: int = 0  # perhaps there: credits
    down_micros: int = 0  # perhaps there: charges
    after_micros: int = 0  # not there yet

    @property
    def total_micros(self) -> int:
        return self.before_micros + self.up_micros + self.down_micros + self.after_micros

    def add(self, entry: LedgerEntry, wallet_ms: int) -> None:
        """Count the entry in, for a wallet that was read at that instant, before the ledger was."""
        self.entries += 1
        if entry.at_ms < wallet_ms - POSTED_MS:
            self.before_micros += entry.amount_micros
        elif entry.at_ms > wallet_ms + CLOCKS_MS:
            self.after_micros += entry.amount_micros
        elif entry.amount_micros > 0:
            self.up_micros += entry.amount_micros
        else:
            self.down_micros += entry.amount_micros


def of_wallet(account: str, before: Wallet | None, after: Wallet | None, ledger: LedgerSum) -> list[Difference]:
    """The wallet, as read before and after the ledger, against its sum.

    Where the wallet did not move in between, the sum must be the balance to the micro. Where it did, the balance lies
    between what was posted before for certain and what may have been: a minute's traffic.
    """
    if before is None or after is None:
        total_micros = ledger.total_micros
        return [_wallet(account, total_micros, "no wallet", -total_micros)] if ledger.entries else []
    differences = []
    if before == after:
        least = most = ledger.total_micros
    else:
        least = ledger.before_micros + ledger.down_micros
        most = ledger.before_micros + ledger.up_micros
    balance = before.balance_micros
    if not least <= balance <= most:
        nearest = least if balance < least else most
        differences.append(_wallet(account, nearest, format_amount(balance), balance - nearest))
    if after.credit_limit_micros < 0:
        limit = after.credit_limit_micros
        differences.append(
            Difference(
                account=account,
                check=Check.CREDIT_LIMIT,
                subject="wallet",
                expected="available at least the balance",
                found=f"available {format_amount(after.available_micros)}, "
                f"balance {format_amount(after.balance_micros)}",
                delta=limit,
            )
        )
    return differences


def _wallet(account: str, expected_micros: int, found: str, delta: int) -> Difference:
    return Difference(
        account=account,
        check=Check.WALLET,
        subject="wallet",
        expected=f"{format_amount(expected_micros)}, the sum of the ledger",
        found=found,
        delta=delta,
    )


def of_usage(account: str, said: Mapping[str, UsageLine], kept: Iterable[UsageLine]) -> list[Difference]:
    """Usage lines of whole days against what the messages said of the same days; both by `line_name`.

    What was refused, and what the ledger moved for no message's charge, is beside the point.
    """
    lines = {line_name(line): line for line in kept}
    differences = []
    for name in sorted(said.keys() | lines.keys()):
        expected, found = _figures(said.get(name)), _figures(lines.get(name))
        if expected != found:
            difference = Difference(
                account=account,
                check=Check.USAGE,
                subject=name,
                expected=_told(expected),
                found=_told(found),
                delta=next(two - one for one, two in zip(expected, found, strict=True) if one != two),
            )
            differences.append(difference)
    return differences


def line_name(line: UsageLine) -> str:
    """The usage line's name, `<day>#<country>#<operator>#<gateway>`."""
    return "#".join(line.key)


def _figures(line: UsageLine | None) -> tuple[int, ...]:
    """What of the line the messages have to say, too."""
    if line is None:
        return (0,) * (4 + len(_ENDS))
    ends = (line.ends.get(status, 0) for status in _ENDS)
    return line.messages, line.parts, line.credits_micros, line.refunded_micros, *ends


def _told(figures: tuple[int, ...]) -> str:
    messages, parts, credits_micros, refunded_micros, *ends = figures
    ended = (f", {count} {status}" for status, count in zip(_ENDS, ends, strict=True) if count)
    return (
        f"{messages} message(s), {parts} part(s), {format_amount(credits_micros)} charged, "
        f"{format_amount(refunded_micros)} refunded{''.join(ended)}"
    )


def confirmed(first: Iterable[Difference], again: Iterable[Difference]) -> tuple[Difference, ...]:
    """The differences that were found twice, a while apart: what was under way at the first look is not among them.

    They are the same by check and subject, and by how much they differ; but for a wallet that moves all the time.
    """
    known = {_identity(difference) for difference in first}
    return tuple(difference for difference in again if _identity(difference) in known)


def _identity(difference: Difference) -> tuple[str, str, int]:
    delta = 0 if difference.check is Check.WALLET else difference.delta
    return difference.check, difference.subject, delta
