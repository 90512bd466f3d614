"""Mails through the packaged functions: told, addressed, sent, bounced, forwarded, told again, and read in the log."""

import json
import time
from typing import Any, Final

from chalicelib import wire
from chalicelib.domain.mail import Kind, Notice
from tests.packaging import campaigns
from tests.packaging.cloud import PREFIX, Cloud
from tests.packaging.journey import Journey
from tests.packaging.upkeep import EVENT

MAIL: Final = "functions.mails.mail"
MAIL_EVENT: Final = "functions.mails.mail_event"
ALERTS: Final = "functions.mails.alerts"
ON_QUEUES: Final = {MAIL: "mails", MAIL_EVENT: "mail-events"}
SCHEDULES: Final = {ALERTS: "cron(2/5 * * * ? *)"}
FROM: Final = "no-reply@chasqui.example"
READER: Final = "ana@example.com"
DAY_MS: Final = 86_400_000


def write_to_people(journey: Journey, cloud: Cloud, admin: str, key: str) -> None:
    """An owner who is invited, a grant, a forward, a summary, a low balance; a bounce, and a mail once more."""
    cloud.client("sesv2").create_email_identity(EmailIdentity=FROM)
    (own,) = journey.call(key, ("GET", "/v1/account", None))
    account, path = own["id"], f"/v1/admin/accounts/{own['id']}"
    (held,) = journey.call(admin, ("GET", path, None))
    journey.call(
        admin,
        ("POST", "/v1/admin/users", {"account": account, "email": READER, "role": "owner", "name": "Ana"}),
        ("PUT", path, {"name": "Acme", "version": held["version"], "low_credit": "1000000"}),
        ("POST", f"{path}/credits", {"amount": "1", "why": "mail"}),
    )
    _fail_a_job(journey, cloud, key, account)
    _work_off(journey, cloud)
    told = {"address": "books@example.com", "modules": ["credits", "summaries"]}
    (forward,) = journey.call(key, ("POST", "/v1/forwards", told))
    _alert(journey, cloud, account)
    (listed, *_) = journey.call(
        admin,
        ("GET", f"/v1/admin/mails?account={account}", None),
        ("GET", "/v1/admin/mails", None),
        ("GET", f"/v1/admin/mails?address={READER}", None),
    )
    kinds = {one["kind"] for one in listed["data"] if one["state"] == "sent"}
    assert {
        "user_created",
        "credit_granted",
        "job_finished",
        "forward_confirm",
        "low_credit",
        "summary_daily",
    } <= kinds, listed
    granted = next(one["id"] for one in listed["data"] if one["kind"] == "credit_granted")
    _bounce(journey, cloud, granted)
    journey.call(
        admin,
        ("GET", f"/v1/admin/mails/{granted}", None),
        ("GET", "/v1/admin/bad-mailboxes", None),
        ("POST", "/v1/admin/bad-mailboxes/lift", {"address": READER}),
        ("POST", f"/v1/admin/mails/{granted}/resend", None),
    )
    journey.call(
        key,
        ("GET", "/v1/forwards", None),
        ("PUT", f"/v1/forwards/{forward['id']}", {"modules": ["jobs"]}),
        ("DELETE", f"/v1/forwards/{forward['id']}", None),
    )
    _work_off(journey, cloud)


def _fail_a_job(journey: Journey, cloud: Cloud, key: str, account: str) -> None:
    """One whose file has nobody in it."""
    (upload,) = journey.call(key, ("POST", "/v1/uploads", None))
    path = f"uploads/{account}/{upload['id']}"
    cloud.client("s3").put_object(Bucket=f"{PREFIX}-jobs", Key=path, Body=b"phone\nnobody\n")
    journey.call(key, ("POST", "/v1/jobs", {"upload_id": upload["id"], "text": "Hello", "from": "Acme"}))
    campaigns.work_off(journey, cloud)


def _alert(journey: Journey, cloud: Cloud, account: str) -> None:
    """Rounds: the first notes where summaries begin, the second finds yesterday's, with messages in it."""
    assert journey.run(ALERTS, EVENT).failures == []
    _age(cloud, account)
    assert journey.run(ALERTS, EVENT).failures == []
    yesterday = time.strftime("%Y-%m-%d", time.gmtime(time.time() - DAY_MS / 1000))
    row = cloud.client("dynamodb").get_item(TableName=f"{PREFIX}-alerts", Key={"id": {"S": f"summary/{account}"}})
    assert json.loads(row["Item"]["body"]["S"])["day"] <= yesterday
    notice = Notice(
        Kind.SUMMARY_DAILY, "today", account=account, values={"period": time.strftime("%Y-%m-%d", time.gmtime())}
    )
    bundle = wire.MailBundle(id="1", account=account, at_ms=time.time_ns() // 1_000_000, notice=notice)
    cloud.send("mails", wire.encode(bundle))
    _work_off(journey, cloud)


def _age(cloud: Cloud, account: str) -> None:
    """Summaries were told of up to a day long ago."""
    row = {"id": f"summary/{account}", "day": "2020-01-01"}
    item = {"id": {"S": row["id"]}, "body": {"S": json.dumps(row)}, "version": {"N": "7"}}
    cloud.client("dynamodb").put_item(TableName=f"{PREFIX}-alerts", Item=item)


def _bounce(journey: Journey, cloud: Cloud, mail: str) -> None:
    bounce = {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [{"emailAddress": READER}]}
    told: dict[str, Any] = {
        "eventType": "Bounce",
        "mail": {"messageId": "s", "tags": {"mail": [mail]}},
        "bounce": bounce,
    }
    cloud.send("mail-events", json.dumps(told))
    cloud.send("mail-events", "no event")
    assert journey.run(MAIL_EVENT, cloud.receive("mail-events")).failures == []
    cloud.take_all("mail-events")


def _work_off(journey: Journey, cloud: Cloud) -> None:
    """Run the function until nothing comes any more, the first time with a record that is no bundle."""
    cloud.send("mails", "no bundle")
    while (event := cloud.receive("mails"))["Records"]:
        assert journey.run(MAIL, event).failures == []
    cloud.take_all("mails")
