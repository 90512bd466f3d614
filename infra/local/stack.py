"""The stack of a stage, made from infra/data.yaml in whatever answers at the endpoint."""

from contextlib import suppress
from typing import Final

from chalicelib.store import aws
from infra.local.place import ROOT

TEMPLATE: Final = ROOT / "infra" / "data.yaml"


def create(prefix: str) -> bool:
    """Create the stack `<prefix>-data`; True once it stands. Raises botocore's WaiterError where it fails."""
    formation = aws.client("cloudformation")
    name = f"{prefix}-data"
    with suppress(formation.exceptions.AlreadyExistsException):  # on a busy machine the client asks twice
        formation.create_stack(
            StackName=name,
            TemplateBody=TEMPLATE.read_text(),
            Parameters=[{"ParameterKey": "Prefix", "ParameterValue": prefix}],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
    formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return True
