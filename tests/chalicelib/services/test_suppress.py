"""Suppression at routing: who is on a list is not written to, at the cost of as few calls as there can be."""

from collections.abc import Sequence

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.content import Category
from chalicelib.domain.rules import CountryRule, Gateway, Route, SenderRule, SpamRule, Target
from chalicelib.domain.status import Status
from chalicelib.services import keep_dnd, opt_out
from chalicelib.services.charge import charge
from chalicelib.services.route import route
from chalicelib.store import accounts, cached, queues, rule_hits, rules
from tests.chalicelib.services import world
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, NOW_MS, PRICE_MICROS

pytestmark = pytest.mark.usefixtures("aws")
NUMBERS = [f"+346001112{n:02}" for n in range(30)]
CLOSED = CountryRule(country="ES", time_zone="UTC", from_minute=0, until_minute=0)


def publish(
    *,
    countries: Sequence[CountryRule] = (),
    senders: Sequence[SenderRule] = (),
    spam: Sequence[SpamRule] = (),
) -> None:
    world.open_account()
    gateway = Gateway(id=GATEWAY, name="A", host="smsc", port=2775, system_id="us")
    line = Route(id="rte", targets=(Target(gateway=GATEWAY),), price_micros=PRICE_MICROS)
    rules.publish(
        [gateway], [line], [], by="t", note="", now_ms=NOW_MS, countries=countries, senders=senders, spam=spam
    )


def draft(to: str = NUMBERS[0], category: Category = "promotional", text: str = "hello") -> wire.Draft:
    plain = world.draft()
    return msgspec.structs.replace(
        plain, content=msgspec.structs.replace(plain.content, to=to, category=category, text=text)
    )


def routed(*drafts: wire.Draft, at_ms: int = NOW_MS) -> list[str]:
    """How each of a bundle's messages was decided: a refusal's code, or ''."""
    bundle = wire.AcceptedBundle(id=ids.new_ulid(NOW_MS), account=ACCOUNT, messages=drafts)
    route([bundle], at_ms)
    (sent,) = world.waiting(queues.BILLING)
    assert isinstance(sent, wire.RoutedBundle)
    return [one.refusal.error.code if one.refusal else "" for one in sent.messages]


def account() -> Account:
    held = accounts.get(ACCOUNT)
    assert held is not None
    return held


def test_numbers_on_the_lists_are_refused_and_the_others_go() -> None:
    publish()
    keep_dnd.add(NUMBERS[1], NOW_MS)
    opt_out.leave(account(), NUMBERS[2], NOW_MS)
    codes = routed(*(draft(number) for number in NUMBERS[:4]))
    assert codes == ["", "dnd", "opted_out", ""]


def test_transactional_messages_pass_do_not_disturb_and_confirmations_pass_everything() -> None:
    publish(countries=[CLOSED])
    keep_dnd.add(NUMBERS[0], NOW_MS)
    opt_out.leave(account(), NUMBERS[1], NOW_MS)
    codes = routed(
        draft(NUMBERS[0], "transactional"),
        draft(NUMBERS[1], "transactional"),
        draft(NUMBERS[1], "confirmation"),
        draft(NUMBERS[2], "promotional"),
    )
    assert codes == ["", "opted_out", "", "outside_hours"]


def test_another_accounts_opt_outs_are_none_of_this_ones() -> None:
    publish()
    world.open_account("acc_two")
    opt_out.leave(msgspec.structs.replace(account(), id="acc_two"), NUMBERS[0], NOW_MS)
    opt_out.leave(account(), NUMBERS[1], NOW_MS)
    assert routed(draft(NUMBERS[0]), draft(NUMBERS[1])) == ["", "opted_out"]


def test_whoever_has_come_back_or_is_off_the_list_is_written_to() -> None:
    publish()
    keep_dnd.add(NUMBERS[0], NOW_MS)
    opt_out.leave(account(), NUMBERS[1], NOW_MS)
    keep_dnd.remove(NUMBERS[0])
    opt_out.come_back(account(), NUMBERS[1], NOW_MS + 1)
    assert routed(draft(NUMBERS[0]), draft(NUMBERS[1])) == ["", ""]


def test_where_nobody_can_be_on_a_list_routing_makes_no_call_for_it() -> None:
    publish()
    keep_dnd.add("+5215512345678", NOW_MS)  # a number in Mexico: those in Spain are not looked for
    assert routed(draft()) == [""]
    calls = world.Calls("dynamodb")
    assert routed(*(draft(number) for number in NUMBERS)) == [""] * len(NUMBERS)
    assert calls.made == []


