"""The data template: what moto lets pass silently is asserted on the template itself."""

from pathlib import Path
from typing import Any, Final

import pytest
from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]  # it has no annotations

TEMPLATE: Final = Path(__file__).parents[2] / "infra" / "data.yaml"
RESOURCES: Final[dict[str, Any]] = cfn_yaml.load(str(TEMPLATE))["Resources"]
TABLES: Final = [name for name, one in RESOURCES.items() if one["Type"] == "AWS::DynamoDB::Table"]
QUEUES: Final = [name for name, one in RESOURCES.items() if one["Type"] == "AWS::SQS::Queue"]
FUNCTION_SECONDS: Final = 20  # lambda_timeout of .chalice/config.json
# What can be made again from elsewhere, or is of use for days only.
FLEETING: Final = {
    "Rates",
    "Receipts",
    "Dispatches",
    "Idempotency",
    "WebhookDeliveries",
    "InboundParts",
    "Segments",
    "EsmeSessions",
    "Sessions",
    "LoginGuards",
    "PasswordResets",
    "Binds",
    "GatewayBeats",
    "Ends",
}
OF_THE_MOMENT: Final = {"RuleHits", "Leases", "WebhookHealth", "Alerts"}


def properties(name: str) -> dict[str, Any]:
    found: dict[str, Any] = RESOURCES[name]["Properties"]
    return found


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_paid_by_use_and_named_after_the_stage(table: str) -> None:
    assert properties(table)["BillingMode"] == "PAY_PER_REQUEST"
    assert properties(table)["TableName"]["Fn::Sub"].startswith("${Prefix}-")


@pytest.mark.parametrize("table", sorted(set(TABLES) - FLEETING - OF_THE_MOMENT))
def test_a_table_that_holds_more_than_days_can_be_restored_and_outlives_the_stack(table: str) -> None:
    assert properties(table)["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert RESOURCES[table]["DeletionPolicy"] == RESOURCES[table]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("table", sorted({"Messages", "DeadLetters", *FLEETING}))
def test_what_expires_is_deleted_by_its_attribute(table: str) -> None:
    assert properties(table)["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}


@pytest.mark.parametrize("queue", [name for name in QUEUES if name != "Dead"])
def test_a_record_is_tried_five_times_each_well_after_the_function_ended_then_shown_as_dead(queue: str) -> None:
    assert properties(queue)["VisibilityTimeout"] >= 6 * FUNCTION_SECONDS
    redrive = properties(queue)["RedrivePolicy"]
    assert redrive["maxReceiveCount"] == 5
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["Dead", "Arn"]}


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_keeps_records_for_fourteen_days(queue: str) -> None:
    assert properties(queue)["MessageRetentionPeriod"] == 14 * 86_400
