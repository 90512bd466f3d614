"""Hold: messages whose verdict is to wait for a person are kept where one looks, under their own ids."""

from collections.abc import Iterable

from chalicelib.domain.charging import LedgerEntry, Verdict
from chalicelib.domain.decision import Refusal
from chalicelib.store import held
from chalicelib.store.held import HeldMessage
from chalicelib.wire import Draft


def hold(account: str, settled: Iterable[tuple[Draft, Verdict]], entry: LedgerEntry) -> None:
    """Keep those that are held, as the bundle's entry says, by which alone it goes; what is kept already stays so."""
    for draft, verdict in settled:
        if isinstance(verdict, Refusal) and verdict.held:
            held.keep(
                HeldMessage(
                    message=draft.id,
                    account=account,
                    rule=verdict.rule,
                    content=draft.content,
                    accepted_ms=draft.at_ms,
                    held_ms=entry.at_ms,
                )
            )
