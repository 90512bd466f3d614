"""Texts stay for as long as their account wants: no fact ever has one, or it goes when its days are over."""

from typing import Any

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.cdr import cdr_of, text_hash
from chalicelib.domain.content import Content
from chalicelib.domain.facts import Accepted, Queued, Scheduled
from chalicelib.domain.inbound import Inbound
from chalicelib.domain.job import Recipient
from chalicelib.domain.refusals import by_content
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding
from chalicelib.domain.waiting import Window
from chalicelib.services import blank_texts, keep_account, look_after, resend, review, shelve
from chalicelib.services.accept import accept
from chalicelib.services.charge import charge
from chalicelib.services.check import Submission
from chalicelib.services.once import Once
from chalicelib.services.route import route
from chalicelib.services.send_scheduled import hand_over, schedule
from chalicelib.services.settle import settle
from chalicelib.services.shelve import Arrival
from chalicelib.store import accounts, cached, hash_keys, inbound, job_files, jobs, messages, queues, scheduled
from chalicelib.store.messages import Noted
from chalicelib.store.rows import MUST_BE_NEW
from tests.chalicelib.services import world
from tests.chalicelib.services.jobs_world import job, open_world
from tests.chalicelib.services.test_forget_number import tables
from tests.chalicelib.services.world import ACCOUNT, HOUR_MS, NOW_MS, PRICE_MICROS

pytestmark = pytest.mark.usefixtures("aws")

TEXT = "hello"  # of world.draft
DAY_MS = 24 * HOUR_MS
DAY = "2025-10-09"  # of NOW_MS


def terms(**more: Any) -> Account:
    """The account, with other terms for its texts."""
    row = accounts.versioned(ACCOUNT)
    assert row is not None
    changed = msgspec.structs.replace(row.value, **more)
    assert accounts.change(ACCOUNT, row.version, changed)
    cached.forget_all()
    return changed


def content_of(message_id: str) -> Content:
    content = world.message(message_id).content
    assert content is not None
    return content


def test_no_text_of_an_account_that_wants_hashes_is_noted_wherever_it_came_by() -> None:
    open_world()
    account = terms(text_retention="hash")
    submission, once = Submission(to="+34600000001", text=TEXT), Once("key", "sha")
    made = accept(submission, account, NOW_MS, once)
    assert accept(submission, account, NOW_MS, once) == made  # as it was answered, with what the request says again
    (bundle,) = world.waiting(queues.ACCEPTED)
    assert TEXT in wire.encode(bundle)  # it has to be sent
    sent, refused, later = world.draft(), world.draft(), world.draft()
    charge([world.routed(sent)], NOW_MS)
    charge([world.routed(refused, by="no_route")], NOW_MS)
    schedule(wire.AcceptedBundle(id=later.id[4:], account=ACCOUNT, messages=(later,)), NOW_MS + DAY_MS, NOW_MS)
    told = tables()
    assert {name for name, items in told.items() if TEXT in items} == {"scheduled"}
    waits = scheduled.get(later.id)
    assert waits is not None
    hand_over([waits.due], NOW_MS + DAY_MS)
    assert {name for name, items in tables().items() if TEXT in items} == set()
    (due,) = [one for one in world.waiting(queues.ACCEPTED) if one.id == later.id[4:]]
    assert TEXT in wire.encode(due)
    kinds = {kind: [one for id_ in (made.draft.id, sent.id, refused.id, later.id) for one in world.facts(id_)
                    if isinstance(one, kind)] for kind in (Accepted, Queued, Scheduled)}  # fmt: skip
    assert all(kinds.values())
    hashes = {one.content.text_hash for some in kinds.values() for one in some if not isinstance(one, int)}
    assert hashes == {text_hash(sent.content, hash_keys.of(ACCOUNT))}
    cdr = cdr_of(sent.id, ACCOUNT, world.facts(sent.id), hash_keys.of(ACCOUNT))
    assert cdr is not None
    assert (cdr.message_length, cdr.text_hash) == (len(TEXT), hashes.pop())


def test_hashes_of_two_accounts_do_not_tell_that_they_wrote_the_same() -> None:
    content = world.draft().content
    one, two = (text_hash(content, hash_keys.of(account)) for account in (ACCOUNT, "acc_two"))
    assert one != two
    assert one == text_hash(msgspec.structs.replace(content, to="+34600000009"), hash_keys.of(ACCOUNT))


