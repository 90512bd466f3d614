"""What is told of a message: a fact, and to those who listen the message that it is about."""

import msgspec

from chalicelib.domain.content import Content
from chalicelib.domain.facts import AnyFact


class News(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that has just been noted of a message. `content`: where who tells has it at hand; else it is looked up."""

    account: str
    message: str
    fact: AnyFact
    content: Content | None = None
    stands: bool | None = None  # of an end: that none ranks over it; None: that is looked up

    @property
    def name(self) -> str:
        """The same for the same news, however often it is told: what listeners name after it."""
        return f"{self.message}#{self.fact.key}"


class Heard(msgspec.Struct, frozen=True):
    """News of an account that listens, with the message as the customer handed it over."""

    news: News
    content: Content
