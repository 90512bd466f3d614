"""Opt-outs: who has left the account's service, and by which words recipients leave and come back."""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import CsvBody, CustomerCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.api.number_lists import (
    Cursor,
    Digits,
    ImportView,
    KnownNumber,
    NumberList,
    WrittenNumber,
    begins,
    imported,
)
from chalicelib.domain.account import OptOutWords
from chalicelib.domain.opt_outs import DEFAULTS
from chalicelib.services import opt_out as service
from chalicelib.services.import_numbers import MAX_BYTES
from chalicelib.store import opt_outs
from chalicelib.store.opt_outs import OptOut

endpoints: Final = Endpoints(__name__, tag="Opt-outs", role="customer")
MAX_WORDS: Final = 20  # in a language, of each kind
MAX_LANGUAGES: Final = 10

Word = Annotated[str, Meta(pattern="^\\w{1,20}$(?!\\n)", description="Read without case and accents.")]
Answer = Annotated[str, Meta(max_length=459, description="What is answered; empty: nothing.")]


class NewOptOut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who wants no more messages of yours."""

    number: WrittenNumber


class OptOutView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who gets no more messages of yours."""

    number: str
    since: datetime
    way: Annotated[Literal["keyword", "api", "import"], Meta(description="How it was said.")]
    word: Annotated[str, Meta(description="The keyword that the recipient wrote.")] | None


class OptOutQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which opt-outs to list."""

    prefix: Digits | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class CameBack(msgspec.Struct, frozen=True):
    """The number gets your messages again."""

    number: str


class LanguageWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The words of one language, and what is answered to them."""

    language: Annotated[str, Meta(pattern="^[a-z]{2}$(?!\\n)", description="ISO 639-1.", examples=["es"])]
    leave: Annotated[tuple[Word, ...], Meta(min_length=1, max_length=MAX_WORDS)]
    come_back: Annotated[tuple[Word, ...], Meta(min_length=1, max_length=MAX_WORDS)]
    left_text: Answer = ""
    back_text: Answer = ""


class OptOutKeywords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The words by language; of a word in several the first counts. Without any, those that all accounts have."""

    languages: Annotated[tuple[LanguageWords, ...], Meta(max_length=MAX_LANGUAGES)]


@endpoints.post("/v1/opt-outs", status=201, faults=("version_conflict",))
def opt_out(call: CustomerCall, body: NewOptOut) -> OptOutView:
    """Note that somebody wants no more messages of yours.

    Messages to the number end as `rejected`, with the error `opted_out`, and cost nothing. Noting it again changes
    nothing.
    """
    return _view(service.leave(call.caller.account, body.number, call.now_ms))


@endpoints.post("/v1/opt-outs/import", faults=("list_too_long", "version_conflict"), max_body_bytes=MAX_BYTES)
def import_opt_outs(call: CustomerCall, body: NumberList | CsvBody) -> ImportView:
    """Import opt-outs.

    As a JSON array, or as text/csv: a column named `number` (or the first), or a number a line. Lines that hold no
    number are named, counted and skipped. Importing a list again changes nothing.
    """
    given = body.raw if isinstance(body, CsvBody) else body
    return imported(service.import_list(call.caller.account, given, call.now_ms))


@endpoints.get("/v1/opt-outs", faults=("invalid_cursor",))
def list_opt_outs(call: CustomerCall, query: OptOutQuery) -> Listing[OptOutView]:
    """List or search those who get no more messages of yours, by number."""
    prefix, account = begins(query.prefix), call.caller.account.id
    name = f"opt-outs {prefix}"
    page = opt_outs.listing(account, prefix, unseal(call, name, query.cursor), query.limit)
    return Listing(data=tuple(_view(one) for one in page.items), next_cursor=seal(call, name, page.cursor))


@endpoints.get("/v1/opt-outs/keywords")
def read_opt_out_keywords(call: CustomerCall) -> OptOutKeywords:
    """Read the words by which recipients leave and come back: yours, or those that all accounts have."""
    return _words(call.caller.account.opt_out_words or DEFAULTS)


@endpoints.put("/v1/opt-outs/keywords", faults=("version_conflict",))
def set_opt_out_keywords(call: CustomerCall, body: OptOutKeywords) -> OptOutKeywords:
    """Set the words by which recipients leave and come back; none: those that all accounts have.

    They are in force within some seconds.
    """
    given = tuple(OptOutWords(**msgspec.structs.asdict(language)) for language in body.languages)
    return _words(service.set_words(call.caller.account, given) or DEFAULTS)


@endpoints.get("/v1/opt-outs/{msisdn}")
def read_opt_out(call: CustomerCall, msisdn: KnownNumber) -> OptOutView:
    """Read one opt-out."""
    return _view(service.read(call.caller.account, msisdn))


@endpoints.delete("/v1/opt-outs/{msisdn}")
def undo_opt_out(call: CustomerCall, msisdn: KnownNumber) -> CameBack:
    """Undo an opt-out: the number gets your messages again."""
    return CameBack(service.come_back(call.caller.account, msisdn, call.now_ms))


def _view(one: OptOut) -> OptOutView:
    return OptOutView(number=one.number, since=instant(one.at_ms), way=one.way, word=one.word)


def _words(words: tuple[OptOutWords, ...]) -> OptOutKeywords:
    return OptOutKeywords(languages=tuple(LanguageWords(**msgspec.structs.asdict(one)) for one in words))
