"""Jobs and scheduled messages through the packaged functions: from a file to bundles, and every way to control them."""

import time
from typing import Any, Final

from chalicelib import wire
from chalicelib.domain import ids
from chalicelib.domain.status import Status
from chalicelib.store.scheduled import KEPT_SECONDS, ScheduledTable
from tests.packaging.cloud import PREFIX, Cloud
from tests.packaging.journey import CHARGE, SETTLE, Journey
from tests.packaging.protection import smpp_draft
from tests.packaging.upkeep import EVENT

JOB: Final = "functions.jobs.job"
TICK: Final = "functions.jobs.tick"
ON_QUEUES: Final = {JOB: "jobs"}
SCHEDULES: Final = {TICK: "cron(* * * * ? *)"}
FILE: Final = b"phone;name\n+34600000000;Ana\n+34600000001;Luis\nnobody;x\n"


def send_to_many(journey: Journey, cloud: Cloud, admin: str, key: str) -> None:
    """A job from a file, one of a list, and a message for later."""
    for queue in ("accepted", "billing", "outcomes"):
        cloud.take_all(queue)  # what others left there
    upload, own = journey.call(key, ("POST", "/v1/uploads", None), ("GET", "/v1/account", None))
    path = f"uploads/{own['id']}/{upload['id']}"
    cloud.client("s3").put_object(Bucket=f"{PREFIX}-jobs", Key=path, Body=FILE)
    body = {"upload_id": upload["id"], "text": "Hello {name}", "from": "Acme", "dry_run": True}
    (job,) = journey.call(key, ("POST", "/v1/jobs", body))
    work_off(journey, cloud)
    one = f"/v1/jobs/{job['id']}"
    (ready,) = journey.call(key, ("GET", one, None))
    assert (ready["status"], ready["preview"]["valid"]) == ("ready", 2)
    journey.call(
        key,
        ("GET", "/v1/jobs", None),
        ("GET", f"{one}/invalid-rows", None),
        ("PUT", one, {"text": "Hi {name}", "from": "Acme", "version": ready["version"]}),
    )
    work_off(journey, cloud)
    _control(journey, cloud, key, one)
    _tell_of_it(journey, cloud, own["id"])
    (asked,) = journey.call(key, ("GET", f"{one}/results", None))
    work_off(journey, cloud)
    (made,) = journey.call(key, ("GET", f"{one}/results", None))
    assert (asked["status"], made["status"], made["rows"]) == ("making", "made", 2)
    (listed,) = journey.call(admin, ("GET", "/v1/admin/jobs", None))
    assert [told["id"] for told in listed["data"]] == [job["id"]]
    journey.call(key, ("POST", f"{one}/copy", None))
    journey.call(key, ("POST", "/v1/jobs", {**body, "dry_run": False}))
    work_off(journey, cloud)
    journey.call(key, ("POST", f"{one}/stop", None), ("DELETE", one, None))
    given = {"recipients": [{"to": "+34600000000"}], "text": "Hello", "from": "Acme"}
    journey.call(key, ("POST", "/v1/jobs", given))
    work_off(journey, cloud)
    _later(journey, cloud, key, own["id"])
    for queue in ("jobs", "billing", "accepted"):
        cloud.take_all(queue)


def _control(journey: Journey, cloud: Cloud, key: str, one: str) -> None:
    journey.call(key, ("POST", f"{one}/start", None))
    (paused,) = journey.call(key, ("POST", f"{one}/pause", None))
    assert paused["status"] == "paused"
    (running,) = journey.call(key, ("POST", f"{one}/resume", None))
    assert running["status"] == "running"
    work_off(journey, cloud)


def _tell_of_it(journey: Journey, cloud: Cloud, account: str) -> None:
    """What was fed is charged, and what became of it is counted."""
    event = cloud.receive("billing")
    (routed,) = (wire.decode(record["body"]) for record in event["Records"])
    assert isinstance(routed, wire.RoutedBundle)
    assert journey.run(CHARGE, event).failures == []
    end = wire.SubmitOutcome(
        account=account,
        message=routed.messages[0].draft.id,
        at_ms=time.time_ns() // 1_000_000,
        part=1,
        parts=2,
        gateway="gw",
        smsc_message_id="J1",
        session="s",
    )
    receipt = wire.ReceiptOutcome(
        at_ms=end.at_ms, gateway="gw", ids=("J1",), status=Status.DELIVERED, state="DELIVRD"
    )  # of one part: what the other's says is looked for
    cloud.send("outcomes", wire.encode(wire.OutcomeBundle(id="J", outcomes=(end, receipt))))
    assert journey.run(SETTLE, cloud.receive("outcomes")).failures == []


def _later(journey: Journey, cloud: Cloud, key: str, account: str) -> None:
    """Messages for later whose time comes, one of SMPP's too, one that is canceled; and a job whose record was lost."""
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600))
    body = {"to": "+34600000000", "from": "Acme", "text": "Hello", "send_at": later}
    first, second = journey.call(key, ("POST", "/v1/messages", body), ("POST", "/v1/messages", body))
    journey.call(key, ("POST", f"/v1/messages/{second['id']}/cancel", None))
    cloud.take_all("outcomes")
    smpp = _scheduled(cloud, account)
    dynamodb = cloud.client("dynamodb")
    for table in ("scheduled", "jobs"):
        for item in dynamodb.scan(TableName=f"{PREFIX}-{table}")["Items"]:
            names = ("id",) if table == "scheduled" else ("account", "id")
            if "due_ms" in item:
                dynamodb.update_item(
                    TableName=f"{PREFIX}-{table}",
                    Key={name: item[name] for name in names},
                    UpdateExpression="SET due_ms = :now",
                    ExpressionAttributeValues={":now": {"N": "1"}},
                )
    assert journey.run(TICK, EVENT).failures == []
    sent = [wire.decode(body) for body in _bodies(cloud.take_all("accepted"))]
    assert {one.messages[0].id for one in sent if isinstance(one, wire.AcceptedBundle)} == {first["id"], smpp}


def _scheduled(cloud: Cloud, account: str) -> str:
    """A message that an SMPP customer has scheduled, and may still replace; its id."""
    draft = smpp_draft("+34600000000", "Hello")
    bundle = wire.AcceptedBundle(id=ids.bundle_of_single(draft.id), account=account, messages=(draft,))
    due_ms = draft.at_ms + 600_000
    row = ScheduledTable(draft.id, due_ms=due_ms, body=wire.encode(bundle), expires=due_ms // 1000 + KEPT_SECONDS)
    cloud.client("dynamodb").put_item(TableName=f"{PREFIX}-scheduled", Item=row.serialize())
    return draft.id


def _bodies(records: Any) -> list[str]:
    return [record.get("body") or record["Body"] for record in records]


def work_off(journey: Journey, cloud: Cloud) -> None:
    """Run the function for what is due; and once with a record that is none."""
    cloud.send("jobs", "no bundle")
    for _ in range(6):
        event: dict[str, Any] = cloud.receive("jobs")
        if not event["Records"]:
            return
        assert journey.run(JOB, event).failures == []
