"""Find messages as SMPP customers name them: by an id that a submit was answered with, or by sender and recipient."""

from collections.abc import Iterator
from typing import Final

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.message import Message, fold
from chalicelib.domain.numbers import BadNumber, BadSender, normalize, parse_sender
from chalicelib.store import messages

MOST_FOUND: Final = 50  # messages to one number that are looked at, the latest ones


def find_submitted(account: Account, message_id: str) -> Message | None:
    """The message; for a part that was joined with others, the message that they became."""
    try:
        ids.check_message_id(message_id)
    except ids.BadId:
        return None
    message = fold(message_id, messages.facts_of(account.id, message_id))
    if message is not None or ids.run_of(message_id) is not None:
        return message
    first = ids.part_id(message_id, 1)
    return fold(first, messages.facts_of(account.id, first)) if first != message_id else None


def find_waiting(account: Account, login: str, sender: str | None, to: str) -> Iterator[Message]:
    """The login's messages from that sender (None: the account's own) to that number that have not ended, newest
    first. A message that was accepted a moment ago may not be found yet."""
    try:
        number = normalize(to, account.default_region).e164
        named = str(parse_sender(sender or account.default_sender or ""))
    except (BadNumber, BadSender):
        return
    for message_id in messages.sent_to(account.id, number, MOST_FOUND):
        message = fold(message_id, messages.facts_of(account.id, message_id))
        if message is None or message.content is None or message.final:
            continue
        if (message.content.login, message.content.sender) == (login, named):
            yield message
