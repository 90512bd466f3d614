"""The mail log: what each mail is made from, written once, and what became of it, which only goes forward."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.domain.email_address import key
from chalicelib.domain.mail import NOBODYS, Fate, Logged, Mail, MailState
from chalicelib.store import dynamo
from chalicelib.store.page import Cursor, Page

KEPT_SECONDS: Final = 180 * 86_400
_WAITING: Final = "queued"
_RANK: Final[tuple[MailState, ...]] = ("queued", "sent", "failed", "bounced", "complained")  # what comes later stands
_decoder: Final = msgspec.json.Decoder(Mail)


class ByTime(GlobalSecondaryIndex["MailTable"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves it unannotated
    class Meta:
        index_name = "by_time"
        projection = AllProjection()

    month = UnicodeAttribute(hash_key=True)
    at = UnicodeAttribute(range_key=True)


class ByAccount(GlobalSecondaryIndex["MailTable"]):  # type: ignore[no-untyped-call]  # the same
    class Meta:
        index_name = "by_account"
        projection = AllProjection()

    account = UnicodeAttribute(hash_key=True)
    at = UnicodeAttribute(range_key=True)


class ByAddress(GlobalSecondaryIndex["MailTable"]):  # type: ignore[no-untyped-call]  # the same
    class Meta:
        index_name = "by_address"
        projection = AllProjection()

    address = UnicodeAttribute(hash_key=True)
    at = UnicodeAttribute(range_key=True)


class ByWaiting(GlobalSecondaryIndex["MailTable"]):  # type: ignore[no-untyped-call]  # the same
    class Meta:
        index_name = "by_waiting"
        projection = KeysOnlyProjection()

    waiting = UnicodeAttribute(hash_key=True)
    at = UnicodeAttribute(range_key=True)


class MailTable(dynamo.Table):
    class Meta:
        suffix = "mails"

    id = UnicodeAttribute(hash_key=True)
    body = UnicodeAttribute()
    month = UnicodeAttribute()
    at = UnicodeAttribute()
    account = UnicodeAttribute()
    address = UnicodeAttribute()
    state = UnicodeAttribute()
    waiting = UnicodeAttribute(null=True)  # sparse: a mail that is to be sent
    claimed_until_ms = NumberAttribute(default=0)
    attempts = NumberAttribute(default=0)
    changed_ms = NumberAttribute(default=0)
    ses_id = UnicodeAttribute(null=True)
    delivered_ms = NumberAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    expires = NumberAttribute()
    by_time = ByTime()
    by_account = ByAccount()
    by_address = ByAddress()
    by_waiting = ByWaiting()


def add(mail: Mail, state: MailState = "queued", reason: str = "") -> bool:
    """Write the mail, to be sent or with why it is not. False where it is there, whatever became of it."""
    item = MailTable(
        mail.id,
        body=msgspec.json.encode(mail).decode(),
        month=_month(mail.created_ms),
        at=_at(mail.created_ms, mail.id),
        account=mail.account or NOBODYS,
        address=key(mail.address),
        state=state,
        waiting=_WAITING if state == "queued" else None,
        changed_ms=mail.created_ms,
        reason=reason or None,
        expires=mail.created_ms // 1000 + KEPT_SECONDS,
    )
    try:
        item.save(condition=MailTable.id.does_not_exist())
    except PutError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def claim(id_: str, now_ms: int, until_ms: int) -> Logged | None:
    """The mail, for whoever sends it, until then. None where it is not to be sent (any more), or another has it."""
    table = MailTable
    item = table(id_)
    free = (table.state == "queued") & (table.claimed_until_ms <= now_ms)
    actions: list[Action] = [table.claimed_until_ms.set(until_ms), table.attempts.add(1)]
    if not _changed(item, actions, free):
        return None
    return _read(item)


def put_off(id_: str, reason: str, until_ms: int) -> None:
    """It was not taken: nobody is to try before then."""
    table = MailTable
    told = [table.claimed_until_ms.set(until_ms), table.reason.set(reason)]
    _changed(table(id_), told, table.state == "queued")


def sent(id_: str, ses_id: str, now_ms: int) -> bool:
    """SES took it. False where more is known of it by now."""
    table = MailTable
    told = [table.ses_id.set(ses_id), table.reason.remove()]
    return _changed(table(id_), [*told, *_moved("sent", now_ms)], table.state == "queued")


def failed(id_: str, reason: str, now_ms: int) -> bool:
    """It will not be sent, and why. False where it was."""
    table = MailTable
    return _changed(table(id_), [table.reason.set(reason), *_moved("failed", now_ms)], table.state == "queued")


def delivered(id_: str, at_ms: int) -> bool:
    """The reader's server took it. False where there is no such mail."""
    table = MailTable
    return _changed(table(id_), [table.delivered_ms.set(at_ms)], table.id.exists())


def came_back(id_: str, state: MailState, reason: str, now_ms: int) -> bool:
    """It bounced, or its reader complained. False where more is known of it, or there is no such mail."""
    table = MailTable
    over = [one for one in _RANK if _RANK.index(one) > _RANK.index(state)]
    may: Condition = table.id.exists()
    if over:
        may = may & ~table.state.is_in(*over)
    return _changed(table(id_), [table.reason.set(reason), *_moved(state, now_ms)], may)


def get(id_: str) -> Logged | None:
    """The mail as it is this moment, or None."""
    try:
        return _read(MailTable.get(id_, consistent_read=True))
    except MailTable.DoesNotExist:
        return None


def waiting(before_ms: int, limit: int) -> list[str]:
    """Up to `limit` mails that are to be sent and were made before then, oldest first."""
    found = MailTable.by_waiting.query(_WAITING, MailTable.at < _at(before_ms, ""), limit=limit)
    return [str(item.id) for item in found]


def of_account(account: str | None, cursor: Cursor | None, limit: int) -> Page[Logged]:
    """Up to `limit` mails about an account (None: to administrators), newest first."""
    return _page(MailTable.by_account, account or NOBODYS, cursor, limit)


def to_address(address: str, cursor: Cursor | None, limit: int) -> Page[Logged]:
    """Up to `limit` mails to an address, newest first."""
    return _page(MailTable.by_address, key(address), cursor, limit)


def of_month(month: str, cursor: Cursor | None, limit: int) -> Page[Logged]:
    """Up to `limit` mails of a UTC month (YYYY-MM), newest first."""
    return _page(MailTable.by_time, month, cursor, limit)


def _page(index: Any, hash_key: str, cursor: Cursor | None, limit: int) -> Page[Logged]:
    found = index.query(hash_key, scan_index_forward=False, limit=limit, last_evaluated_key=cursor)
    return Page(tuple(_read(item) for item in found), found.last_evaluated_key)


def _changed(item: MailTable, actions: Sequence[Action], condition: Condition) -> bool:
    try:
        item.update(list(actions), condition=condition)
    except UpdateError as error:
        if dynamo.condition_failed(error):
            return False
        raise
    return True


def _moved(state: MailState, now_ms: int) -> list[Action]:
    table = MailTable
    return [table.state.set(state), table.changed_ms.set(now_ms), table.waiting.remove()]


def _read(item: Any) -> Logged:
    fate = Fate(
        state=item.state,
        attempts=int(item.attempts),
        changed_ms=int(item.changed_ms),
        ses_id=item.ses_id or "",
        delivered_ms=None if item.delivered_ms is None else int(item.delivered_ms),
        reason=item.reason or "",
    )
    return Logged(_decoder.decode(item.body), fate)


def _month(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m")


def _at(at_ms: int, id_: str) -> str:
    return f"{at_ms:015d}#{id_}"
