"""Content rules: which texts are blocked, held or reported; a tester; used as they were when last published."""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from chalicelib.api.admin.types import AccountId, Deleted, PageQuery, Version
from chalicelib.api.cursors import Listing, seal, unseal
from chalicelib.api.endpoints import AdminCall, Endpoints
from chalicelib.api.instants import instant
from chalicelib.api.message_types import MAX_TEXT
from chalicelib.domain import ids
from chalicelib.domain.content_rules import MAX_PATTERN_LENGTH, MAX_PATTERNS, Hit
from chalicelib.domain.rules import SpamAction, SpamKind, SpamRule
from chalicelib.services.drop_row import drop_row
from chalicelib.services.faults import not_found
from chalicelib.services.keep_rules import change_spam_rule, create_spam_rule, tried
from chalicelib.store import rule_hits, rule_rows, rules
from chalicelib.store.rows import Row
from chalicelib.store.rule_hits import Hits

endpoints: Final = Endpoints(__name__, tag="Content rules", role="admin")

ContentRuleId = Annotated[str, Meta(pattern="^[a-zA-Z0-9_-]{1,40}$(?!\\n)", description="A content rule's id.")]
Pattern = Annotated[str, Meta(min_length=1, max_length=MAX_PATTERN_LENGTH)]


class ContentRuleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Texts that an account, or every one, must not send, or not unseen. One of the patterns is enough.

    Words, phrases and hosts are read without case, accents and hidden marks; a host stands for those under it, `*` for
    any link. Expressions are RE2's: their time is linear in the text.
    """

    kind: SpamKind
    patterns: Annotated[tuple[Pattern, ...], Meta(min_length=1, max_length=MAX_PATTERNS)]
    action: Annotated[SpamAction, Meta(description="Of several rules the most severe decides: block, hold, report.")]
    account: AccountId | None = None
    note: Annotated[str, Meta(max_length=200)] = ""
    state: Literal["active", "paused"] = "active"


class ContentRuleChange(ContentRuleSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings anew; what is left out is set to its default."""

    version: Version


class ContentRuleView(ContentRuleSettings, frozen=True, kw_only=True):
    """A content rule as it is edited, and how often it was hit."""

    id: str
    version: int
    hits: Annotated[int, Meta(description="Messages that fell under it; one that was routed twice counts twice.")]
    last_hit_at: datetime | None


class TextToTry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text to hold against the rules."""

    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
    account: Annotated[AccountId, Meta(description="Whose rules, besides those for all.")] | None = None
    published: Annotated[bool, Meta(description="The rules in force, in place of those being edited.")] = False


class HitView(msgspec.Struct, frozen=True):
    """A rule that the text falls under, and by which pattern."""

    rule: str
    action: SpamAction
    pattern: str


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of the text; null: it would go."""

    action: SpamAction | None
    hits: tuple[HitView, ...]


@endpoints.post("/v1/admin/content-rules", status=201, faults=("already_exists",))
def create_content_rule(call: AdminCall, body: ContentRuleSettings) -> ContentRuleView:
    """Create a content rule.

    It is used once it is published.
    """
    return _view(create_spam_rule(_rule(ids.new_id("spm", call.now_ms), body)), None)


@endpoints.post("/v1/admin/content-rules/try", right="admin.content-rules:read", changes=False)
def try_content_rules(call: AdminCall, body: TextToTry) -> Trial:
    """Hold a text against the content rules, as they are edited or as they are in force. Nothing is counted."""
    held = rules.current(call.now_ms).spam if body.published else rule_rows.spam.everything()
    hits, deciding = tried(body.text, body.account or "", held)
    return Trial(action=deciding.action if deciding else None, hits=tuple(_hit(hit) for hit in hits))


@endpoints.get("/v1/admin/content-rules", faults=("invalid_cursor",))
def list_content_rules(call: AdminCall, query: PageQuery) -> Listing[ContentRuleView]:
    """List content rules as they are edited, in no particular order."""
    page = rule_rows.spam.listing(unseal(call, "content rules", query.cursor), query.limit)
    counted = rule_hits.of(row.value.id for row in page.items)
    data = tuple(_view(row, counted.get(row.value.id)) for row in page.items)
    return Listing(data=data, next_cursor=seal(call, "content rules", page.cursor))


@endpoints.get("/v1/admin/content-rules/{rule}")
def read_content_rule(call: AdminCall, rule: ContentRuleId) -> ContentRuleView:
    """Read a content rule as it is edited, and how often it was hit."""
    held = rule_rows.spam.get(rule, consistent=True)
    if held is None:
        raise not_found("content rule")
    return _view(held, rule_hits.of([rule]).get(rule))


@endpoints.put("/v1/admin/content-rules/{rule}", faults=("version_conflict",))
def change_content_rule(call: AdminCall, rule: ContentRuleId, body: ContentRuleChange) -> ContentRuleView:
    """Change a content rule; used once it is published."""
    return _view(change_spam_rule(_rule(rule, body), body.version), rule_hits.of([rule]).get(rule))


@endpoints.delete("/v1/admin/content-rules/{rule}")
def delete_content_rule(call: AdminCall, rule: ContentRuleId) -> Deleted:
    """Delete a content rule; it goes with the next publishing."""
    drop_row("rule", rule_rows.spam, rule, "content rule")
    return Deleted(rule)


def _rule(rule_id: str, given: ContentRuleSettings) -> SpamRule:
    return SpamRule(
        id=rule_id,
        kind=given.kind,
        patterns=given.patterns,
        action=given.action,
        account=given.account,
        note=given.note,
        state=given.state,
    )


def _view(row: Row[SpamRule], counted: Hits | None) -> ContentRuleView:
    return ContentRuleView(
        **msgspec.structs.asdict(row.value),
        version=row.version,
        hits=counted.hits if counted else 0,
        last_hit_at=instant(counted.last_ms) if counted else None,
    )


def _hit(hit: Hit) -> HitView:
    return HitView(hit.rule, hit.action, hit.pattern)
