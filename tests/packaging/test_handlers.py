"""Every handler of the template, run from the very zip: what it imports, what it does, what its policy allows."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chalicelib.domain.status import Status
from chalicelib.services.settle import LOOKS_SECONDS
from infra.package import ROOT
from tests.figures import FIGURE
from tests.packaging import (
    address_book,
    archiving,
    campaigns,
    hooks,
    mailing,
    management,
    people,
    permissions,
    protection,
    reports,
    upkeep,
)
from tests.packaging import journey as way
from tests.packaging.cloud import Cloud, running
from tests.packaging.conftest import Package
from tests.packaging.journey import API, CHARGE, GATEWAY, ON_QUEUES, ROUTE, SETTLE, Journey

ON_ANY_QUEUE = ON_QUEUES | upkeep.ON_QUEUES | hooks.ON_QUEUES | campaigns.ON_QUEUES | mailing.ON_QUEUES
ON_ANY_QUEUE |= archiving.ON_QUEUES
SCHEDULES = upkeep.SCHEDULES | hooks.SCHEDULES | campaigns.SCHEDULES | mailing.SCHEDULES | management.SCHEDULES
SCHEDULES |= archiving.SCHEDULES
HANDLERS = (API, *ON_ANY_QUEUE, *SCHEDULES)
# What a function on a queue has no use for, and would pay for at each cold start.
NOT_FOR_QUEUES = (
    "app",
    "phonenumbers",
    "jinja2",
    "yaml",
    "click",
    "chalice.cli",
    "chalicelib.api",
    "xml.dom",
    "asyncio",
)
MESSAGE = {"to": "+34600000000", "from": "Acme", "text": "Hello"}
# What Lambda does in a function's name.
OUT_OF_SIGHT = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
}
# Never called, and yet needed: without it S3 tells of an object that is not there as one that is forbidden.
UNCALLED = {f"s3:ListBucket on arn:aws:s3:::chasqui-prod-{bucket}" for bucket in ("jobs", "rules")}
# Called only by what takes longer than a function's time.
UNCALLED |= {"sqs:SendMessage on arn:aws:sqs:*:*:chasqui-prod-archives"}
# Called only where DynamoDB does not hand back what kept a transaction from its place.
UNCALLED |= {"dynamodb:GetItem on arn:aws:dynamodb:*:*:table/chasqui-prod-ends"}
MAX_IMPORT_MS = 2_000  # far above what is printed: a bound for a busy machine
NOT_FOR_ANY = ("moto", "pytest", "smpp_bridge", "smpplib", "infra", "tests", "chalice.cli", "chalice.local", "jinja2")


@pytest.fixture(scope="module")
def cloud(unpacked: Path) -> Iterator[Cloud]:
    with running(unpacked) as made:
        yield made


@pytest.fixture(scope="module")
def paths(runnable: Package) -> dict[str, Any]:
    """What API Gateway is told of the API."""
    found: dict[str, Any] = runnable.template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    return found


@pytest.fixture(scope="module")
def admin(cloud: Cloud) -> str:
    """An administrator's key, made as after a deployment."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.admin_key", "the first"],
        env=cloud.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def travelled(cloud: Cloud, paths: dict[str, Any], admin: str) -> Journey:
    """A message that fails and is paid back, one that is canceled, and a look at everything."""
    journey = Journey(cloud, paths)
    key = journey.customer(admin)
    sent, *_ = journey.call(
        key,
        ("POST", "/v1/messages", MESSAGE),
        ("POST", "/v1/messages", MESSAGE | {"dry_run": True}),
        ("GET", "/v1/messages", None),
        ("GET", "/openapi.json", None),
        ("GET", "/health", None),
    )
    journey.step(ROUTE)
    journey.step(CHARGE)
    dispatch = journey.dispatched()
    submitted, receipt = way.ended(dispatch, Status.UNDELIVERED, "UNDELIV")
    early = msgspec.structs.replace(receipt, ids=("not known yet",))
    given_up = msgspec.structs.replace(early, looked=len(LOOKS_SECONDS))
    journey.tell(submitted, receipt, early, given_up)
    journey.step(SETTLE)
    other, again = journey.twice(key, "/v1/messages", MESSAGE)
    assert other["id"] == again["id"]
    canceled, again = journey.twice(key, f"/v1/messages/{other['id']}/cancel", None)
    assert (canceled["status"], again["status"]) == ("canceled", "canceled")
    journey.told = journey.call(
        key,
        ("GET", f"/v1/messages/{sent['id']}", None),
        ("GET", f"/v1/messages/{sent['id']}/events", None),
        ("GET", "/v1/account", None),
    )
    upkeep.keep_up(journey, cloud)
    resent = journey.resurrect(admin, dispatch)
    # The end of a receipt whose message nobody knows is one too.
    assert resent == ["accepted", "audits", "billing", f"gateway-{GATEWAY}", "outcomes", "outcomes", "visits"]
    told = hooks.told(hooks.tell(journey, cloud, admin, key))
    assert told == {"message.rejected", "message.failed", "message.received", "webhook.test"}
    protection.keep_from_harm(journey, cloud, admin, key)
    campaigns.send_to_many(journey, cloud, admin, key)
    address_book.keep_contacts(journey, cloud, key)
    mailing.write_to_people(journey, cloud, admin, key)
    management.manage(journey, cloud, admin, key)
    archiving.keep_records(journey, cloud, admin, key)
    people.let_people_in(journey, cloud, admin, key)
    reports.read_reports(journey, cloud, admin, key)
    journey.look_at_everything(admin)
    return journey


