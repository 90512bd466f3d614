"""Follow an account's state: of one that is suspended jobs are paused, of one that is closed they are stopped, and SMPP
clients unbound. Keys and people are refused by the state itself, and let in again when the account is active again."""

import logging
from collections.abc import Callable, Iterator
from typing import Final

from chalicelib.domain.account import Account, AccountState
from chalicelib.domain.job import MAY_PAUSE, MAY_STOP, JobStatus
from chalicelib.services import control_job
from chalicelib.services.faults import Fault
from chalicelib.services.unbind import unbind_all
from chalicelib.store import jobs, smpp_logins
from chalicelib.store.jobs import JobRow

log: Final = logging.getLogger(__name__)
Control = Callable[[str, str, int], JobRow]
# What is done with which of its jobs.
_JOBS: Final[dict[AccountState, tuple[frozenset[JobStatus], Control]]] = {
    "suspended": (MAY_PAUSE, control_job.pause),
    "closed": (MAY_STOP, control_job.stop),
}


def follow_state(account: Account, now_ms: int) -> None:
    """Do what the account's state asks for. Doing it again does what is left: jobs that it cannot have done with now.

    What single messages wait at gateways goes out: it is paid for. An administrator may purge it.
    """
    if account.state == "active":
        return
    statuses, control = _JOBS[account.state]
    for row in _jobs_of(account.id):
        if row.job.status in statuses:
            _control(control, row, now_ms)
    if account.state == "closed":
        for login in smpp_logins.of_account(account.id):
            unbind_all(login.value.system_id, now_ms)


def _control(control: Control, row: JobRow, now_ms: int) -> None:
    try:
        control(row.job.account, row.job.id, now_ms)
    except Fault as fault:  # it has ended meanwhile, or keeps changing: its messages are refused by the state
        log.warning("a job goes on", extra={"account": row.job.account, "job": row.job.id, "code": fault.code})


def _jobs_of(account: str) -> Iterator[JobRow]:
    page = jobs.of_account(account)
    while True:
        yield from page.items
        if page.cursor is None:
            return
        page = jobs.of_account(account, page.cursor)
