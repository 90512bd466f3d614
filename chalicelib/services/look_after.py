"""Look after messages that wait: what was lost on its way is sent again, what outlived its validity is ended.

Every five minutes a round visits each account's messages of a few ages (domain.waiting.LOOKS_MS). The log has no index
of what is missing in it; but ids are ordered by time, so a window of ages is one short query a shard. A round that did
not take place, or a visit that failed, is made up for by the next age's.

It costs, with reads of 0.125 $ a million: each message is read at each of its 14 ages, some 2 KB at half a unit for
4 KB: 3.5 units, 0.44 $ a million messages; and each account 14 queries a round that may find nothing, half a unit each:
0.25 $ a day for a thousand accounts. Nothing is written for a message that needs nothing.
"""

import logging
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.facts import Attempted, ErrorInfo, Submitted
from chalicelib.domain.message import Message, fold
from chalicelib.domain.refunds import EndedBy, is_refunded
from chalicelib.domain.refusals import REASONS
from chalicelib.domain.status import Status
from chalicelib.domain.waiting import NO_RECEIPT, Care, Window, care_of, ended_ms, was_submitted, windows
from chalicelib.services.end_what_waited import end_what_waited
from chalicelib.store import accounts, dispatches, messages, queues
from chalicelib.store.messages import Facts
from chalicelib.wire import MAX_BUNDLE_MESSAGES, AcceptedBundle, Draft, EndOutcome, OutcomeBundle, Visit

ACCOUNTS_A_VISIT: Final = 20  # 14 queries each, of which most find nothing
MESSAGES_A_VISIT: Final = 2_000  # then the rest is another visit's: some seconds of a function's 20
# With more records waiting than this, what is not charged is late and not lost; to send it again would be to pile on.
MOST_WAITING: Final = 500

log: Final = logging.getLogger(__name__)


def start_round(now_ms: int) -> int:
    """Put the visits of a round on ⟨visits⟩; to how many accounts."""
    looks, visited = windows(now_ms), 0
    for some in accounts.pages():
        names = [account.id for account in some]
        groups = [tuple(names[at : at + ACCOUNTS_A_VISIT]) for at in range(0, len(names), ACCOUNTS_A_VISIT)]
        visits = [Visit(id=ids.new_ulid(now_ms), accounts=group, windows=looks) for group in groups]
        queues.send_many(queues.VISITS, visits)
        visited += len(names)
    return visited


def look_after(visits: Sequence[Visit], now_ms: int) -> None:
    """Make the visits. Doing one again changes nothing: what is sent again has the names that it had."""
    for visit in visits:
        _visit(visit, now_ms)


def _visit(visit: Visit, now_ms: int) -> None:
    left = MESSAGES_A_VISIT
    for number, id_ in enumerate(visit.accounts):
        account = accounts.cached(id_, now_ms)
        if account is None:
            continue
        for place, window in enumerate(visit.windows):
            seen = list(islice(_made_in(account, window), left))
            _care_for(account, seen, now_ms)
            left -= len(seen)
            if not left:
                rest = (Window(window.since_ms, window.until_ms, seen[-1].message_id), *visit.windows[place + 1 :])
                _hand_on((id_,), rest, now_ms)
                _hand_on(visit.accounts[number + 1 :], visit.windows, now_ms)
                return


def _made_in(account: Account, window: Window) -> Iterator[Facts]:
    return messages.made(account.id, account.shards, window.since_ms, window.until_ms, window.after)


def _hand_on(of: tuple[str, ...], rest: tuple[Window, ...], now_ms: int) -> None:
    if of:
        queues.send(queues.VISITS, Visit(id=ids.new_ulid(now_ms), accounts=of, windows=rest))


def _care_for(account: Account, seen: Sequence[Facts], now_ms: int) -> None:
    needs: dict[Care | None, list[tuple[Message, Facts]]] = {care: [] for care in (*Care, None)}
    for one in seen:
        message = fold(one.message_id, one.facts)
        if message is not None:
            needs[care_of(message, now_ms)].append((message, one))
    # Of an account that wants no texts stored, there is nothing to send again: such a message ends with its validity.
    stuck = [message for message, _ in needs[Care.SEND_AGAIN] if message.content and not message.content.text_hash]
    if stuck:
        _send_again(account, stuck)
    if needs[Care.END]:
        _end(account, needs[Care.END], now_ms)
    end_what_waited(account, [message for message, one in needs[None] if not _began(one)], now_ms)


