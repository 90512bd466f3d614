"""The audit log's facts: what was about to be done, what became of it, who was refused. Each is written once."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from chalicelib.domain.redaction import redacted

# begun: it is about to be done. done, failed: what became of it. refused: somebody may not, and nothing was done.
Stage = Literal["begun", "done", "failed", "refused"]
# What is told of an operation: one that was begun and has no end is unfinished, done or not.
Outcome = Literal["done", "failed", "refused", "unfinished"]
MAX_CHANGES: Final = 99  # told of one operation, each as a fact; more are counted
_FIRST: Final = 0
_PLACE_DIGITS: Final = 2
_ULID_LENGTH: Final = 26


class Subject(msgspec.Struct, frozen=True):
    """What was changed: 'gateway' 'movistar-es'."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.id}"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing before and after: of a change the fields that differ. None: it was not there, or is not any more."""

    subject: Subject
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    account: str | None = None  # whose it is, where the request does not say


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who does it: 'user:usr_…', 'key:…', 'command:…'; in which role; and who does it in that user's place."""

    who: str
    role: str
    impersonated_by: str | None = None


NOBODY: Final = Actor(who="nobody", role="nobody")


class Doing(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for: the same in all facts about it. `subject` is what the path names."""

    id: str  # a ULID
    at_ms: int
    actor: Actor | None  # None: nobody has shown yet who it is
    operation: str
    account: str | None
    address: str = ""
    request_id: str = ""
    subject: Subject | None = None


class TrailFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fact of the audit log. Those of one operation have ids that begin with its ULID."""

    id: str
    stage: Stage
    at_ms: int
    who: str
    role: str
    operation: str
    request_id: str = ""
    address: str = ""
    impersonated_by: str | None = None
    account: str | None = None
    subject: Subject | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    code: str | None = None  # the problem's, of what failed or was refused
    more: int = 0  # changes that were too many to be told

    @property
    def doing(self) -> str:
        """The ULID of what it is about."""
        return doing_of(self.id)

    @property
    def passing(self) -> bool:
        """Whether it may be forgotten some day: a refusal that stands alone. The end of what was begun may not."""
        return self.stage == "refused" and self.id == _id(self.doing, _FIRST)


def doing_of(fact_id: str) -> str:
    """The ULID of what a fact is about."""
    return fact_id[:_ULID_LENGTH]


def is_fact(text: str) -> bool:
    """Whether the text is a fact's id, not only where ids of an instant begin."""
    return len(text) > _ULID_LENGTH


def change(
    kind: str,
    id_: str,
    before: msgspec.Struct | Mapping[str, Any] | None,
    after: msgspec.Struct | Mapping[str, Any] | None,
    account: str | None = None,
) -> Change:
    """The change as it may be told (domain.redaction): of what was there before and after, the fields that differ."""
    old, new = _plain(before), _plain(after)
    if old is not None and new is not None:
        same = [name for name, value in old.items() if name in new and new[name] == value]
        old = {name: value for name, value in old.items() if name not in same}
        new = {name: value for name, value in new.items() if name not in same}
    told = redacted({"number": id_})["number"] if id_.startswith("+") else id_
    return Change(
        subject=Subject(kind, told),
        before=None if old is None else redacted(old),
        after=None if new is None else redacted(new),
        account=account,
    )


def begun(doing: Doing) -> TrailFact:
    """The fact that is written before anything is done."""
    return _fact(doing, _FIRST, "begun", subject=None)


def ended(doing: Doing, stage: Stage, changes: Iterable[Change], code: str | None = None) -> list[TrailFact]:
    """The facts that are written afterwards, one a change; one alone where no change was told."""
    told = list(changes)
    if not told:
        return [_fact(doing, _FIRST + 1, stage, subject=doing.subject, code=code)]
    return [
        _fact(
            doing,
            place,
            stage,
            subject=one.subject,
            before=one.before,
            after=one.after,
            account=doing.account or one.account,
            code=code,
            more=len(told) - place if place == MAX_CHANGES else 0,
        )
        for place, one in enumerate(told[:MAX_CHANGES], start=_FIRST + 1)
    ]


def refused(doing: Doing, code: str) -> TrailFact:
    """The fact that somebody asked for what it may not."""
    return _fact(doing, _FIRST, "refused", subject=doing.subject, code=code)


def entries(facts: Iterable[TrailFact], ended_before: str | None = None) -> Iterator[tuple[TrailFact, Outcome]]:
    """Facts, newest first, as they are told: of what was begun and has ended, only the end.

    `ended_before` is the id of the fact that the page before ended with: its beginning comes first in this one.
    """
    known = doing_of(ended_before) if ended_before else None
    for fact in facts:
        if fact.stage != "begun":
            yield fact, fact.stage
        elif fact.doing != known:
            yield fact, "unfinished"
        known = fact.doing


def _id(doing: str, place: int) -> str:
    return f"{doing}.{place:0{_PLACE_DIGITS}}"


def _plain(record: msgspec.Struct | Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if record is None else msgspec.to_builtins(record, str_keys=True, enc_hook=str)


def _fact(doing: Doing, place: int, stage: Stage, **more: Any) -> TrailFact:
    actor = doing.actor or NOBODY
    return TrailFact(
        **{
            "id": _id(doing.id, place),
            "stage": stage,
            "at_ms": doing.at_ms,
            "who": actor.who,
            "role": actor.role,
            "impersonated_by": actor.impersonated_by,
            "operation": doing.operation,
            "account": doing.account,
            "address": doing.address,
            "request_id": doing.request_id,
            **more,
        }
    )