def test_both_lists_are_asked_for_a_hundred_at_a_time_in_one_call() -> None:
    publish()
    keep_dnd.add(NUMBERS[0], NOW_MS)
    opt_out.leave(account(), NUMBERS[1], NOW_MS)
    routed(draft())
    calls = world.Calls("dynamodb")
    assert routed(*(draft(number) for number in NUMBERS)) == ["dnd", "opted_out", *[""] * 28]
    assert calls.made == ["BatchGetItem"]


def test_a_first_opt_out_and_a_countrys_first_number_are_in_force_once_memories_are_over() -> None:
    """Another process added them: this one remembers for a few seconds that there are none."""
    publish()
    assert routed(draft(NUMBERS[0]), draft(NUMBERS[1])) == ["", ""]
    remembered = [dict(one._held) for one in cached._all]
    keep_dnd.add(NUMBERS[0], NOW_MS)
    opt_out.leave(account(), NUMBERS[1], NOW_MS)
    for one, held in zip(cached._all, remembered, strict=True):
        one._held = held
    assert routed(draft(NUMBERS[0]), draft(NUMBERS[1]), at_ms=NOW_MS + 5_000) == ["dnd", "opted_out"]


def test_a_suppressed_message_ends_at_once_costs_nothing_and_says_why() -> None:
    publish()
    keep_dnd.add(NUMBERS[0], NOW_MS)
    one = draft()
    route([wire.AcceptedBundle(id=ids.bundle_of_single(one.id), account=ACCOUNT, messages=(one,))], NOW_MS)
    before = world.balance()
    charge([b for b in world.waiting(queues.BILLING) if isinstance(b, wire.RoutedBundle)], NOW_MS)
    told = world.message(one.id)
    assert (told.status, told.error.code if told.error else "") == (Status.REJECTED, "dnd")
    assert world.balance() == before
    assert world.waiting(queues.gateway_queue(GATEWAY, "normal")) == []


def rule(action: str, *words: str, id_: str = "spm_1") -> SpamRule:
    return SpamRule(id=id_, kind="word", patterns=words, action=action)  # type: ignore[arg-type]


def test_content_rules_block_hold_and_report_and_their_hits_are_counted_in_a_call_each() -> None:
    publish(spam=[rule("block", "casino"), rule("hold", "loan", id_="spm_2"), rule("report", "free", id_="spm_3")])
    texts = ["hello", "casino", "a loan", "free", "free casino"]
    bundle = wire.AcceptedBundle(id="B", account=ACCOUNT, messages=tuple(draft(text=text) for text in texts))
    calls = world.Calls("dynamodb")
    route([bundle], NOW_MS)
    (sent,) = world.waiting(queues.BILLING)
    assert isinstance(sent, wire.RoutedBundle)
    told = [one.refusal.error.code if one.refusal else "" for one in sent.messages]
    assert told == ["", "content_blocked", "held", "", "content_blocked"]
    reported = sent.messages[3].decision
    assert reported is not None
    assert "reported by content rule spm_3" in reported.why
    assert calls.of("UpdateItem") == 3
    assert {name: one.hits for name, one in rule_hits.of(["spm_1", "spm_2", "spm_3"]).items()} == {
        "spm_1": 2,
        "spm_2": 1,
        "spm_3": 2,
    }


def test_a_sender_that_is_not_allowed_is_refused_or_replaced_on_its_way_out_only() -> None:
    publish(senders=[SenderRule(id="s", senders=("Chasqui",), replacement="Chasqui", country="ES")])
    one = draft()
    route([wire.AcceptedBundle(id=ids.bundle_of_single(one.id), account=ACCOUNT, messages=(one,))], NOW_MS)
    charge([b for b in world.waiting(queues.BILLING) if isinstance(b, wire.RoutedBundle)], NOW_MS)
    (sent,) = world.waiting(queues.gateway_queue(GATEWAY, "normal"))
    assert isinstance(sent, wire.DispatchBundle)
    assert sent.messages[0].content.sender == "Chasqui"
    told = world.message(one.id)
    assert told.content is not None
    assert told.content.sender == "ACME"
    assert told.queued is not None
    assert "sender Chasqui by rule s" in told.queued.why

    publish(senders=[SenderRule(id="s", senders=("Chasqui",), country="ES")])
    assert routed(draft(), at_ms=NOW_MS + 10_000) == ["sender_not_allowed"]
