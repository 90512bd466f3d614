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


def _ingress(group: str) -> dict[str, dict[str, Any]]:
    """What lets somebody into a security group of the bridge's template, by name."""
    assert "SecurityGroupIngress" not in BRIDGE["Resources"][group]["Properties"]
    return {
        name: resource
        for name, resource in BRIDGE["Resources"].items()
        if resource["Type"] == "AWS::EC2::SecurityGroupIngress" and resource["Properties"]["GroupId"] == {"Ref": group}
    }


def test_nobody_but_the_customers_balancer_can_connect_to_the_bridge() -> None:
    let_in = _ingress("SecurityGroup")
    assert {resource["Properties"]["FromPort"] for resource in let_in.values()} == {2775, 8080}
    for resource in let_in.values():
        assert resource["Condition"] == "TakesCustomers"
        assert resource["Properties"]["SourceSecurityGroupId"] == {"Ref": "BalancerSecurityGroup"}
    (mapped,) = [p["ContainerPort"] for p in _container()["PortMappings"] if p["ContainerPort"] != 8080]
    assert mapped == 2775


def test_without_subnets_for_customers_there_is_no_balancer_nor_anything_of_it() -> None:
    of_customers = {
        name: resource
        for name, resource in BRIDGE["Resources"].items()
        if resource["Type"].startswith("AWS::ElasticLoadBalancing")
        or resource["Type"] == "AWS::EC2::SecurityGroupIngress"
        or name == "BalancerSecurityGroup"
    }
    assert len(of_customers) >= 9
    assert all(resource["Condition"].startswith("TakesCustomers") for resource in of_customers.values())


def test_customers_come_by_smpps_own_ports_in_clear_only_where_it_is_allowed() -> None:
    listeners = {
        name: resource["Properties"]
        for name, resource in BRIDGE["Resources"].items()
        if resource["Type"] == "AWS::ElasticLoadBalancingV2::Listener"
    }
    assert {(one["Protocol"], one["Port"]) for one in listeners.values()} == {("TCP", 2775), ("TLS", 3550)}
    assert listeners["TlsListener"]["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2")
    assert {one["Properties"]["FromPort"] for one in _ingress("BalancerSecurityGroup").values()} == {2775, 3550}
    for name in ("PlainListener", "PlainIngress"):
        assert BRIDGE["Resources"][name]["Condition"] == "TakesCustomersPlain"


def test_the_bridge_sees_customers_own_addresses_for_ip_rules_and_bans() -> None:
    attributes = BRIDGE["Resources"]["CustomerTargets"]["Properties"]["TargetGroupAttributes"]
    assert {"Key": "preserve_client_ip.enabled", "Value": "true"} in attributes


def _container() -> dict[str, Any]:
    (container,) = BRIDGE["Resources"]["TaskDefinition"]["Properties"]["ContainerDefinitions"]
    return dict(container)


def test_the_old_bridge_ends_before_the_new_one_binds() -> None:
    deployment = BRIDGE["Resources"]["Service"]["Properties"]["DeploymentConfiguration"]
    assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (0, 100)


def test_the_bridge_may_do_nothing_outside_its_prefix() -> None:
    statements = BRIDGE["Resources"]["TaskRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    for statement in statements:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert all("*" not in action for action in actions)
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        assert all("${Prefix}" in resource["Fn::Sub"] for resource in resources)
