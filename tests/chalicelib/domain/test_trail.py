"""The audit log's facts, and how they are told."""

import msgspec

from chalicelib.domain import ids, trail
from chalicelib.domain.trail import MAX_CHANGES, Actor, Doing, Subject

WHO = Actor(who="user:usr_1", role="billing")


def doing(at_ms: int) -> Doing:
    return Doing(id=ids.new_ulid(at_ms), at_ms=at_ms, actor=WHO, operation="change", account="acc_1")


def test_of_what_ended_only_the_end_is_told_and_what_did_not_is_unfinished() -> None:
    one, two, three = (doing(at_ms) for at_ms in (1, 2, 3))
    facts = [
        trail.begun(one),
        *trail.ended(one, "done", []),
        trail.begun(two),
        trail.begun(three),
        *trail.ended(three, "failed", [], "already_exists"),
        trail.refused(doing(4), "forbidden"),
    ]
    newest_first = sorted(facts, key=lambda fact: fact.id, reverse=True)
    told = [outcome for _, outcome in trail.entries(newest_first)]
    assert told == ["refused", "failed", "unfinished", "done"]
    for cut in range(1, len(newest_first)):  # wherever a page ends, the next goes on as if there were none
        first = list(trail.entries(newest_first[:cut]))
        rest = list(trail.entries(newest_first[cut:], newest_first[cut - 1].id))
        assert [outcome for _, outcome in first + rest] == told, cut


def test_a_refusal_alone_passes_but_not_the_end_of_what_was_begun() -> None:
    assert trail.refused(doing(1), "forbidden").passing
    assert not trail.ended(doing(1), "refused", [], "account_suspended")[0].passing
    assert not trail.begun(doing(1)).passing


def test_each_changed_thing_has_a_fact_and_what_is_too_many_is_counted() -> None:
    changes = [trail.change("contact", str(number), None, {}) for number in range(MAX_CHANGES + 5)]
    facts = trail.ended(doing(1), "done", changes)
    assert len(facts) == MAX_CHANGES
    assert facts[-1].more == 5
    assert [fact.id for fact in facts] == sorted({fact.id for fact in facts})


def test_a_change_tells_the_fields_that_differ_though_never_what_a_secret_was() -> None:
    before = {"id": "x", "port": 1, "password_hash": "old", "gone": 1}
    change = trail.change("gateway", "x", before, {"id": "x", "port": 2, "password_hash": "new", "new": 1})
    assert change.before == {"port": 1, "password_hash": "(secret)", "gone": 1}
    assert change.after == {"port": 2, "password_hash": "(secret)", "new": 1}
    assert trail.change("gateway", "x", before, before).after == {}


def test_a_subject_that_is_a_number_is_masked_and_a_thing_has_its_account() -> None:
    change = trail.change("dnd", "+34600000001", None, None, "acc_2")
    assert change.subject == Subject("dnd", "+34•••••••01")
    nobodys = msgspec.structs.replace(doing(1), account=None)
    assert trail.ended(nobodys, "done", [change])[0].account == "acc_2"
    assert trail.ended(doing(1), "done", [change])[0].account == "acc_1"
