"""Wipe: a number is taken out of one kind of place, bit by bit. Done again, it finds nothing more.

Opt-outs and Do Not Disturb keep the number, and nothing else of it: they are what the person asked for.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final

import msgspec

from chalicelib.domain import facts as facts_of_messages
from chalicelib.domain.cdr import Cdr
from chalicelib.domain.facts import AnyFact
from chalicelib.domain.inbound import UNASSIGNED
from chalicelib.domain.message import Message, fold
from chalicelib.domain.status import Status
from chalicelib.domain.texts import ERASED, erased, with_content, without_number
from chalicelib.domain.webhook import CALLBACKS
from chalicelib.domain.webhook_delivery import delivery_id
from chalicelib.domain.webhook_event import Event, of_inbound, of_message
from chalicelib.services import keep_contacts, review, wipe_job
from chalicelib.services.cancel import cancel
from chalicelib.services.faults import Fault
from chalicelib.store import (
    accounts,
    cdrs,
    dead_letters,
    dnd,
    held,
    inbound,
    jobs,
    messages,
    opt_outs,
    webhook_deliveries,
    webhooks,
)
from chalicelib.store.messages import Noted

ON_THEIR_WAY: Final = "on_their_way"  # messages that are let end first
MESSAGES_AT_ONCE: Final = 100
JOBS_AT_ONCE: Final = 20
INBOUND_DAYS: Final = 10  # of an account's inbound messages that are read at once
_DAY_MS: Final = 86_400_000
_DONE: Final = "~"  # as the place inside of an account: all of it


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """The number that is to be erased, at one account or at all (None), and in whose name."""

    number: str
    account: str | None
    by: str
    now_ms: int

    def accounts(self) -> list[str]:
        """Whose places are gone through, in order."""
        if self.account is not None:
            return [self.account]
        return sorted(account.id for some in accounts.pages() for account in some)


Did = Counter[str]
Bit = tuple[str, Did]  # how far it has come, and what was done since the one before
Place = Callable[[Search, str], Iterator[Bit]]  # the bits behind a position ('': all)
OfAccount = Callable[[Search, str, str], Iterator[Bit]]


def _each(of_account: OfAccount, *besides: str) -> Place:
    """The place at one account after the other. Where a bit says _DONE of its account, it is the only one there."""

    def bits(search: Search, after: str) -> Iterator[Bit]:
        begun, _, inside = after.partition("|")
        for account in (*(besides if search.account is None else ()), *search.accounts()):
            if account < begun or (account == begun and inside == _DONE):
                continue
            for position, did in of_account(search, account, inside if account == begun else ""):
                yield f"{account}|{position}", did
            yield f"{account}|{_DONE}", Counter()

    return bits


def _in_contacts(search: Search, account: str, _after: str) -> Iterator[Bit]:
    with suppress(Fault):  # there is none
        keep_contacts.delete(account, search.number)
        yield _DONE, Counter(contacts=1)


def _in_messages(search: Search, account: str, after: str) -> Iterator[Bit]:
    """Newest first, by the number's own index."""
    before = after
    until_ms = search.now_ms + _DAY_MS
    while some := messages.to_number(account, search.number, 0, until_ms, before=before, limit=MESSAGES_AT_ONCE):
        did: Did = Counter()
        for message_id in some:
            did += _in_message(search, account, message_id)
        before = some[-1]
        yield before, did


def _in_message(search: Search, account: str, message_id: str) -> Did:
    known = messages.facts_of(account, message_id)
    message = fold(message_id, known)
    if message is None or message.content is None:
        return Counter()
    if not message.final:
        if not _ended(search, account, message):
            return Counter({ON_THEIR_WAY: 1})
        known = messages.facts_of(account, message_id)
    did: Did = Counter(messages=int(any(_is_to(fact, search.number) for fact in known)))
    did["held"] = held.change(message_id, erased) if _was_held(known) else 0
    told = (of_message(message_id, fact, erased(message.content)) for fact in known)
    did["webhook_deliveries"] = _in_deliveries(account, [event for event in told if event is not None])
    days = accounts.retention_days(account, search.now_ms)
    messages.put_facts(_erased(account, message_id, known, days))
    return did


def _ended(search: Search, account: str, message: Message) -> bool:
    """Whether a message that only waits, for its time or for a person, is ended here; another is on its way."""
    owner = accounts.get(account)
    if owner is None:
        return False
    with suppress(Fault):  # it left, or was decided, at this moment
        if message.held:
            review.drop(message.id, search.by, search.now_ms)
            return True
        if message.status is Status.SCHEDULED:
            cancel(owner, message.id, search.now_ms)
            return True
    return False


