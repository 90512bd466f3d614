"""Keep of texts what their account wants: with `text_retention` "hash" no fact has a text, but its hash in its place.

Where a text must wait to be sent (a queue, scheduled, held, a job) it is kept there until it was: docs/archive.md.
"""

from chalicelib.domain.account import Account
from chalicelib.domain.content import Content
from chalicelib.domain.texts import hashed
from chalicelib.store import accounts, hash_keys


def kept(content: Content, account: Account | None) -> Content:
    """The content as it may be noted."""
    if account is None or account.text_retention == "keep":
        return content
    return hashed(content, hash_keys.of(account.id))


def noted(account_id: str, content: Content, now_ms: int) -> Content:
    """The same, for who knows only the account's id."""
    return kept(content, accounts.cached(account_id, now_ms))
