"""Numbers that people write to: assign, share by keywords, release; and what came to nobody."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import AccountId, Deleted, GatewayId, PageQuery, Version
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.inbound_types import InboundQuery, InboundView, since_and_until, view
from chalicelib.domain.inbound import MAX_KEYWORDS, UNASSIGNED, InboundNumber, Keyword, number_id
from chalicelib.services.keep_number import assign_number, change_number, read_number, release_number
from chalicelib.store import inbound, numbers
from chalicelib.store.rows import Row

endpoints: Final = Endpoints(__name__, tag="Numbers", role="admin")

NumberId = Annotated[
    str,
    Meta(
        pattern="^(sc-[0-9]{3,8}|[1-9][0-9]{6,14})(\\.[a-z0-9][a-z0-9-]{0,29})?$(?!\\n)",
        description="Digits of E.164, or `sc-` and a short code; then a dot and the gateway's id, where it has one.",
        examples=["34911234567", "sc-12345.movistar-es"],
    ),
]
Reply = Annotated[
    str, Meta(max_length=918, description="What is answered, as a message of the account. Empty: nothing.")
]
SystemId = Annotated[str, Meta(max_length=15, description="The account's SMPP login that it goes to as well.")]


class KeywordSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What begins with this word is this account's."""

    word: Annotated[str, Meta(min_length=1, max_length=20, description="One word, in any case.")]
    account: AccountId
    reply: Reply = ""
    login: SystemId = ""


class NumberSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose a number is. `account` gets what no keyword claims."""

    account: AccountId | None = None
    reply: Reply = ""
    login: SystemId = ""
    keywords: Annotated[tuple[KeywordSettings, ...], Meta(max_length=MAX_KEYWORDS)] = ()


class NewNumber(NumberSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number to assign."""

    number: Annotated[
        str,
        Meta(
            pattern="^(\\+[1-9][0-9]{6,14}|[0-9]{3,8})$(?!\\n)",
            description="E.164 with +, or a short code.",
            examples=["+34911234567"],
        ),
    ]
    gateway: (
        Annotated[GatewayId, Meta(description="Where it is valid, as short codes are. Default: everywhere.")] | None
    ) = None


class NumberChange(NumberSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings anew."""

    version: Version


class NumberView(NumberSettings, frozen=True, kw_only=True):
    """A number."""

    id: str
    number: str
    gateway: str | None
    version: int


@endpoints.post("/v1/admin/numbers", status=201, faults=("already_exists",))
def assign_a_number(call: AdminCall, body: NewNumber) -> NumberView:
    """Assign a number or short code to an account, or to several by keywords.

    It holds within a few seconds.
    """
    made = InboundNumber(
        id=number_id(body.number, body.gateway), number=body.number, gateway=body.gateway, **_settings(body)
    )
    return _view(assign_number(made))


@endpoints.get("/v1/admin/numbers", faults=("invalid_cursor",))
def list_numbers(call: AdminCall, query: PageQuery) -> Listing[NumberView]:
    """List numbers, in no particular order."""
    page = numbers.rows.listing(unseal(call, "numbers", query.cursor), query.limit)
    return Listing(data=tuple(_view(row) for row in page.items), next_cursor=seal(call, "numbers", page.cursor))


@endpoints.get("/v1/admin/numbers/{inbound_number}")
def read_a_number(call: AdminCall, inbound_number: NumberId) -> NumberView:
    """Read a number."""
    return _view(read_number(inbound_number))


@endpoints.put("/v1/admin/numbers/{inbound_number}", faults=("version_conflict",))
def change_a_number(call: AdminCall, inbound_number: NumberId, body: NumberChange) -> NumberView:
    """Change whose a number is."""
    held = read_number(inbound_number).value
    changed = InboundNumber(id=held.id, number=held.number, gateway=held.gateway, **_settings(body))
    return _view(change_number(changed, body.version))


@endpoints.delete("/v1/admin/numbers/{inbound_number}")
def release_a_number(call: AdminCall, inbound_number: NumberId) -> Deleted:
    """Release a number: what comes to it is nobody's."""
    release_number(inbound_number)
    return Deleted(inbound_number)


@endpoints.get("/v1/admin/inbound", faults=("invalid_cursor",))
def list_unassigned_inbound(call: AdminCall, query: InboundQuery) -> Listing[InboundView]:
    """List inbound messages that were nobody's, newest first.

    They came to a number that is not assigned, or to a shared one without a keyword of it.
    """
    since_ms, until_ms, name = since_and_until(query, call.now_ms)
    page = inbound.listing(UNASSIGNED, since_ms, until_ms, unseal(call, name, query.cursor), query.limit)
    return Listing(data=tuple(view(one) for one in page.items), next_cursor=seal(call, name, page.cursor))


def _settings(given: NumberSettings) -> dict[str, Any]:
    keywords = tuple(
        Keyword(word=one.word.casefold(), account=one.account, reply=one.reply, login=one.login)
        for one in given.keywords
    )
    return {"account": given.account, "reply": given.reply, "login": given.login, "keywords": keywords}


def _view(row: Row[InboundNumber]) -> NumberView:
    number = row.value
    keywords = tuple(KeywordSettings(**msgspec.structs.asdict(keyword)) for keyword in number.keywords)
    return NumberView(**msgspec.structs.asdict(number) | {"keywords": keywords}, version=row.version)