def _erased(account: str, message_id: str, known: Iterable[AnyFact], days: int) -> Iterator[Noted]:
    """The facts that have the number in them, or are found by it, as they are to be instead."""
    known = tuple(known)
    charged = any(isinstance(fact, facts_of_messages.Queued) for fact in known)
    for fact in known:
        is_end = isinstance(fact, facts_of_messages.Final)
        if is_end or isinstance(fact, facts_of_messages.Held) or with_content(fact, erased) is not fact:
            refused = is_end and not charged
            yield Noted(account, message_id, with_content(fact, erased), days, refused=refused)


def _is_to(fact: AnyFact, number: str) -> bool:
    content = getattr(fact, "content", None)
    return content is not None and content.to == number


def _was_held(known: Iterable[AnyFact]) -> bool:
    return any(isinstance(fact, facts_of_messages.Held) for fact in known)


def _in_deliveries(account: str, told: Iterable[Event]) -> int:
    """What webhooks were told, in each endpoint's log: replaced by the same events, which name nobody."""
    endpoints = [*(endpoint.id for endpoint in webhooks.get(account).endpoints), CALLBACKS]
    return sum(
        webhook_deliveries.change_event(account, endpoint, delivery_id(event), event)
        for event in told
        for endpoint in endpoints
    )


def _in_inbound(search: Search, account: str, after: str) -> Iterator[Bit]:
    """What the person wrote, some days at a time: it is kept by account and time alone."""
    oldest_ms = search.now_ms - (accounts.retention_days(account, search.now_ms) + INBOUND_DAYS) * _DAY_MS
    until_ms = int(after) if after else search.now_ms + _DAY_MS
    while until_ms > oldest_ms:
        since_ms, did = until_ms - INBOUND_DAYS * _DAY_MS, Counter[str]()
        for one in inbound.with_number(account, search.number, since_ms, until_ms):
            if one.sender == search.number:
                changed = msgspec.structs.replace(one, sender=ERASED, text="", data=b"")
                did["inbound"] += inbound.change(changed)
                did["webhook_deliveries"] += _in_deliveries(account, [of_inbound(changed)])
        until_ms = since_ms
        yield str(until_ms), did


def _in_jobs(search: Search, account: str, after: str) -> Iterator[Bit]:
    """Also of those that are over: their lists may be read again."""
    owner, cursor = accounts.get(account), {"before": after} if after else None
    while True:
        page = jobs.of_account(account, cursor, JOBS_AT_ONCE)
        for row in page.items:
            yield row.job.id, _in_job(search, row, owner.default_region if owner else None)
        cursor = page.cursor
        if cursor is None:
            return


def _in_job(search: Search, row: jobs.JobRow, region: str | None) -> Did:
    recipients, is_read = wipe_job.wipe(row, search.number, region)
    return +Counter({"job_recipients": recipients, ON_THEIR_WAY: int(is_read)})


def _in_lists(search: Search, account: str, _after: str) -> Iterator[Bit]:
    """An opt-out holds for ever; the words that the person wrote go."""
    if opt_outs.forget_word(account, search.number):
        yield _DONE, Counter(opt_outs_kept=1)


def _in_dnd(search: Search, after: str) -> Iterator[Bit]:
    if not after and dnd.get(search.number) is not None:
        yield _DONE, Counter(dnd_kept=1)


def _in_dead_letters(search: Search, after: str) -> Iterator[Bit]:
    """What could not be processed: sent again, it is refused."""
    if after:
        return
    did: Did = Counter()
    for letter in dead_letters.with_text(search.number):
        if search.account is None or search.account in letter.body:
            with suppress(msgspec.DecodeError):
                told = without_number(msgspec.json.decode(letter.body), search.number)
                did["dead_letters"] += dead_letters.change_body(letter, msgspec.json.encode(told).decode())
    yield _DONE, did


def _in_archive(search: Search, after: str) -> Iterator[Bit]:
    """Every part is read: some twenty milliseconds for ten thousand records."""
    for key in cdrs.keys_after(after):
        if search.account not in (None, cdrs.account_of(key)):
            continue
        found = cdrs.rewrite(key, search.number, _no_number) if cdrs.has(key, search.number) else 0
        yield key, Counter(cdrs=found)


def _no_number(cdr: Cdr) -> Cdr:
    """As its message tells it by now."""
    return msgspec.structs.replace(cdr, mobile_number=ERASED, client_ref=None, text_hash="")


# In the order in which they are gone through: what could bring a number back to another place comes first.
PLACES: Final[Mapping[str, Place]] = {
    "contacts": _each(_in_contacts),
    "jobs": _each(_in_jobs),
    "dead_letters": _in_dead_letters,
    "messages": _each(_in_messages),
    "inbound": _each(_in_inbound, UNASSIGNED),
    "opt_outs": _each(_in_lists),
    "dnd": _in_dnd,
    "archive": _in_archive,
}
