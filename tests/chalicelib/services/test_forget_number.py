"""A number that is erased is nowhere any more, but where it must hold; the books stay as they were, to the digit."""

import zlib
from datetime import date

import msgspec
import pytest

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.facts import Final
from chalicelib.domain.inbound import Inbound
from chalicelib.domain.job import FirstText, Job, Recipient, Source, Survey
from chalicelib.domain.rules import Gateway, Route, SpamRule, Target
from chalicelib.domain.status import Status
from chalicelib.domain.text import Encoding
from chalicelib.domain.texts import ERASED
from chalicelib.domain.webhook import CALLBACKS
from chalicelib.domain.webhook_delivery import Delivery
from chalicelib.domain.webhook_event import Event, of_inbound, of_message
from chalicelib.services import close_day, forget_number, keep_contacts, opt_out, shelve, wipe
from chalicelib.services.charge import charge
from chalicelib.services.faults import Fault
from chalicelib.services.route import route
from chalicelib.services.send_scheduled import schedule
from chalicelib.services.settle import settle
from chalicelib.services.shelve import Arrival
from chalicelib.settings import settings
from chalicelib.store import (
    accounts,
    aws,
    cdrs,
    dnd,
    erasures,
    held,
    inbound,
    job_files,
    jobs,
    queues,
    rules,
    scheduled,
    webhook_deliveries,
)
from chalicelib.store.dnd import Disturbed
from chalicelib.store.erasures import Erasure
from chalicelib.store.rows import MUST_BE_NEW
from tests.chalicelib.services import world
from tests.chalicelib.services.test_audit import begun, to_the_end
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, HOUR_MS, NOW_MS, PRICE_MICROS

pytestmark = pytest.mark.usefixtures("aws")

NUMBER = "+34600111222"  # of world.draft
OTHER = "+34600111333"
DAY_MS = 24 * HOUR_MS
LATER_MS = NOW_MS + DAY_MS
SECRET = "hello"  # the text of all that was sent to it
HOLDING = {"opt_outs", "dnd", "erasures"}


def to_other(draft: wire.Draft) -> wire.Draft:
    return msgspec.structs.replace(draft, content=msgspec.structs.replace(draft.content, to=OTHER, text="adiós"))


class Traces:
    """Everything that can know of a number."""

    def __init__(self) -> None:
        world.open_account(credit_micros=100 * PRICE_MICROS)
        gateway = Gateway(id=GATEWAY, name="A", host="smsc", port=2775, system_id="us")
        line = Route(id="rte", targets=(Target(gateway=GATEWAY),), price_micros=PRICE_MICROS)
        hold = SpamRule(id="spm_1", kind="word", patterns=("stopme",), action="hold")
        rules.publish([gateway], [line], [], by="t", note="", now_ms=NOW_MS, spam=[hold])
        self.delivered, self.several = world.draft(), [world.draft(parts=2), to_other(world.draft())]
        self.refused, self.on_its_way, self.held, self.due = (world.draft() for _ in range(4))
        refused = world.routed(self.refused, by="no_route")
        charge([*map(world.routed, (self.delivered, self.on_its_way)), world.routed(*self.several), refused], NOW_MS)
        taken = [self.delivered, *self.several]
        settle(
            [
                world.outcomes(
                    *(world.submitted(one.id, one.id) for one in taken), *(world.receipt(one.id) for one in taken)
                )
            ],
            NOW_MS + 10_000,
        )
        self._held()
        schedule(wire.AcceptedBundle(id=self.due.id[4:], account=ACCOUNT, messages=(self.due,)), LATER_MS, NOW_MS)
        self._told()
        self._people()
        self._jobs()
        self._dead()
        close()

    def _held(self) -> None:
        content = msgspec.structs.replace(self.held.content, text=f"stopme {SECRET}", valid_until_ms=LATER_MS + DAY_MS)
        self.held = msgspec.structs.replace(self.held, content=content)
        route([wire.AcceptedBundle(id=self.held.id[4:], account=ACCOUNT, messages=(self.held,))], NOW_MS)
        charge([one for one in world.waiting(queues.BILLING) if isinstance(one, wire.RoutedBundle)], NOW_MS)
        assert held.get(self.held.id)

    def _told(self) -> None:
        final = Final(at_ms=NOW_MS + 5000, status=Status.DELIVERED)
        event = of_message(self.delivered.id, final, self.delivered.content)
        came = Inbound(
            id=f"in_{ids.new_ulid(NOW_MS)}",
            account=ACCOUNT,
            at_ms=NOW_MS,
            sender=NUMBER,
            recipient="12345",
            gateway=GATEWAY,
            encoding=Encoding.GSM7,
            text=SECRET,
        )
        inbound.keep(came, 90)
        inbound.told(came)
        assert event is not None
        for one in (event, of_inbound(came)):
            webhook_deliveries.put([self._delivery(one)])

    @staticmethod
    def _delivery(event: Event) -> Delivery:
        return Delivery(account=ACCOUNT, endpoint=CALLBACKS, event=event, state="delivered", url="https://a.example/x")

    @staticmethod
    def _people() -> None:
        account = accounts.get(ACCOUNT)
        assert account is not None
        keep_contacts.create(account, NUMBER, "Ana", {"city": "Lima"}, group_ids=(), now_ms=NOW_MS)
        opt_out.heard(account, NUMBER, "12345", "BAJA", NOW_MS)
        dnd.put([Disturbed(NUMBER, "ES", NOW_MS)])

    @staticmethod
    def _jobs() -> None:
        shown = (FirstText(line=1, to=NUMBER, text=SECRET, parts=1),)
        job = Job(
            id=ids.new_id("job", NOW_MS),
            account=ACCOUNT,
            created_ms=NOW_MS,
            status="completed",
            text="x {name}",
            source=Source(kind="recipients"),
            survey=Survey(rows=2, valid=2, first_texts=shown),
            prep=ids.new_ulid(NOW_MS),
        )
        assert jobs.put(job, expected=MUST_BE_NEW)
        listed = [Recipient(1, OTHER, "ES", "x", 1), Recipient(2, NUMBER, "ES", SECRET, 1)]
        job_files.put_recipients(ACCOUNT, job.folder, 0, listed)
        given = [{"to": OTHER}, {"To": "0034 600 111 222", "name": "Ana"}]  # as it came in the request
        job_files.put(job_files.job_key(ACCOUNT, job.id, job_files.LIST), msgspec.json.encode(given))
        before = f"{job.id}/{ids.new_ulid(NOW_MS - 1)}"  # they were read before, out of groups
        job_files.put_recipients(ACCOUNT, before, 0, listed)
        for name in (job_files.GATHERED, f"{job_files.GATHERED}.progress", job_files.CHECKPOINT):
            job_files.put(job_files.job_key(ACCOUNT, before, name), f'{{"to":"{NUMBER}"}}'.encode())
        job_files.put(job_files.job_key(ACCOUNT, job.id, "results-1.csv"), f"number\r\n{NUMBER}\r\n".encode())

    def _dead(self) -> None:
        bundle = wire.AcceptedBundle(
            id=ids.new_ulid(NOW_MS), account=ACCOUNT, messages=(world.draft(), to_other(world.draft()))
        )
        body = wire.encode(bundle)
        assert shelve.shelve(Arrival(record="1", body=body, queue="accepted", reason="x", receives=5), NOW_MS)


