"""The platform of customers' requests on AWS: the services' blocking calls, in threads of their own."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import msgspec

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.message import Message
from chalicelib.services.accept import Acceptance
from chalicelib.services.accept_many import accept_many, judge_many
from chalicelib.services.cancel import cancel, cancel_accepted
from chalicelib.services.check import Submission
from chalicelib.services.faults import Fault
from chalicelib.services.find_submitted import find_submitted, find_waiting
from chalicelib.services.join import CutPart, Taken, Waits, end_group, take_part
from chalicelib.services.replace import Replacement, replace
from chalicelib.store import accounts
from smpp_bridge.customers.gathering import AT_ONCE
from smpp_bridge.gateways.clock import Clock

OTHER_THREADS: Final = 16  # parts, queries, cancels: some 5 ms each of their calls

T = TypeVar("T")


class AwsSubmits:
    """See SubmitPlatform."""

    def __init__(self, clock: Clock, *, join_seconds: float) -> None:
        self._clock = clock
        self._join_seconds = join_seconds
        self._accepts = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="accept")
        self._others = ThreadPoolExecutor(OTHER_THREADS, thread_name_prefix="submits")

    def close(self) -> None:
        """No more calls; those under way end by themselves."""
        self._accepts.shutdown(wait=False, cancel_futures=True)
        self._others.shutdown(wait=False, cancel_futures=True)

    async def accept(self, account: str, submissions: Sequence[Submission]) -> Sequence[str | Fault]:
        return await asyncio.get_running_loop().run_in_executor(self._accepts, self._accept, account, submissions)

    async def accept_together(self, account: str, submissions: Sequence[Submission]) -> Sequence[str | Fault]:
        return await self._call(lambda: self._accept_together(account, submissions))

    async def take_part(self, account: str, part: CutPart) -> Taken | Fault:
        return await self._call(
            lambda: take_part(self._account(account), part, self._clock.epoch_ms(), self._join_seconds)
        )

    async def end_group(self, waits: Waits) -> None:
        await self._call(lambda: end_group(waits.key, waits.root, self._clock.epoch_ms()))

    async def find(self, account: str, message_id: str) -> Message | None:
        return await self._call(lambda: find_submitted(self._account(account), message_id))

    async def cancel(self, account: str, message_id: str, *, accepted: bool) -> None:
        def call() -> None:
            found = self._account(account)
            message = find_submitted(found, message_id)
            if message is None and accepted:
                cancel_accepted(found, message_id, self._clock.epoch_ms())
            else:
                cancel(found, message.id if message else message_id, self._clock.epoch_ms())

        await self._call(call)

    async def replace(self, account: str, message: Message, asked: Replacement) -> None:
        await self._call(lambda: replace(self._account(account), message, asked, self._clock.epoch_ms()))

    async def cancel_waiting(
        self, account: str, login: str, sender: str | None, to: str, *, newest_only: bool = False
    ) -> int:
        return await self._call(lambda: self._cancel_waiting(account, login, sender, to, newest_only=newest_only))

    def _accept(self, account: str, submissions: Sequence[Submission]) -> list[str | Fault]:
        made = accept_many(self._account(account), submissions, self._clock.epoch_ms())
        return [one.draft.id if isinstance(one, Acceptance) else one for one in made]

    def _accept_together(self, account: str, submissions: Sequence[Submission]) -> list[str | Fault]:
        found, now_ms = self._account(account), self._clock.epoch_ms()
        names = [ids.new_message_id(now_ms, found.shards) for _ in submissions]
        judged = judge_many(found, submissions, now_ms, names)
        first = next((name for name, one in zip(names, judged, strict=True) if isinstance(one, Acceptance)), None)
        if first is None:
            return [one for one in judged if isinstance(one, Fault)]
        shared = [msgspec.structs.replace(submission, segment_ids=(first,)) for submission in submissions]
        made = accept_many(found, shared, now_ms, ids=names)
        return [one.draft.id if isinstance(one, Acceptance) else one for one in made]

    def _cancel_waiting(self, account: str, login: str, sender: str | None, to: str, *, newest_only: bool) -> int:
        found, canceled = self._account(account), 0
        for message in find_waiting(found, login, sender, to):
            try:
                cancel(found, message.id, self._clock.epoch_ms())
                canceled += 1
            except Fault:  # a gateway has it by now
                continue
            if newest_only:
                break
        return canceled

    def _account(self, id_: str) -> Account:
        account = accounts.cached(id_, self._clock.epoch_ms())
        if account is None:
            raise LookupError(f"there is no account {id_}")
        return account

    async def _call(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._others, call)
