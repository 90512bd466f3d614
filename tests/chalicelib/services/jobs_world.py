"""A customer with rules and credit, and jobs that are carried on record by record, as the queue's function does."""

from typing import Any, Final

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.account import Account
from chalicelib.domain.job import Job, Source, Tally
from chalicelib.domain.marks import LEFT, SUBMITTED
from chalicelib.domain.message import Message, fold
from chalicelib.domain.rules import Gateway, NumberingPrefix, Route, Target
from chalicelib.services import keep_job
from chalicelib.services.charge import charge
from chalicelib.store import accounts, job_files, job_tallies, jobs, ledger, made_queues, messages, queues, rules
from chalicelib.store.jobs import JobRow
from functions.jobs import _go_on
from tests.chalicelib.services.world import ACCOUNT, GATEWAY, NOW_MS, PRICE_MICROS, waiting

ALL_CREDIT: Final = 10_000_000 * PRICE_MICROS


def open_world(credit_micros: int = ALL_CREDIT, shards: int = 1) -> Account:
    account = Account(
        id=ACCOUNT, name="Acme", created_ms=NOW_MS, default_sender="Acme", default_region="ES", shards=shards
    )
    assert accounts.create(account)
    if credit_micros:
        ledger.grant(ACCOUNT, "opening", credit_micros, who="test", why="opening", now_ms=NOW_MS)
    made_queues.create_gateway_queues(GATEWAY)
    gateway = Gateway(id=GATEWAY, name="A", host="smsc", port=2775, system_id="us")
    route = Route(id="rte_1", targets=(Target(gateway=GATEWAY),), price_micros=PRICE_MICROS, country="ES")
    rules.publish(
        [gateway],
        [route],
        [NumberingPrefix(prefix="346", country="ES", operator="Movistar")],
        by="test",
        note="",
        now_ms=NOW_MS,
    )
    return account


def number(at: int) -> str:
    return f"+34600{at:06}"


def job(**more: Any) -> Job:
    """A job to make, of the list in the request unless `source` says otherwise."""
    made: dict[str, Any] = {
        "id": ids.new_id("job", NOW_MS),
        "account": ACCOUNT,
        "created_ms": NOW_MS,
        "status": "preparing",
        "text": "hello",
        "source": Source(kind="recipients"),
        "prep": ids.new_ulid(NOW_MS),
    }
    return Job(**{**made, **more})


def listed(count: int) -> list[dict[str, str]]:
    return [{"to": number(at)} for at in range(count)]


def create(recipients: list[dict[str, str]] | None = None, now_ms: int = NOW_MS, **more: Any) -> JobRow:
    account = accounts.get(ACCOUNT)
    assert account is not None
    return keep_job.create(job(**more), account, recipients, now_ms)


def create_from_file(raw: bytes, **more: Any) -> JobRow:
    """A job to the numbers of an uploaded file, read to its end."""
    upload = ids.new_id("upl", NOW_MS)
    job_files.put(job_files.upload_key(ACCOUNT, upload), raw)
    made = create(source=Source(kind="upload", upload=upload, **more.pop("of_source", {})), **more)
    carry_on(stages=("prepare",))
    return row(made.job.id)


def row(job_id: str) -> JobRow:
    found = jobs.get(ACCOUNT, job_id)
    assert found is not None
    return found


def works(stages: tuple[str, ...] = ("prepare", "start", "feed")) -> list[wire.JobWork]:
    """What waits on ⟨jobs⟩ of these stages, due or not; it is taken off."""
    url = queues.url(queues.JOBS)
    found: list[wire.JobWork] = []
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.sqs.models import sqs_backends

    queue = sqs_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"].queues[url.rpartition("/")[2]]
    for message in list(queue._messages):
        bundle = wire.decode(message.body)
        assert isinstance(bundle, wire.JobWork)
        if bundle.stage in stages:
            found.append(bundle)
            queue._messages.remove(message)
    return found


def work_of_start(job_id: str, at_ms: int) -> wire.JobWork:
    """The record that starts the job at its time."""
    return wire.JobWork(id=f"{job_id}-{at_ms}", account=ACCOUNT, job=job_id, stage="start", at=at_ms)


def go_on(work: wire.JobWork, now_ms: int = NOW_MS) -> None:
    """Do one record."""
    _go_on([work], now_ms)


def carry_on(
    now_ms: int = NOW_MS,
    stages: tuple[str, ...] = ("prepare", "start", "feed"),
    turns: int = 1000,
    charged: bool = False,
) -> int:
    """Do what waits on ⟨jobs⟩ until nothing does, or a job waits for its time; how many records that were."""
    done = 0
    for _ in range(turns):
        found = works(stages)
        if not found:
            break
        for work in found:
            _go_on([work], now_ms)
            done += 1
        if charged:
            charge_all(now_ms)
            leave_all()
    return done


def charge_all(now_ms: int = NOW_MS) -> list[wire.RoutedBundle]:
    bundles = [bundle for bundle in waiting(queues.BILLING) if isinstance(bundle, wire.RoutedBundle)]
    for at in range(0, len(bundles), 10):
        charge(bundles[at : at + 10], now_ms)
    return bundles


def leave_all() -> None:
    """Have it as if gateways had taken all that was charged, so that feeding goes on."""
    for found in jobs.of_account(ACCOUNT).items:
        of_job = messages_of(found.job.id)
        for run in found.job.present_runs:
            charged = frozenset(ids.number_of(one.id) for one in of_job if one.queued and run in one.id)
            count = job_tallies.Count(run=run, step="test", marks={SUBMITTED: charged, LEFT: charged})
            job_tallies.put([count], NOW_MS)


def tally(job_id: str) -> Tally:
    return job_tallies.of_runs(row(job_id).job.present_runs)


def messages_of(job_id: str) -> list[Message]:
    """Every message of the job's log, by number."""
    runs = row(job_id).job.runs
    found = messages.made(ACCOUNT, 32, NOW_MS - 1, NOW_MS + 86_400_000)
    folded = (fold(one.message_id, one.facts) for one in found if ids.run_of(one.message_id) in runs)
    return [message for message in folded if message is not None]