def close() -> None:
    work: wire.ArchiveWork | None = close_day.begin(ACCOUNT, date(2025, 10, 9), LATER_MS, final=True)
    while work is not None:
        work = close_day.close(work, LATER_MS)


def archive() -> bytes:
    return b"".join(body for key, body in objects().items() if key.endswith(".jsonl.gz"))


def tables() -> dict[str, str]:
    """What each table holds, as text."""
    client, told = aws.client("dynamodb"), {}
    for name in client.list_tables()["TableNames"]:
        items = client.scan(TableName=name)["Items"]
        told[name.removeprefix(f"{settings().prefix}-")] = "\n".join(sorted(map(str, items)))
    return told


def objects() -> dict[str, bytes]:
    """What each object holds, unpacked."""
    client, told = aws.client("s3"), {}
    for bucket in (settings().cdr_bucket, settings().jobs_bucket):
        for one in client.list_objects_v2(Bucket=bucket).get("Contents", []):
            body = client.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
            for packed in (47, 15):
                try:
                    body = zlib.decompress(body, packed)
                    break
                except zlib.error:
                    pass
            told[f"{bucket}/{one['Key']}"] = body
    return told


def erase(now_ms: int = LATER_MS, account: str | None = None) -> Erasure:
    """A look to its end, as the queue's function makes it."""
    begun_ = forget_number.begin(NUMBER, account, "user:usr_1", now_ms)
    return look(begun_.id, now_ms)


def look(id_: str, now_ms: int) -> Erasure:
    work: wire.ArchiveWork | None = wire.ArchiveWork(id=id_, account=wire.EVERYBODY, what="erase")
    while work is not None:
        work = forget_number.go_on(work, now_ms)
    told = forget_number.read(id_)
    settle_pending(now_ms)
    return told


def settle_pending(now_ms: int) -> None:
    settle([one for one in world.waiting(queues.OUTCOMES) if isinstance(one, wire.OutcomeBundle)], now_ms)


def with_number() -> set[str]:
    found = {name for name, told in tables().items() if NUMBER in told}
    return found | {key for key, body in objects().items() if NUMBER.encode() in body}


