"""Forget a number: what leads to a person is taken out of every place, and the accounting stays.

It goes through the places (services.wipe) some seconds at a time, and notes how far it has got: broken off anywhere, it
goes on there, and what is done again finds nothing more to do. What is still on its way is let end first; so it looks
again each night until all has, and once more when nothing can bring back what was: records live 14 days on a queue.
"""

import hmac
import logging
import time
from collections import Counter
from hashlib import sha256
from typing import Final

import msgspec

from chalicelib.domain.numbers import BadNumber, mask, normalize
from chalicelib.services import record_change
from chalicelib.services.faults import invalid_field, not_found
from chalicelib.services.wipe import ON_THEIR_WAY, PLACES, Search
from chalicelib.store import accounts, erasures, hash_keys, queues
from chalicelib.store.erasures import Erasure
from chalicelib.store.rows import MUST_BE_NEW
from chalicelib.wire import EVERYBODY, ArchiveWork

LAST_LOOK_MS: Final = 16 * 86_400_000  # after it was asked for: nothing older is on a queue, nor among the uploads
AGAIN_MS: Final = 20 * 3_600_000  # each night
LOST_MS: Final = 86_400_000  # one that should be running goes on, whatever became of its record
_SECONDS: Final = 8.0  # of a function's 20
_ID_LENGTH: Final = 26

log: Final = logging.getLogger(__name__)


def begin(number: str, account: str | None, by: str, now_ms: int, *, here: bool = False) -> Erasure:
    """The erasure of the number at an account (None: at all), begun in the background; `here`: its caller goes on.

    One that is under way goes on; one that is done begins anew. Raises Fault `invalid_request`, `not_found`.
    """
    if account is not None and accounts.get(account) is None:
        raise not_found("account")
    try:
        known = normalize(number)
    except BadNumber as error:
        raise invalid_field("/number", error.code, str(error)) from None
    id_ = _id_of(known.e164, account)
    row = erasures.get(id_)
    if row is None or row.value.state != "running":
        begun = Erasure(
            id=id_,
            number=known.e164,
            masked=mask(known.e164),
            by=by,
            asked_ms=now_ms,
            account=account,
            next_ms=now_ms + LOST_MS,
        )
        if not erasures.put(begun, row.version if row else MUST_BE_NEW):
            return read(id_)
        record_change.changed("erasure", id_, None, {"number": begun.masked}, account=account)
        log.info("erasure begun", extra={"erasure": id_, "by": by})
    if not here:
        _send(id_)
    return read(id_)


def read(erasure_id: str) -> Erasure:
    """The erasure as it is this moment. Raises Fault `not_found`."""
    row = erasures.get(erasure_id)
    if row is None:
        raise not_found("erasure")
    return row.value


def start_due(now_ms: int) -> int:
    """Have those look again whose time it is, and those go on that were lost; how many. There are few."""
    page, sent = erasures.listing(), 0
    while True:
        for row in page.items:
            one = row.value
            if one.state == "done" or one.next_ms is None or one.next_ms > now_ms:
                continue
            begun = msgspec.structs.replace(one, state="running", next_ms=now_ms + LOST_MS)
            if erasures.put(begun, row.version):
                _send(one.id)
                sent += 1
        if page.cursor is None:
            return sent
        page = erasures.listing(page.cursor)


def go_on(work: ArchiveWork, now_ms: int) -> ArchiveWork | None:
    """Some seconds of the erasure; the same work where it has not come to the end of its look."""
    row = erasures.get(work.id)
    if row is None or row.value.state != "running":
        return None
    onward = _stepped(row.value, now_ms)
    if not erasures.put(onward, row.version):
        return None  # somebody else brings it further
    if onward.state == "running":
        return work
    log.info("erasure looked", extra={"erasure": onward.id, "state": onward.state, "did": onward.did})
    return None


def _stepped(erasure: Erasure, now_ms: int) -> Erasure:
    """The erasure, as far as it gets in its time."""
    search = Search(number=erasure.number, account=erasure.account, by=erasure.id, now_ms=now_ms)
    did, ends, places = Counter(erasure.did), time.monotonic() + _SECONDS, list(PLACES)
    on_their_way = erasure.on_their_way if erasure.place else 0
    after = erasure.cursor
    for place in places[places.index(erasure.place or places[0]) :]:
        for cursor, done in PLACES[place](search, after):
            on_their_way += done.pop(ON_THEIR_WAY, 0)
            did += done
            if time.monotonic() > ends:
                return msgspec.structs.replace(
                    erasure,
                    place=place,
                    cursor=cursor,
                    did=dict(did),
                    on_their_way=on_their_way,
                    next_ms=now_ms + LOST_MS,
                )
        after = ""
    return _looked(msgspec.structs.replace(erasure, did=dict(did), on_their_way=on_their_way), now_ms)


def _looked(erasure: Erasure, now_ms: int) -> Erasure:
    """The erasure at the end of a look: it is done, or waits for its next."""
    last_ms = erasure.asked_ms + LAST_LOOK_MS
    looked = msgspec.structs.replace(erasure, looks=erasure.looks + 1, place="", cursor="", ended_ms=now_ms)
    if now_ms >= last_ms and not erasure.on_their_way:
        return msgspec.structs.replace(looked, state="done", number="", next_ms=None)
    again_ms = now_ms + AGAIN_MS if erasure.on_their_way else last_ms
    return msgspec.structs.replace(looked, state="waiting", next_ms=again_ms)


def _id_of(number: str, account: str | None) -> str:
    """The same for the same number and account; it does not tell the number."""
    key = hash_keys.of(account or EVERYBODY)
    return "era_" + hmac.new(key, number.encode(), sha256).hexdigest()[:_ID_LENGTH]


def _send(erasure_id: str) -> None:
    queues.send(queues.ARCHIVES, ArchiveWork(id=erasure_id, account=EVERYBODY, what="erase"))
