"""What moto passes in silence is read from infra/data.yaml itself: expiry, recovery, dead letters, what is kept."""

import json
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import load  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
TEMPLATE: dict[str, Any] = load(str(ROOT / "infra" / "data.yaml"))
PREFIX = "${Prefix}-"

# Money, messages, and what an administrator typed in: none of it can be made again from anything else.
NEVER_LOST = {"accounts", "api_keys", "wallets", "ledger", "usage", "messages", "gateways", "routes", "numbering"}
NEVER_LOST |= {"rate_plans", "costs", "spam_rules", "sender_rules", "country_rules", "dnd", "opt_outs", "held"}
NEVER_LOST |= {"dead_letters"}  # somebody's messages that wait for a person
NEVER_LOST |= {"smpp_logins"}
NEVER_LOST |= {"users", "user_emails"}
EXPIRING = {"opt_outs", "held", "rates", "messages", "dead_letters", "receipts", "dispatches", "idempotency"}
EXPIRING |= {"esme_sessions"}
EXPIRING |= {"sessions", "login_guards", "password_resets"}
NEVER_LOST |= {"webhooks", "numbers", "inbound"}
EXPIRING |= {"inbound", "inbound_parts", "webhook_deliveries"}
EXPIRING |= {"segments"}
NEVER_LOST |= {"jobs", "job_tallies", "job_controls", "groups", "contacts", "memberships"}
EXPIRING |= {"job_tallies", "job_controls"}
NEVER_LOST |= {"scheduled"}
EXPIRING |= {"scheduled"}
OF_THE_MOMENT = {"rule_hits", "leases"} | {"webhook_health"}
EXPIRING |= {"ends"}
WORK_QUEUES = {"accepted", "billing", "outcomes", "visits", "audits"}
WORK_QUEUES |= {"inbound", "webhooks", "webhooks-slow"}
WORK_QUEUES |= {"jobs"}
NEVER_LOST |= {"mails", "bad_addresses", "mail_forwards"}
EXPIRING |= {"mails"}
OF_THE_MOMENT |= {"alerts"}
NEVER_LOST |= {"audit"}
EXPIRING |= {"audit"}
WORK_QUEUES |= {"mails", "mail-events"}
NEVER_LOST |= {"waiting_orders"}
EXPIRING |= {"waiting_orders", "gateway_beats", "binds"}
NEVER_LOST |= {"day_summaries", "erasures"}
WORK_QUEUES |= {"archives"}


def _named(kind: str, name_property: str) -> dict[str, dict[str, Any]]:
    found = {}
    for resource in TEMPLATE["Resources"].values():
        if resource["Type"] == kind:
            name = resource["Properties"][name_property]["Fn::Sub"]
            assert name.startswith(PREFIX)
            found[name.removeprefix(PREFIX)] = resource
    return found


TABLES = _named("AWS::DynamoDB::Table", "TableName")
QUEUES = _named("AWS::SQS::Queue", "QueueName")
BUCKETS = _named("AWS::S3::Bucket", "BucketName")


def test_the_tables_are_those_that_keep_or_forget() -> None:
    assert set(TABLES) == NEVER_LOST | EXPIRING | OF_THE_MOMENT


@pytest.mark.parametrize("name", sorted(NEVER_LOST))
def test_what_must_not_be_lost_can_be_recovered_and_outlives_its_stack(name: str) -> None:
    table = TABLES[name]
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("name", sorted(TABLES))
def test_only_what_expires_has_an_expiry(name: str) -> None:
    expected = {"AttributeName": "expires", "Enabled": True} if name in EXPIRING else None
    assert TABLES[name]["Properties"].get("TimeToLiveSpecification") == expected


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_table_is_paid_by_request(name: str) -> None:
    assert TABLES[name]["Properties"]["BillingMode"] == "PAY_PER_REQUEST"


def test_one_queue_takes_the_dead_letters_of_all_and_has_none() -> None:
    assert set(QUEUES) == WORK_QUEUES | {"dead"}
    assert "RedrivePolicy" not in QUEUES["dead"]["Properties"]
    for name in WORK_QUEUES:
        redrive = QUEUES[name]["Properties"]["RedrivePolicy"]
        assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["Dead", "Arn"]}
        assert redrive["maxReceiveCount"] == 5


def test_a_record_stays_out_of_sight_for_six_times_its_functions_timeout() -> None:
    config = json.loads((ROOT / ".chalice" / "config.json").read_text())
    for name in QUEUES:
        assert QUEUES[name]["Properties"]["VisibilityTimeout"] >= 6 * config["lambda_timeout"]


def test_dead_letters_are_kept_as_long_as_sqs_keeps_anything() -> None:
    for queue in QUEUES.values():
        assert queue["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600
        assert queue["Properties"]["SqsManagedSseEnabled"] is True


def test_the_published_rules_are_private_and_outlive_their_stack() -> None:
    bucket = BUCKETS["rules"]
    assert bucket["DeletionPolicy"] == "Retain"
    assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())
