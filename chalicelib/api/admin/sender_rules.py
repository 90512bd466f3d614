"""Sender rules: which senders accounts may have where. Used as they were when last published."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import AccountId, Country, Deleted, PageQuery, Version
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.domain import ids
from chalicelib.domain.rules import SenderForm, SenderRule
from chalicelib.services.drop_row import drop_row
from chalicelib.services.faults import not_found
from chalicelib.services.keep_rules import change_sender_rule, create_sender_rule
from chalicelib.store import rule_rows
from chalicelib.store.rows import Row

endpoints: Final = Endpoints(__name__, tag="Sender rules", role="admin")
MAX_SENDERS: Final = 500

SenderRuleId = Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{1,40}$(?!\\n)", description="A sender rule's id.")]
RuledSender = Annotated[
    str, Meta(min_length=1, max_length=40, description="Up to 15 digits, a short code, or up to 11 letters and digits.")
]


class SenderRuleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which senders may be used; of a null account every one is meant, and of a null country every one.

    The most specific rule alone counts: account and country, account, country, neither. Without one, any sender goes.
    """

    account: AccountId | None = None
    country: Country | None = None
    senders: Annotated[tuple[RuledSender, ...], Meta(max_length=MAX_SENDERS, description="These may be used.")] = ()
    forms: Annotated[tuple[SenderForm, ...], Meta(max_length=3, description="And all of these forms.")] = ()
    replacement: (
        Annotated[
            RuledSender, Meta(description="Goes out in place of any other. Null: a message with another is refused.")
        ]
        | None
    ) = None
    state: Literal["active", "paused"] = "active"


class SenderRuleChange(SenderRuleSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings anew; what is left out is set to its default."""

    version: Version


class SenderRuleView(SenderRuleSettings, frozen=True, kw_only=True):
    """A sender rule as it is edited; its senders are written as messages have them."""

    id: str
    version: int


@endpoints.post("/v1/admin/sender-rules", status=201, faults=("already_exists",))
def create_a_sender_rule(call: AdminCall, body: SenderRuleSettings) -> SenderRuleView:
    """Create a sender rule.

    It is used once it is published.
    """
    return _view(create_sender_rule(_rule(ids.new_id("snd", call.now_ms), body)))


@endpoints.get("/v1/admin/sender-rules", faults=("invalid_cursor",))
def list_sender_rules(call: AdminCall, query: PageQuery) -> Listing[SenderRuleView]:
    """List sender rules as they are edited, in no particular order."""
    page = rule_rows.senders.listing(unseal(call, "sender rules", query.cursor), query.limit)
    return Listing(data=tuple(_view(row) for row in page.items), next_cursor=seal(call, "sender rules", page.cursor))


@endpoints.get("/v1/admin/sender-rules/{sender_rule}")
def read_sender_rule(call: AdminCall, sender_rule: SenderRuleId) -> SenderRuleView:
    """Read a sender rule as it is edited."""
    held = rule_rows.senders.get(sender_rule, consistent=True)
    if held is None:
        raise not_found("sender rule")
    return _view(held)


@endpoints.put("/v1/admin/sender-rules/{sender_rule}", faults=("version_conflict",))
def change_a_sender_rule(call: AdminCall, sender_rule: SenderRuleId, body: SenderRuleChange) -> SenderRuleView:
    """Change a sender rule; used once it is published."""
    return _view(change_sender_rule(_rule(sender_rule, body), body.version))


@endpoints.delete("/v1/admin/sender-rules/{sender_rule}")
def delete_sender_rule(call: AdminCall, sender_rule: SenderRuleId) -> Deleted:
    """Delete a sender rule; it goes with the next publishing."""
    drop_row("sender_rule", rule_rows.senders, sender_rule, "sender rule")
    return Deleted(sender_rule)


def _rule(rule_id: str, given: SenderRuleSettings) -> SenderRule:
    return SenderRule(
        id=rule_id,
        account=given.account,
        country=given.country,
        senders=given.senders,
        forms=given.forms,
        replacement=given.replacement,
        state=given.state,
    )


def _view(row: Row[SenderRule]) -> SenderRuleView:
    return SenderRuleView(**msgspec.structs.asdict(row.value), version=row.version)
