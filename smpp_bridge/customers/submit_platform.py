"""What customers' requests need of the platform: accept, join, find, cancel. AWS in `aws_submits`, memory in tests."""

from collections.abc import Sequence
from typing import Protocol

from chalicelib.domain.message import Message
from chalicelib.services.check import Submission
from chalicelib.services.faults import Fault
from chalicelib.services.join import CutPart, Taken, Waits
from chalicelib.services.replace import Replacement


class SubmitPlatform(Protocol):
    """Every call may raise what its implementation raises when the other side is not well: then nobody knows whether
    it was done, and the customer is told to try again."""

    async def accept(self, account: str, submissions: Sequence[Submission]) -> Sequence[str | Fault]:
        """The ids of the messages, which are durable now, or why not; in the order of the submissions."""
        ...

    async def accept_together(self, account: str, submissions: Sequence[Submission]) -> Sequence[str | Fault]:
        """The same for one message to several recipients: receipts of all go to the first id in the answer."""
        ...

    async def take_part(self, account: str, part: CutPart) -> Taken | Fault:
        """The part is durable, and the message sent if it was the last one; or why not."""
        ...

    async def end_group(self, waits: Waits) -> None:
        """Send what there is of a message in parts."""
        ...

    async def find(self, account: str, message_id: str) -> Message | None:
        """The message that a submit was answered with the id of."""
        ...

    async def cancel(self, account: str, message_id: str, *, accepted: bool) -> None:
        """Cancel it. `accepted`: it is known to exist, even if nothing is noted yet. Raises Fault."""
        ...

    async def replace(self, account: str, message: Message, asked: Replacement) -> None:
        """Have another text or time in a scheduled message's place. Raises Fault."""
        ...

    async def cancel_waiting(
        self, account: str, login: str, sender: str | None, to: str, *, newest_only: bool = False
    ) -> int:
        """Cancel the login's messages of that sender and recipient that wait; how many it could."""
        ...
