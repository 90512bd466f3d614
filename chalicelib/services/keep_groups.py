"""Keep groups of contacts: one is made, renamed, deleted; what was in it is forgotten behind it."""

import time
from collections.abc import Sequence
from itertools import islice
from typing import Final

from chalicelib.domain import ids
from chalicelib.domain.contact import MAX_GROUPS, Group
from chalicelib.services import record_change
from chalicelib.services.faults import Fault, invalid_field, not_found
from chalicelib.store import groups, memberships, queues
from chalicelib.wire import JobWork

_FORGET_AFTER_SECONDS: Final = 60  # by then the request that deletes the group has come to its end
_FORGOTTEN_AT_ONCE: Final = 250
_SECONDS: Final = 8.0  # of a function's 20


def create(account: str, name: str, now_ms: int) -> Group:
    """A new group without contacts. Raises Fault `too_many`."""
    group = Group(account=account, id=ids.new_id("grp", now_ms), name=name, created_ms=now_ms)
    if not groups.create(group, MAX_GROUPS):
        raise Fault("too_many", f"an account has at most {MAX_GROUPS} groups")
    record_change.changed("group", group.id, None, group)
    return group


def read(account: str, group_id: str) -> Group:
    """The group as it is this moment. Raises Fault `not_found`."""
    group = groups.get(account, group_id)
    if group is None:
        raise not_found("group")
    return group


def rename(account: str, group_id: str, name: str) -> Group:
    """The group under its new name. Raises Fault `not_found`."""
    before = read(account, group_id)
    if not groups.rename(account, group_id, name):
        raise not_found("group")
    after = read(account, group_id)
    record_change.changed("group", group_id, {"name": before.name}, {"name": after.name})
    return after


def delete(account: str, group_id: str) -> None:
    """Forget the group; its contacts stay. Raises Fault `not_found`.

    What was in it is removed later: the record goes first, so that a death in between leaves nothing behind.
    """
    group = read(account, group_id)
    work = JobWork(id=group_id, account=account, job=group_id, stage="forget")
    queues.send(queues.JOBS, work, delay_seconds=_FORGET_AFTER_SECONDS)
    if not groups.delete(account, group_id):
        raise not_found("group")
    record_change.changed("group", group_id, {"name": group.name}, None)


def forget(account: str, group_id: str) -> None:
    """Remove what was in a deleted group, some seconds' worth of it at a time; twice changes nothing."""
    if groups.get(account, group_id) is not None:
        return  # its deletion did not come through
    ends = time.monotonic() + _SECONDS
    numbers = memberships.numbers_of(group_id)
    while some := list(islice(numbers, _FORGOTTEN_AT_ONCE)):
        memberships.remove((group_id, number) for number in some)
        if time.monotonic() > ends:
            queues.send(queues.JOBS, JobWork(id=group_id, account=account, job=group_id, stage="forget"))
            return


def check_groups(account: str, group_ids: Sequence[str]) -> tuple[Group, ...]:
    """The groups. Raises Fault `invalid_request` where one is not there."""
    found = groups.among(account, list(group_ids))
    there = {group.id for group in found}
    for place, group_id in enumerate(group_ids):
        if group_id not in there:
            raise invalid_field(f"/group_ids/{place}", "unknown_group", "there is no such group")
    return tuple(found)
