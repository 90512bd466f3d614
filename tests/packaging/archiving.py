"""The archive through the packaged functions: nights, files of records, texts as hashes, numbers that are erased."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from chalicelib import wire
from chalicelib.domain.facts import Queued, Submitted
from chalicelib.domain.refusals import by_content
from chalicelib.store import job_files, messages
from chalicelib.store.dispatches import CANCEL
from chalicelib.store.messages import Noted
from tests.packaging import campaigns, hooks
from tests.packaging.cloud import PREFIX, Cloud
from tests.packaging.journey import CHARGE, GATEWAY, ROUTE, SHELVE, Journey
from tests.packaging.protection import smpp_draft
from tests.packaging.upkeep import EVENT

ARCHIVE: Final = "functions.archiving.archive"
ARCHIVE_NIGHTLY: Final = "functions.archiving.archive_nightly"
ON_QUEUES: Final = {ARCHIVE: "archives"}
SCHEDULES: Final = {ARCHIVE_NIGHTLY: "cron(15 4 * * ? *)"}
NUMBER: Final = "+34600000020"
QUEUES: Final = ("accepted", "billing", "outcomes", "inbound", "jobs", "dead")


def keep_records(journey: Journey, cloud: Cloud, admin: str, key: str) -> None:
    """A night; then all that can know of a number, a day that is closed, two files of it, and two erasures."""
    _forget(cloud)
    assert journey.run(ARCHIVE_NIGHTLY, EVENT).failures == []
    _work_off(journey, cloud)
    # As if this had been the first that ever was asked for: the API makes the key, too.
    cloud.client("secretsmanager").delete_secret(SecretId=f"{PREFIX}/keys/hashes", ForceDeleteWithoutRecovery=True)
    account = _terms(journey, admin, key)
    _send(journey, cloud, key, account)
    _know(journey, cloud, admin, key, account)
    _fail_over(cloud, account)
    today = datetime.now(UTC).date()
    close = wire.ArchiveWork(id="1", account=account, what="close", day=today.isoformat())
    cloud.send("archives", wire.encode(close))
    _work_off(journey, cloud)
    days = {"date_from": str(today - timedelta(days=6)), "date_to": str(today)}
    (own,) = journey.call(key, ("POST", "/v1/cdr-exports", days))
    of_one, *erased = journey.call(
        admin,
        ("POST", "/v1/admin/cdr-exports", {**days, "account": account}),
        ("POST", "/v1/admin/erasures", {"number": NUMBER}),
        ("POST", "/v1/admin/erasures", {"number": hooks.PERSON}),
        ("GET", "/v1/admin/erasures", None),
    )
    _age(cloud, erased[0]["id"])
    assert journey.run(ARCHIVE_NIGHTLY, EVENT).failures == []
    _work_off(journey, cloud)
    (made,) = journey.call(key, ("GET", f"/v1/cdr-exports/{own['id']}", None))
    full, *told = journey.call(
        admin,
        ("GET", f"/v1/admin/cdr-exports/{of_one['id']}", None),
        *(("GET", f"/v1/admin/erasures/{one['id']}", None) for one in erased[:2]),
    )
    assert made["rows"] == full["rows"] > 3
    assert [one["state"] for one in told] == ["waiting", "waiting"]
    wanted = {"messages", "cdrs", "contacts", "held", "job_recipients", "dead_letters", "opt_outs_kept", "dnd_kept"}
    assert wanted <= told[0]["did"].keys(), told
    assert {"inbound", "webhook_deliveries"} <= told[1]["did"].keys(), told
    _forget(cloud)


def _forget(cloud: Cloud) -> None:
    """What others left on the queues."""
    for queue in QUEUES:
        cloud.take_all(queue)


def _terms(journey: Journey, admin: str, key: str) -> str:
    """From now on no text of the account is noted; its id."""
    (own,) = journey.call(key, ("GET", "/v1/account", None))
    path = f"/v1/admin/accounts/{own['id']}"
    (held,) = journey.call(admin, ("GET", path, None))
    journey.call(admin, ("PUT", path, {"name": "Acme", "version": held["version"], "text_retention": "hash"}))
    return str(own["id"])


def _send(journey: Journey, cloud: Cloud, key: str, account: str) -> None:
    """Messages that are charged, whose time has come, that wait for it, that are held; and an answer to what came."""
    body = {"to": NUMBER, "from": "Acme", "text": "Hello"}
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3_600))
    _, due, waits = journey.call(
        key,
        ("POST", "/v1/messages", {**body, "to": hooks.PERSON}),
        ("POST", "/v1/messages", {**body, "send_at": later}),
        ("POST", "/v1/messages", {**body, "send_at": later}),
    )
    dynamodb = cloud.client("dynamodb")
    dynamodb.update_item(
        TableName=f"{PREFIX}-scheduled",
        Key={"id": {"S": due["id"]}},
        UpdateExpression="SET due_ms = :now",
        ExpressionAttributeValues={":now": {"N": "1"}},
    )
    # Somebody who was to cancel it has died over that.
    claim = {"id": {"S": waits["id"].removeprefix("msg_")}, "by": {"S": CANCEL}, "at_ms": {"N": "1"}}
    dynamodb.put_item(TableName=f"{PREFIX}-dispatches", Item={**claim, "expires": {"N": "9999999999"}})
    assert journey.run(campaigns.TICK, EVENT).failures == []
    assert journey.run(ROUTE, cloud.receive("accepted")).failures == []
    draft = smpp_draft(NUMBER, "Hello")
    held = wire.Routed(draft=draft, refusal=by_content("spm_1", hold=True))
    cloud.send(
        "billing",
        wire.encode(wire.RoutedBundle(id=draft.id.removeprefix("msg_"), account=account, messages=(held,))),
    )
    assert journey.run(CHARGE, cloud.receive("billing")).failures == []
    somebody = msgspec.structs.replace(hooks._written("hola"), sender="+34600000021")
    cloud.send("inbound", wire.encode(wire.InboundBundle(id="a", came=(somebody,))))
    assert journey.run(hooks.RECEIVE, cloud.receive("inbound")).failures == []
    _forget(cloud)


def _fail_over(cloud: Cloud, account: str) -> None:
    """A message that another gateway took than it was charged for: what that one costs, the rules of then say."""
    draft = smpp_draft("+34600000022", "Hello")
    on: dict[str, Any] = {"gateway": "another", "smsc_message_id": "A1", "session": "s"}
    queued = Queued(at_ms=draft.at_ms, content=draft.content, gateway=GATEWAY, route="rte_1", operator="Movistar ES",
                    price_micros=1, charge_micros=0, rules=1, bundle=draft.id, why="a test", cost_micros=1)  # fmt: skip
    facts = queued, Submitted(at_ms=draft.at_ms, part=1, parts=1, **on)
    items = [messages._item(Noted(account, draft.id, fact, 90)).serialize() for fact in facts]
    cloud.client("dynamodb").batch_write_item(
        RequestItems={f"{PREFIX}-messages": [{"PutRequest": {"Item": item}} for item in items]}
    )


def _know(journey: Journey, cloud: Cloud, admin: str, key: str, account: str) -> None:
    """A contact in a group, lists that it is on, a job to it with a file of results, and a record that failed."""
    group, job = journey.call(
        key,
        ("POST", "/v1/groups", {"name": "Erased"}),
        ("POST", "/v1/jobs", {"recipients": [{"to": NUMBER}], "text": "Hello", "from": "Acme", "dry_run": True}),
    )
    journey.call(
        key,
        ("POST", "/v1/contacts", {"number": NUMBER, "name": "Ana", "group_ids": [group["id"]]}),
        ("POST", "/v1/opt-outs", {"number": NUMBER}),
    )
    journey.call(admin, ("POST", "/v1/admin/dnd", {"number": NUMBER}))
    campaigns.work_off(journey, cloud)
    for name in ("results-1.csv", f"1/{job_files.CHECKPOINT}"):  # of a reading that died
        path = f"jobs/{account}/{job['id']}/{name}"
        cloud.client("s3").put_object(Bucket=f"{PREFIX}-jobs", Key=path, Body=NUMBER.encode())
    draft = smpp_draft(NUMBER, "Hello")
    failed = wire.AcceptedBundle(id=draft.id.removeprefix("msg_"), account=account, messages=(draft,))
    cloud.send("dead", wire.encode(failed))
    assert journey.run(SHELVE, cloud.receive("dead")).failures == []
    _forget(cloud)


def _age(cloud: Cloud, erasure: str) -> None:
    """Its record was lost a day ago."""
    row = cloud.client("dynamodb").get_item(TableName=f"{PREFIX}-erasures", Key={"id": {"S": erasure}})["Item"]
    body: dict[str, Any] = json.loads(row["body"]["S"]) | {"next_ms": 1}
    cloud.client("dynamodb").put_item(TableName=f"{PREFIX}-erasures", Item={**row, "body": {"S": json.dumps(body)}})


def _work_off(journey: Journey, cloud: Cloud) -> None:
    """Run the function until nothing comes any more, the first time with a record that is no bundle."""
    cloud.send("archives", "no bundle")
    while (event := cloud.receive("archives"))["Records"]:
        for record in event["Records"]:
            assert journey.run(ARCHIVE, {"Records": [record]}).failures == []
    cloud.take_all("archives")