def test_the_handlers_that_are_run_are_all_that_the_template_has(shipped: Package) -> None:
    assert set(shipped.functions) == set(HANDLERS)


def test_each_function_listens_to_its_queue(shipped: Package) -> None:
    for handler, queue in ON_ANY_QUEUE.items():
        (source,) = shipped.functions[handler]["Events"].values()
        assert source["Properties"]["Queue"]["Fn::Sub"].endswith(f":chasqui-prod-{queue}")


def test_each_schedule_calls_its_function(shipped: Package) -> None:
    for handler, expression in SCHEDULES.items():
        (source,) = shipped.functions[handler]["Events"].values()
        assert (source["Type"], source["Properties"]["Schedule"]) == ("Schedule", expression)


def test_the_api_describes_itself_and_turns_strangers_away(cloud: Cloud, paths: dict[str, Any]) -> None:
    journey = Journey(cloud, paths)
    document, stranger, liar = journey.answers(
        None, ("GET", "/openapi.json", None), ("GET", "/v1/account", None), ("POST", "/v1/messages", MESSAGE)
    )
    assert document["statusCode"] == 200
    assert json.loads(document["body"])["openapi"] == "3.1.0"
    for answer in (stranger, liar):
        assert answer["statusCode"] == 401
        assert json.loads(answer["body"])["code"] == "missing_api_key"


def test_a_message_goes_all_the_way_through_the_packaged_functions(travelled: Journey) -> None:
    message, timeline, account = travelled.told
    assert (message["status"], message["operator"], message["price"]) == ("undelivered", "Movistar ES", "0.05")
    kinds = [event["kind"] for event in timeline["data"]]
    assert sorted(kinds) == ["accepted", "final", "queued", "receipt", "refunded", "submitted"]
    assert account["balance"] == "10"


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_policy_allows_what_its_function_calls(travelled: Journey, runnable: Package, handler: str) -> None:
    calls = [call for outcome in travelled.runs_of(handler) for call in outcome.calls]
    policy = runnable.policy_of(handler)
    needs = {need for call in calls for need in permissions.needs(call)}
    assert needs
    refused = sorted(" on ".join(need) for need in needs if not permissions.allows(policy, need))
    assert not refused, "\n".join(refused)


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_policy_allows_no_action_that_its_function_does_not_call(
    travelled: Journey, runnable: Package, handler: str
) -> None:
    calls = [call for outcome in travelled.runs_of(handler) for call in outcome.calls]
    used = {need for call in calls for need in permissions.needs(call)}
    unused = [
        " on ".join(grant)
        for grant in permissions.grants(runnable.policy_of(handler))
        if grant.action not in OUT_OF_SIGHT and not any(permissions.covers(grant, need) for need in used)
    ]
    assert not set(unused) - UNCALLED, "\n".join(unused)


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_needs_nothing_but_the_zip_and_python_itself(
    travelled: Journey, unpacked: Path, handler: str
) -> None:
    for outcome in travelled.runs_of(handler):
        assert way.strange_files(outcome, unpacked) == set()
        assert [name for name in NOT_FOR_ANY if name in outcome.modules] == []


@pytest.mark.parametrize("handler", [*ON_ANY_QUEUE, *SCHEDULES])
def test_a_function_on_a_queue_imports_nothing_of_the_api(travelled: Journey, handler: str) -> None:
    # One sends answers as the API sends messages, the others read recipients.
    needed = {"phonenumbers"} if handler in (hooks.RECEIVE, campaigns.JOB, archiving.ARCHIVE) else set()
    for outcome in travelled.runs_of(handler):
        assert [name for name in NOT_FOR_QUEUES if name in outcome.modules and name not in needed] == []


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_cold_import_is_short(
    travelled: Journey, handler: str, record_property: Callable[[str, object], None]
) -> None:
    runs = travelled.runs_of(handler)
    best = min(run.import_ms for run in runs)
    record_property(FIGURE, f"{handler}: cold import {best:.0f} ms, {len(runs[0].imported)} modules")
    assert best < MAX_IMPORT_MS
