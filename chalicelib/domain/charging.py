"""What a bundle costs, and the record of what was decided for it: pure sums that one transaction then makes true."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from chalicelib.domain.content import Content
from chalicelib.domain.decision import Decision, Refusal
from chalicelib.domain.refusals import refusal
from chalicelib.domain.usage import UsageLine, merged, slot_at

EntryKind = Literal["charge", "refusal", "refund", "grant", "adjustment"]
Verdict = Decision | Refusal
WHO_CHARGES: Final = "billing"


class Verdicts(msgspec.Struct, frozen=True, omit_defaults=True):
    """The verdicts of a bundle's messages, in their order, each different one kept once.

    `of` has a number a message: n ≥ 0 is `decisions[n]`, n < 0 is `refusals[-n - 1]`.
    """

    of: tuple[int, ...]
    decisions: tuple[Decision, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    def each(self) -> list[Verdict]:
        """A verdict a message."""
        return [self.decisions[n] if n >= 0 else self.refusals[~n] for n in self.of]


class Charge(msgspec.Struct, frozen=True, kw_only=True):
    """One bundle's charge, whole or nothing. An amount of 0 still leaves its entry: what was decided stands."""

    account: str
    bundle: str
    at_ms: int
    amount_micros: int
    verdicts: Verdicts
    usage: tuple[UsageLine, ...]
    message: str | None = None  # the one that it is of, where it is one

    @property
    def kind(self) -> EntryKind:
        return "charge" if self.verdicts.decisions else "refusal"


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an account's ledger: signed amount (a charge is negative), named after what it was for."""

    account: str
    id: str
    kind: EntryKind
    amount_micros: int
    at_ms: int
    who: str
    why: str
    message: str | None = None  # what was paid for, or paid back, where it is one message
    verdicts: Verdicts | None = None  # of charges and refusals: what was decided, message by message

    @property
    def place(self) -> str:
        """Where it stands in its account's statement: by time, entries of one millisecond by id."""
        return place_from(self.at_ms) + self.id


def place_from(at_ms: int) -> str:
    """The first place in a statement that an entry of this instant may have."""
    return f"{at_ms:015}#"


def entry_at(place: str) -> str:
    """The id of the entry that stands there."""
    return place.partition("#")[2]


def price_of(decision: Decision, parts: int) -> int:
    """What a message of that many parts costs, in micros."""
    return decision.price_micros * parts


def cost_of(decision: Decision, parts: int) -> int:
    """What the gateway's operator asks for it, in micros; 0 where nobody has said."""
    return (decision.cost_micros or 0) * parts


def propose(
    account: str,
    bundle: str,
    messages: Sequence[tuple[Content, Verdict]],
    now_ms: int,
    message: str | None = None,
) -> Charge:
    """The charge of a bundle as its messages' verdicts ask for it; what has expired by now is refused.

    `message` is the id of the bundle's message where it has only one.
    """
    verdicts = [refusal("expired") if content.valid_until_ms <= now_ms else verdict for content, verdict in messages]
    contents = [content for content, _ in messages]
    return Charge(
        account=account,
        bundle=bundle,
        at_ms=now_ms,
        amount_micros=sum(
            price_of(verdict, content.parts)
            for content, verdict in zip(contents, verdicts, strict=True)
            if isinstance(verdict, Decision)
        ),
        verdicts=gather(verdicts),
        usage=merged(
            usage_line(content, verdict, now_ms)
            for content, verdict in zip(contents, verdicts, strict=True)
            if isinstance(verdict, Decision) or not verdict.held
        ),
        message=message,
    )


def refuse(charge: Charge, code: str) -> Charge:
    """The same bundle with nothing charged: each of its messages that had a decision is refused with `code`."""
    verdicts = [refusal(code) if isinstance(verdict, Decision) else verdict for verdict in charge.verdicts.each()]
    usage = merged(
        UsageLine(slot=line.slot, country=line.country, refused=line.messages + line.refused) for line in charge.usage
    )
    return msgspec.structs.replace(charge, amount_micros=0, usage=usage, verdicts=gather(verdicts))


def gather(verdicts: Iterable[Verdict]) -> Verdicts:
    """The verdicts with repetitions folded, so that a bundle of one campaign's messages stays small."""
    decisions: dict[Decision, int] = {}
    refusals: dict[Refusal, int] = {}
    of = []
    for verdict in verdicts:
        if isinstance(verdict, Decision):
            of.append(decisions.setdefault(verdict, len(decisions)))
        else:
            of.append(~refusals.setdefault(verdict, len(refusals)))
    return Verdicts(of=tuple(of), decisions=tuple(decisions), refusals=tuple(refusals))


def usage_line(content: Content, verdict: Verdict, at_ms: int) -> UsageLine:
    """What one message adds to its account's usage. One that is refused has no operator, and no gateway."""
    slot = slot_at(at_ms)
    if not isinstance(verdict, Decision):
        return UsageLine(slot=slot, country=content.country, refused=1)
    defaulted = int(verdict.by_default)
    return UsageLine(
        slot=slot,
        country=content.country,
        operator=verdict.operator,
        gateway=verdict.gateway,
        messages=1,
        parts=content.parts,
        credits_micros=price_of(verdict, content.parts),
        cost_micros=cost_of(verdict, content.parts),
        costed=int(verdict.cost_micros is not None),
        defaulted=defaulted,
        defaulted_parts=defaulted * content.parts,
        defaulted_micros=defaulted * price_of(verdict, content.parts),
    )


def grouped(charges: Iterable[Charge], max_items: int) -> list[list[Charge]]:
    """Charges of one account in groups that fit a transaction of `max_items`: wallet, an entry each, usage lines."""
    groups: list[list[Charge]] = []
    items = max_items
    for charge in charges:
        needs = 1 + len(charge.usage)
        if items + needs > max_items:
            groups.append([])
            items = 1
        groups[-1].append(charge)
        items += needs
    return groups
