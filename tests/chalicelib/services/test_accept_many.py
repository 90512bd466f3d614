"""Many messages at once: each is judged on its own, and those that are accepted are durable in bundles."""

import msgspec
import pytest

from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.rules import Gateway, Route, Target
from chalicelib.domain.status import Status
from chalicelib.services.accept import Acceptance
from chalicelib.services.accept_many import accept_many
from chalicelib.services.check import Submission
from chalicelib.services.faults import Fault
from chalicelib.settings import Settings
from chalicelib.store import accounts, ledger, rules, scheduled
from chalicelib.wire import MAX_BUNDLE_BYTES, MAX_BUNDLE_MESSAGES, AcceptedBundle, encode
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, NOW_MS, PRICE_MICROS


def opened(credit_parts: int = 1000) -> Account:
    """An account with credit for so many parts, and a route to everywhere."""
    world.open_account(credit_micros=credit_parts * PRICE_MICROS)
    publish()
    account = accounts.get(ACCOUNT)
    assert account is not None
    return account


def publish() -> None:
    gateway = Gateway(id=world.GATEWAY, name="A", host="a", port=2775, system_id="a")
    route = Route(id="rte_1", targets=(Target(gateway=world.GATEWAY),), price_micros=PRICE_MICROS, country="ES")
    rules.publish([gateway], [route], [], by="test", note="", now_ms=NOW_MS)


def submission(to: str = "+34600111222", text: str = "hola", sender: str = "ACME") -> Submission:
    return Submission(to=to, sender=sender, text=text, source="smpp", login="acme", registered=1)


def bundles() -> list[AcceptedBundle]:
    return [bundle for bundle in world.waiting("accepted") if isinstance(bundle, AcceptedBundle)]


def codes(made: list[Acceptance | Fault]) -> list[str]:
    return [one.code if isinstance(one, Fault) else "" for one in made]


def test_each_is_judged_on_its_own_and_in_order(aws: Settings) -> None:
    account = opened()
    asked = [
        submission(text="one"),
        submission(to="12"),
        submission(text="two"),
        submission(to="+33612345678"),
        submission(text="x" * 5000),
        submission(sender="?"),
    ]
    made = accept_many(account, asked, NOW_MS)
    assert codes(made) == ["", "invalid_request", "", "no_route", "text_too_long", "invalid_request"]
    (bundle,) = bundles()
    assert [draft.content.text for draft in bundle.messages] == ["one", "two"]
    assert [draft.id for draft in bundle.messages] == [one.draft.id for one in made if isinstance(one, Acceptance)]
    told = {(draft.content.login, draft.content.by, draft.content.registered) for draft in bundle.messages}
    assert told == {("acme", "acme", 1)}  # by whom: nobody is known but the login


def test_credit_goes_as_far_as_it_goes(aws: Settings) -> None:
    account = opened(credit_parts=3)
    made = accept_many(account, [submission(text="x" * size) for size in (10, 200, 10, 10)], NOW_MS)
    assert codes(made) == ["", "", "no_credit", "no_credit"]
    assert len(bundles()[0].messages) == 2


def test_who_pays_is_believed_at_once(aws: Settings) -> None:
    account = opened(credit_parts=0)
    assert codes(accept_many(account, [submission()], NOW_MS)) == ["no_credit"]
    ledger.grant(ACCOUNT, "more", PRICE_MICROS, who="test", why="more", now_ms=NOW_MS)
    assert codes(accept_many(account, [submission()], NOW_MS)) == [""]


def test_a_suspended_account_sends_nothing(aws: Settings) -> None:
    suspended = Account(id=ACCOUNT, name="Acme", created_ms=NOW_MS, state="suspended")
    assert codes(accept_many(suspended, [submission()] * 2, NOW_MS)) == ["account_suspended"] * 2
    assert not bundles()


def test_one_that_is_alone_is_named_after_its_message(aws: Settings) -> None:
    (made,) = accept_many(opened(), [submission()], NOW_MS)
    assert isinstance(made, Acceptance)
    assert bundles()[0].id == ids.bundle_of_single(made.draft.id)


@pytest.mark.parametrize(("count", "characters"), [(MAX_BUNDLE_MESSAGES + 3, 10), (60, 1500)])
def test_what_does_not_fit_one_bundle_is_in_others_with_the_same_names_each_time(
    aws: Settings, count: int, characters: int
) -> None:
    account = opened(credit_parts=10_000)
    asked = [submission(text="ñ" * characters)] * count
    names = [ids.new_message_id(NOW_MS) for _ in asked]
    accept_many(account, asked, NOW_MS, ids=names, bundle_id="run-1")
    first = bundles()
    accept_many(account, asked, NOW_MS, ids=names, bundle_id="run-1")
    assert bundles() == first
    assert [bundle.id for bundle in first] == ["run-1", "run-1-1"][: len(first)]
    assert [draft.id for bundle in first for draft in bundle.messages] == names
    for bundle in first:
        assert len(bundle.messages) <= MAX_BUNDLE_MESSAGES
        assert len(encode(bundle)) < MAX_BUNDLE_BYTES + 1000


def test_what_is_to_be_sent_later_is_scheduled_each_alone(aws: Settings) -> None:
    later_ms = NOW_MS + 3_600_000
    account = opened()
    later = msgspec.structs.replace(submission(), send_at_ms=later_ms)
    too_late = msgspec.structs.replace(submission(), send_at_ms=NOW_MS + 31 * 86_400_000)
    made = accept_many(account, [later, submission(text="now"), later, too_late], NOW_MS)
    assert codes(made) == ["", "", "", "invalid_request"]
    (bundle,) = bundles()
    assert [draft.content.text for draft in bundle.messages] == ["now"]
    due = sorted(scheduled.due(later_ms), key=lambda one: one.message)
    scheduled_ids = [made[place].draft.id for place in (0, 2)]  # type: ignore[union-attr]
    assert [one.message for one in due] == sorted(scheduled_ids)
    assert [one.bundle.id for one in due] == [ids.bundle_of_single(one.message) for one in due]
    assert {world.status(message_id) for message_id in scheduled_ids} == {Status.SCHEDULED}


def test_an_smpp_validity_is_cut_to_what_the_account_allows(aws: Settings) -> None:
    account = opened()
    asked = Submission(to="+34600111222", sender="ACME", text="hi", source="smpp", validity_seconds=30 * 86_400)
    (made,) = accept_many(account, [asked], NOW_MS)
    assert isinstance(made, Acceptance)
    assert made.draft.content.valid_until_ms == NOW_MS + account.max_validity_seconds * 1000