def _send_again(account: Account, stuck: Sequence[Message]) -> None:
    """Send the accepted bundle once more, under the name that it had.

    Only a message that was sent alone has an accepted fact without a queued one, and its bundle is named after it.
    Where the first bundle is late and not lost, both are routed; the ledger knows the name, so one is charged; both are
    dispatched under one name, which one bridge can claim, once.
    """
    if queues.depth(queues.ACCEPTED) + queues.depth(queues.BILLING) > MOST_WAITING:
        log.warning("not sent again: the queues are full", extra={"account": account.id, "messages": len(stuck)})
        return
    log.warning("sent again", extra={"account": account.id, "messages": [message.id for message in stuck]})
    queues.send_many(
        queues.ACCEPTED,
        [
            AcceptedBundle(
                id=ids.bundle_of_single(message.id),
                account=account.id,
                messages=(Draft(id=message.id, at_ms=message.created_ms, content=message.content),),
            )
            for message in stuck
            if message.content is not None
        ],
    )


def _end(account: Account, overdue: Sequence[tuple[Message, Facts]], now_ms: int) -> None:
    """Tell settle that they expired. What a bridge had is not paid back as if it had never been handed over.

    A receipt that comes later still counts, and says more; what was paid back by then stays paid back.
    """
    submitted = _handed_over(overdue)
    ends = [_ended(account, message, handed_over=message.id in submitted) for message, _ in overdue]
    log.warning("expired", extra={"account": account.id, "messages": [end.message for end in ends]})
    bundles = [
        OutcomeBundle(id=ids.new_ulid(now_ms), outcomes=tuple(ends[at : at + MAX_BUNDLE_MESSAGES]))
        for at in range(0, len(ends), MAX_BUNDLE_MESSAGES)
    ]
    queues.send_many(queues.OUTCOMES, bundles)


def _handed_over(overdue: Sequence[tuple[Message, Facts]]) -> set[str]:
    """The messages that an SMSC has, or whose dispatch a bridge has begun with; after their validity none submits them.

    A bridge that hands a message back, as it does when it is stopped, has begun with it: nothing else is known of that
    here. When a bridge comes to its record, it ends it as never handed over, and then it is paid back.
    """
    known = {message.id for message, one in overdue if was_submitted(one.facts)}
    names = {message.id: _dispatches_of(message, one) for message, one in overdue if message.id not in known}
    taken = dispatches.taken(name for some in names.values() for name in some)
    return known | {message_id for message_id, some in names.items() if taken & set(some)}


def _began(one: Facts) -> bool:
    """Whether a gateway has done anything with it but keep it waiting."""
    return any(isinstance(fact, Attempted | Submitted) for fact in one.facts)


def _dispatches_of(message: Message, told: Facts) -> tuple[str, ...]:
    """The names that a bridge claims it by where it lies: by its slice of a bundle, or alone where it was handed on."""
    queued = message.queued
    if queued is None or message.content is None:
        return ()
    left = {fact.gateway for fact in told.facts if isinstance(fact, Attempted) and fact.failed_over}
    if left:
        return (ids.hop_id(queued.bundle, message.id, len(left)),)
    return (queued.dispatch or ids.dispatch_id(queued.bundle, 1, ""),)


def _ended(account: Account, message: Message, *, handed_over: bool) -> EndOutcome:
    if message.content is None:
        raise ValueError(f"{message.id} has no content")
    told = NO_RECEIPT if handed_over else ErrorInfo(code="expired", title=REASONS["expired"].title)
    return EndOutcome(
        account=account.id,
        message=message.id,
        at_ms=ended_ms(message.content.valid_until_ms),
        gateway=message.queued.gateway if message.queued else "",
        status=Status.EXPIRED,
        error=told,
        refundable=not handed_over or is_refunded(account.refund_policy, EndedBy.SILENCE, Status.EXPIRED),
    )
