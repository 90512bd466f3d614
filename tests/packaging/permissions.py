"""Which IAM actions an AWS call needs, and whether a policy allows them."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

# Where the action is not called as the operation is.
RENAMED: Final = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
}
TRANSACTED: Final = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
PLACE: Final = "eu-west-1:123456789012"


class Need(NamedTuple):
    """An action on a resource."""

    action: str
    resource: str


def needs(call: dict[str, Any]) -> Iterator[Need]:  # noqa: PLR0912 - a case a service
    """What one recorded call needs to be allowed."""
    service, operation, params = call["service"], call["operation"], call["params"]
    action = RENAMED.get(f"{service}:{operation}", f"{service}:{operation}")
    match service:
        case "dynamodb" if "TransactItems" in params:
            for item in params["TransactItems"]:
                for kind, part in item.items():
                    yield Need(f"dynamodb:{TRANSACTED[kind]}", _table(part["TableName"]))
        case "dynamodb" if "RequestItems" in params:
            for table in params["RequestItems"]:
                yield Need(action, _table(table))
        case "dynamodb":
            index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
            yield Need(action, _table(params["TableName"]) + index)
        case "sqs":
            queue = params.get("QueueName") or params["QueueUrl"].rpartition("/")[2]
            yield Need(action, f"arn:aws:sqs:{PLACE}:{queue}")
        case "s3":
            key = f"/{params['Key']}" if "Key" in params else ""
            yield Need(action, f"arn:aws:s3:::{params['Bucket']}{key}")
        case "secretsmanager":
            # AWS adds a hyphen and six characters to a secret's name.
            yield Need(
                action, f"arn:aws:secretsmanager:{PLACE}:secret:{params.get('Name') or params['SecretId']}-a1b2c3"
            )
        case "sesv2":  # docs.aws.amazon.com/service-authorization: a raw message wants both, on whatever it goes out by
            for raw in ("SendEmail", "SendRawEmail"):
                for by in ("identity/chasqui.example", f"configuration-set/{params['ConfigurationSetName']}"):
                    yield Need(f"ses:{raw}", f"arn:aws:ses:{PLACE}:{by}")
        case _:
            yield Need(action, "*")


def grants(policy: dict[str, Any]) -> list[Need]:
    """What the policy allows, action by action and pattern by pattern. It has neither conditions nor denials."""
    return [
        Need(action, pattern)
        for statement in policy["Statement"]
        for action in _each(statement["Action"])
        for pattern in _each(statement["Resource"])
        if statement["Effect"] == "Allow"
    ]


def covers(grant: Need, need: Need) -> bool:
    """Whether the grant is for the need."""
    return grant.action == need.action and fnmatchcase(need.resource, grant.resource)


def allows(policy: dict[str, Any], need: Need) -> bool:
    """Whether the policy has a grant for the need."""
    return any(covers(grant, need) for grant in grants(policy))


def _each(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _table(name: str) -> str:
    return f"arn:aws:dynamodb:{PLACE}:table/{name}"