def test_a_number_is_nowhere_but_where_it_must_hold_and_the_books_stay_as_they_were() -> None:
    traces = Traces()
    before = tables()
    assert {
        "messages",
        "held",
        "scheduled",
        "contacts",
        "inbound",
        "webhook_deliveries",
        "dead_letters",
    } <= with_number()
    told = erase()
    assert told.state == "waiting"
    assert told.on_their_way == 1
    assert told.did == {
        "contacts": 1, "dead_letters": 1, "job_recipients": 3, "messages": 5, "held": 1, "webhook_deliveries": 2,
        "inbound": 1, "opt_outs_kept": 1, "dnd_kept": 1, "cdrs": 6,
    }  # fmt: skip
    settle([world.outcomes(world.submitted(traces.on_its_way.id, "S"), world.receipt("S"))], LATER_MS)
    charge([one for one in world.waiting(queues.BILLING) if isinstance(one, wire.RoutedBundle)], LATER_MS)
    assert forget_number.start_due(LATER_MS + DAY_MS) == 1
    told = look(told.id, LATER_MS + DAY_MS)
    assert (told.on_their_way, told.did["messages"]) == (0, 6)
    assert with_number() == HOLDING
    assert not any(b"600 111 222" in body for body in objects().values())
    after = tables()
    assert "BAJA" not in after["opt_outs"]
    assert SECRET not in "".join(after[name] for name in ("held", "inbound", "dead_letters", "scheduled", "jobs"))
    assert after["wallets"] == before["wallets"]
    assert set(before["ledger"].splitlines()) <= set(after["ledger"].splitlines())
    assert OTHER in after["messages"]
    assert world.status(traces.delivered.id) is Status.DELIVERED
    assert world.status(traces.due.id) is Status.CANCELED
    assert world.status(traces.held.id) is Status.REJECTED
    assert not scheduled.get(traces.due.id)
    assert to_the_end(begun(LATER_MS), LATER_MS).books.differences == []
    is_the_same_when_it_is_closed_again()
    is_left_in_peace()
    assert forget_number.start_due(NOW_MS + 20 * DAY_MS) == 1
    told = look(told.id, NOW_MS + 20 * DAY_MS)
    assert (told.state, told.number, told.masked) == ("done", "", "+34•••••••22")
    assert with_number() == HOLDING - {"erasures"}


def test_it_goes_on_where_it_was_broken_off_and_again_it_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    Traces()
    monkeypatch.setattr(forget_number, "_SECONDS", -1.0)  # a bit a step
    monkeypatch.setattr(wipe, "INBOUND_DAYS", 60)
    begun_ = forget_number.begin(NUMBER, None, "key:k", LATER_MS)
    work, steps = wire.ArchiveWork(id=begun_.id, account=wire.EVERYBODY, what="erase"), 0
    while True:
        row = erasures.get(begun_.id)
        assert row is not None
        if row.value.state != "running":
            break
        if steps % 3 == 0:
            forget_number._stepped(row.value, LATER_MS)  # and dies before that is noted
        forget_number.go_on(work, LATER_MS)
        steps += 1
    assert steps > 10
    assert with_number() == HOLDING | {"messages"}  # the one on its way
    monkeypatch.undo()
    settle_pending(LATER_MS)
    settled = tables()
    again = erase(LATER_MS + 1)
    assert again.id == begun_.id
    assert again.did == {"opt_outs_kept": 1, "dnd_kept": 1}
    changed = {name for name, told in tables().items() if told != settled[name]}
    assert changed <= {"erasures"}


def is_the_same_when_it_is_closed_again() -> None:
    """The archive, once the log says no more of the number than it does."""
    close()  # with the ends that came since
    first = archive()
    lines = [cdrs.read(line) for line in first.splitlines()]
    assert [one.mobile_number for one in lines].count(ERASED) == 4  # two were ended on the day after
    assert {one.message_length for one in lines} == {5}  # also of what was erased
    close()
    assert archive() == first


def is_left_in_peace() -> None:
    """Who opted out, and what is sent to recipients who were erased."""
    for draft, code in ((world.draft(), "opted_out"), (_to_nobody(), "erased")):
        route([wire.AcceptedBundle(id=draft.id[4:], account=ACCOUNT, messages=(draft,))], LATER_MS)
        (bundle,) = [one for one in world.waiting(queues.BILLING) if isinstance(one, wire.RoutedBundle)]
        assert bundle.messages[0].refusal is not None
        assert bundle.messages[0].refusal.error.code == code


def _to_nobody() -> wire.Draft:
    made = world.draft()
    return msgspec.structs.replace(made, content=msgspec.structs.replace(made.content, to=ERASED))


def test_only_one_accounts_traces_go_where_it_asks_and_nonsense_is_refused() -> None:
    world.open_account()
    world.open_account("acc_two")
    for id_ in (ACCOUNT, "acc_two"):
        account = accounts.get(id_)
        assert account is not None
        keep_contacts.create(account, NUMBER, "Ana", {}, group_ids=(), now_ms=NOW_MS)
    assert erase(account="acc_two").did == {"contacts": 1}
    assert with_number() == {"contacts", "erasures"}
    assert erase().did == {"contacts": 1}
    for number, whose in (("12", None), ("hello", None), (NUMBER, "acc_none")):
        with pytest.raises(Fault):
            forget_number.begin(number, whose, "key:k", NOW_MS)
