"""infra/mail.yaml leads to the queue of infra/data.yaml, and has SES tell what is read."""

from pathlib import Path
from typing import Any

from cfnlint.decode.cfn_yaml import load  # type: ignore[import-untyped]

from chalicelib.domain import mail_event
from chalicelib.store import queues

INFRA = Path(__file__).parents[2] / "infra"
RESOURCES: dict[str, Any] = load(str(INFRA / "mail.yaml"))["Resources"]


def test_ses_tells_what_is_read_to_the_queue_that_a_function_listens_to() -> None:
    events = RESOURCES["Events"]["Properties"]["EventDestination"]
    assert {kind.lower() for kind in mail_event._KINDS} == set(events["MatchingEventTypes"])
    assert RESOURCES["Subscription"]["Properties"]["Endpoint"]["Fn::Sub"].endswith(f"${{Prefix}}-{queues.MAIL_EVENTS}")
    (queue,) = RESOURCES["QueuePolicy"]["Properties"]["Queues"]
    assert queue["Fn::Sub"].endswith(f"${{Prefix}}-{queues.MAIL_EVENTS}")


def test_ses_itself_holds_back_bounces_alone_since_the_platform_knows_what_a_complaint_means() -> None:
    options = RESOURCES["ConfigurationSet"]["Properties"]
    assert options["SuppressionOptions"] == {"SuppressedReasons": ["BOUNCE"]}
    assert options["DeliveryOptions"] == {"TlsPolicy": "REQUIRE"}