def test_a_message_that_got_lost_without_its_text_is_not_sent_again_empty() -> None:
    world.open_account()
    account, lost = terms(text_retention="hash"), world.draft()
    key = hash_keys.of(ACCOUNT)
    content = msgspec.structs.replace(lost.content, text="", text_hash=text_hash(lost.content, key))
    messages.put_facts([Noted(account.id, lost.id, Accepted(at_ms=NOW_MS, content=content), 90)])
    visit = wire.Visit(id="v", accounts=(ACCOUNT,), windows=(Window(NOW_MS - 1, NOW_MS + 1),))
    for at_ms in (NOW_MS + HOUR_MS // 2, NOW_MS + DAY_MS):
        look_after.look_after([visit], at_ms)
        assert world.waiting(queues.ACCEPTED) == []
    settle([one for one in world.waiting(queues.OUTCOMES) if isinstance(one, wire.OutcomeBundle)], NOW_MS + DAY_MS)
    assert world.status(lost.id) is Status.EXPIRED


def blanked(at_ms: int) -> None:
    """A night's work, each step of it done twice."""
    account = accounts.get(ACCOUNT)
    assert account is not None
    queues.send_many(queues.ARCHIVES, blank_texts.due(account, at_ms))
    while works := world.waiting(queues.ARCHIVES):
        for work in works:
            assert isinstance(work, wire.ArchiveWork)
            blank_texts.blank(work, at_ms)
            left = blank_texts.blank(work, at_ms)
            if left is not None:
                queues.send(queues.ARCHIVES, left)


def test_texts_go_when_their_days_are_over_and_the_message_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    world.open_account(credit_micros=100 * PRICE_MICROS)
    terms(text_days=2)
    monkeypatch.setattr(blank_texts, "STEP_MESSAGES", 2)
    ended, waiting = [world.draft() for _ in range(4)], world.draft()
    for one in (*ended, waiting):
        charge([world.routed(one)], NOW_MS)
    settle([world.outcomes(*(world.submitted(one.id, one.id) for one in ended),
                           *(world.receipt(one.id) for one in ended))], NOW_MS)  # fmt: skip
    came = Inbound(id="in_" + waiting.id[4:], account=ACCOUNT, at_ms=NOW_MS, sender="+34600000001", recipient="1",
                   gateway="g", encoding=Encoding.GSM7, text=TEXT)  # fmt: skip
    inbound.keep(came, 90)
    inbound.told(came)
    hashes = {text_hash(one.content, hash_keys.of(ACCOUNT)) for one in ended}
    before = [world.message(one.id) for one in ended]
    blanked(NOW_MS + 2 * DAY_MS)
    assert [content_of(one.id).text for one in ended] == [TEXT] * 4
    blanked(NOW_MS + 3 * DAY_MS)
    assert {(content_of(one.id).text, content_of(one.id).text_hash) for one in ended} == {("", *hashes)}
    for one, was in zip(ended, before, strict=True):
        told = world.message(one.id)
        assert (told.status, told.queued and told.queued.charge_micros) == (was.status, PRICE_MICROS)
    kept = inbound.get(ACCOUNT, came.id)
    assert kept is not None
    assert (kept.text, kept.sender) == ("", "+34600000001")
    assert content_of(waiting.id).text == TEXT
    settle([world.outcomes(world.submitted(waiting.id, "S"), world.receipt("S"))], NOW_MS + 3 * DAY_MS)
    blanked(NOW_MS + (3 + 16) * DAY_MS)
    assert content_of(waiting.id).text == ""


def test_an_account_that_keeps_its_texts_for_shorter_has_the_older_ones_gone_through_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blank_texts, "BEFORE_IT_IS_SO_SECONDS", 0)
    world.open_account(credit_micros=100 * PRICE_MICROS)
    ended, at_ms, kept = world.draft(), NOW_MS + 40 * DAY_MS, []
    charge([world.routed(ended)], NOW_MS)
    settle([world.outcomes(world.submitted(ended.id, "S"), world.receipt("S"))], NOW_MS)
    for days in (60, 10, 10, 20):
        row = accounts.versioned(ACCOUNT)
        assert row is not None
        keep_account.change_account(msgspec.structs.replace(row.value, text_days=days), row.version, at_ms)
        kept.append([one for one in world.waiting(queues.ARCHIVES) if isinstance(one, wire.ArchiveWork)])
    assert [len(works) for works in kept] == [0, 1, 0, 0]
    ((work,),) = [works for works in kept if works]
    assert (work.day, work.until) == ("2025-10-09", "2025-11-07")
    terms(text_days=45)
    assert blank_texts.blank(work, at_ms) is None  # as where the change was not written after all
    assert content_of(ended.id).text == TEXT
    terms(text_days=10)
    left, steps = blank_texts.blank(work, at_ms), 1
    while left is not None:
        left, steps = blank_texts.blank(left, at_ms), steps + 1
    assert steps == 30
    assert (content_of(ended.id).text, bool(content_of(ended.id).text_hash)) == ("", True)


