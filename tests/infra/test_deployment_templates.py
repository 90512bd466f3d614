"""infra/bridge.yaml and infra/alarms.yaml, held against the data template and against what a bridge may be."""

from pathlib import Path
from typing import Any

from cfnlint.decode.cfn_yaml import load  # type: ignore[import-untyped]

from chalicelib.settings import Settings
from functions import metrics

INFRA = Path(__file__).parents[2] / "infra"
ALARMS: dict[str, Any] = load(str(INFRA / "alarms.yaml"))
BRIDGE: dict[str, Any] = load(str(INFRA / "bridge.yaml"))
DATA: dict[str, Any] = load(str(INFRA / "data.yaml"))


def _alarms() -> list[dict[str, Any]]:
    """Every alarm, those of a loop once with `${…}` in their names."""
    found = []
    for name, resource in ALARMS["Resources"].items():
        resources = resource[2].values() if name.startswith("Fn::ForEach") else [resource]
        found += [each for each in resources if each["Type"] == "AWS::CloudWatch::Alarm"]
    return found


def _watched(metric: str) -> set[str]:
    """The queues that an alarm on that metric watches, without the prefix."""
    queues = set()
    for name, resource in ALARMS["Resources"].items():
        looped = name.startswith("Fn::ForEach")
        alarm = next(iter(resource[2].values())) if looped else resource
        if alarm["Properties"].get("MetricName") != metric:
            continue
        queue = alarm["Properties"]["Dimensions"][0]["Value"]["Fn::Sub"].removeprefix("${Prefix}-")
        over = resource[1] if looped and isinstance(resource[1], list) else [""]
        queues |= {queue.replace("${Queue}", each) for each in over}
    return queues


def test_every_queue_is_watched_for_age() -> None:
    queues = {
        resource["Properties"]["QueueName"]["Fn::Sub"].removeprefix("${Prefix}-")
        for resource in DATA["Resources"].values()
        if resource["Type"] == "AWS::SQS::Queue"
    }
    assert _watched("ApproximateAgeOfOldestMessage") == queues | {"gateway-${Gateway}"}


def test_a_dead_letter_is_an_alarm_by_the_figure_that_its_function_counts(environment: Settings) -> None:
    alarm = ALARMS["Resources"]["DeadLetters"]["Properties"]
    (counted,) = metrics.line(DeadLetters=1)["_aws"]["CloudWatchMetrics"]  # type: ignore[index]
    assert (alarm["Namespace"], {alarm["MetricName"]}) == (
        counted["Namespace"],
        {m["Name"] for m in counted["Metrics"]},
    )
    assert [[one["Name"] for one in alarm["Dimensions"]]] == counted["Dimensions"]


def test_every_alarm_tells_somebody_and_says_when_it_is_over() -> None:
    assert len(_alarms()) >= 7
    for alarm in _alarms():
        assert alarm["Properties"]["AlarmActions"] == alarm["Properties"]["OKActions"] == [{"Ref": "Topic"}]
        assert alarm["Properties"]["AlarmDescription"]


def test_silence_is_an_alarm_for_the_bridge_alone() -> None:
    breaching = [a for a in _alarms() if a["Properties"]["TreatMissingData"] == "breaching"]
    assert [alarm["Properties"]["MetricName"] for alarm in breaching] == ["RunningTaskCount"]


def test_nobody_can_connect_to_the_bridge() -> None:
    group = BRIDGE["Resources"]["SecurityGroup"]["Properties"]
    assert "SecurityGroupIngress" not in group
    kinds = {resource["Type"] for resource in BRIDGE["Resources"].values()}
    assert "AWS::EC2::SecurityGroupIngress" not in kinds
    assert not any(kind.startswith("AWS::ElasticLoadBalancing") for kind in kinds)


def test_the_old_bridge_ends_before_the_new_one_binds() -> None:
    deployment = BRIDGE["Resources"]["Service"]["Properties"]["DeploymentConfiguration"]
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (0, 100)


def test_the_bridge_may_do_nothing_outside_its_prefix() -> None:
    statements = BRIDGE["Resources"]["TaskRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    for statement in statements:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert all("*" not in action for action in actions)
        assert "${Prefix}" in statement["Resource"]["Fn::Sub"]
