"""What keeps ministack's pace when there is much in it, and its peace when there is nothing.

It reads an expression anew for each item that it looks at; and looks into a queue ten times a second for each receive
that waits there, of which an idle platform has dozens.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

_EXPRESSIONS: Final = 4096  # the platform has some dozens
_LOOK_AGAIN_SECONDS: Final = 0.5  # for what nobody sends: a record that becomes visible again, or S3's notice
_SENDING: Final = ("SendMessage", "SendMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch")
Call = dict[str, Any]


def keep() -> None:
    """Change ministack in this process, whose environment must be set by now: it is read at import."""
    from ministack.services import dynamodb, sqs  # type: ignore[import-not-found] # noqa: PLC0415 - see above

    _read_expressions_once(dynamodb)
    _wake_receives(sqs._HANDLERS)


def _read_expressions_once(module: Any) -> None:
    read, syntax_error = module._tokenize, module._condition_syntax_error
    remembered = lru_cache(_EXPRESSIONS)
    module._tokenize = remembered(lambda expression: tuple(read(expression)))
    module._condition_syntax_error = remembered(syntax_error)
    for name in ("_check_redundant_parens", "_check_reserved_keyword_usage"):
        setattr(module, name, _of_tokens(remembered(getattr(module, name))))


def _of_tokens(check: Callable[..., str | None]) -> Callable[..., str | None]:
    """Some callers have taken tokens out, and give a list."""
    return lambda tokens, *more: check(tuple(tokens), *more)


def _wake_receives(handlers: dict[str, Callable[[Call, str], Any]]) -> None:
    """Have a receive that waits look again when something was sent to its queue."""
    waiting: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)  # by queue
    look: Callable[[Call, str], Awaitable[Call]] = handlers["ReceiveMessage"]

    async def receive(call: Call, url: str) -> Call:
        end = time.monotonic() + float(call.get("WaitTimeSeconds") or 0)
        while not (found := await look({**call, "WaitTimeSeconds": 0}, url)) and (left := end - time.monotonic()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(waiting[_queue(call, url)].wait(), min(left, _LOOK_AGAIN_SECONDS))
        return found

    def waking(send: Callable[[Call, str], Call]) -> Callable[[Call, str], Call]:
        def send_and_wake(call: Call, url: str) -> Call:
            answer = send(call, url)
            waiting.pop(_queue(call, url), asyncio.Event()).set()
            return answer

        return send_and_wake

    handlers["ReceiveMessage"] = receive
    for name in _SENDING:
        handlers[name] = waking(handlers[name])


def _queue(call: Call, url: str) -> str:
    return str(call.get("QueueUrl", url)).rpartition("/")[2]