def test_nothing_is_looked_for_where_texts_stay_with_their_messages() -> None:
    account = Account(id=ACCOUNT, name="One", created_ms=0)
    assert blank_texts.due(account, NOW_MS) == []
    days = [work.day for work in blank_texts.due(msgspec.structs.replace(account, text_days=0), NOW_MS)]
    assert days[0] == "2025-10-08"


def test_what_had_to_wait_with_its_text_loses_it_when_it_waits_no_more() -> None:
    open_world()
    terms(text_retention="hash")
    dead = wire.AcceptedBundle(id=ids.new_ulid(NOW_MS), account=ACCOUNT, messages=(world.draft(),))
    arrival = Arrival(record="1", body=wire.encode(dead), queue=queues.ACCEPTED, reason="x", receives=5)
    letter = shelve.shelve(arrival, NOW_MS)
    assert letter is not None
    failed = job(status="failed", text=f"{TEXT} all", ended_ms=NOW_MS)
    assert jobs.put(failed, expected=MUST_BE_NEW)
    over = job(status="completed", text=f"{TEXT} all", ended_ms=NOW_MS)
    running = job(status="running", text=f"{TEXT} all")
    for one in (over, running):
        assert jobs.put(one, expected=MUST_BE_NEW)
        job_files.put_recipients(ACCOUNT, one.folder, 0, [Recipient(1, "+34600000001", "ES", TEXT, 1)])
        for name in (
            job_files.LIST,
            f"{ids.new_ulid(NOW_MS)}/{job_files.GATHERED}",
        ):
            job_files.put(job_files.job_key(ACCOUNT, one.id, name), TEXT.encode())
    held_one = world.draft(valid_until_ms=NOW_MS + DAY_MS)
    charge([wire.RoutedBundle(id=held_one.id[4:], account=ACCOUNT, messages=(
        wire.Routed(draft=held_one, refusal=by_content("spm_1", hold=True)),))], NOW_MS)  # fmt: skip
    blanked(NOW_MS + HOUR_MS)
    assert {name for name, items in tables().items() if TEXT in items} == {"dead_letters", "jobs", "held"}
    review.drop(held_one.id, "key:k", NOW_MS + HOUR_MS)
    settle([one for one in world.waiting(queues.OUTCOMES) if isinstance(one, wire.OutcomeBundle)], NOW_MS + HOUR_MS)
    blanked(NOW_MS + DAY_MS)
    assert {name for name, items in tables().items() if TEXT in items} == {"jobs"}
    left = [jobs.get(ACCOUNT, one.id) for one in (over, failed, running)]
    assert [row.job.text for row in left if row] == ["", "", f"{TEXT} all"]
    assert job_files.recipients(ACCOUNT, running.folder, 0)[0].text == TEXT
    assert [len(job_files.names_of(ACCOUNT, one.id)) for one in (over, running)] == [0, 3]
    resend.resend(letter.id, "key:k", NOW_MS + DAY_MS)
    (again,) = [one for one in world.waiting(queues.ACCEPTED) if isinstance(one, wire.AcceptedBundle)]
    route([again], NOW_MS + DAY_MS)
    charge([one for one in world.waiting(queues.BILLING) if isinstance(one, wire.RoutedBundle)], NOW_MS + DAY_MS)
    assert world.status(again.messages[0].id) is Status.EXPIRED
    assert world.waiting(queues.gateway_queue(world.GATEWAY, "normal")) == []
