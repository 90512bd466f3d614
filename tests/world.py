"""AWS in this process (moto) with the stack of infra/data.yaml: made once, emptied for each test."""

from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import boto3
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sqs.models import sqs_backends

from chalicelib.store import aws as aws_clients
from chalicelib.store import cached, dynamo, queues, rules
from infra.local import moto_pace, moto_writes
from tests.calls import call_sooner

PREFIX: Final = "chq-test"
REGION: Final = "eu-west-1"
TEMPLATE: Final = Path(__file__).parent.parent / "infra" / "data.yaml"
moto_pace.answer_sooner()
moto_pace.read_one_partition_a_query()
moto_pace.undo_only_what_a_transaction_touched()
moto_writes.write_sooner()
call_sooner()
_made: Final[dict[str, dict[str, Any]]] = {}  # the queues of the stack, with the attributes that it gave them


@contextmanager
def empty_aws() -> Iterator[None]:
    """The stack with nothing in it, and a process that remembers nothing. Wants the fixture `environment`."""
    mock = mock_aws()
    mock.start(reset=False)
    try:
        if _made and f"{PREFIX}-ledger" in dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables:
            _empty()
        else:  # the first here, or another test's mock_aws has wiped all out
            _make()
        forget()
        yield
    finally:
        forget()
        mock.stop(remove_data=False)


def cold_start() -> None:
    """Forget what the process has learned so far, as a new one would not know it, and its AWS clients."""
    aws_clients.forget_clients()
    forget()


def forget() -> None:
    """Know nothing, as a new process would, but for the AWS clients: to make them takes longer than most tests."""
    dynamo.connection.cache_clear()
    queues.forget()
    rules.forget()
    cached.forget_all()


def wipe_out() -> None:
    """Leave nothing of moto's in this process, for tests that serve it themselves."""
    _made.clear()
    mock_aws().reset()


def stack_queues() -> Set[str]:
    """The names of the stack's own queues."""
    return _made.keys()


def _make() -> None:
    wipe_out()
    cloudformation: Any = boto3.client("cloudformation", region_name=REGION)
    cloudformation.create_stack(
        StackName=PREFIX,
        TemplateBody=TEMPLATE.read_text(),
        Parameters=[{"ParameterKey": "Prefix", "ParameterValue": PREFIX}],
    )
    for name, queue in sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues.items():
        _made[name] = {field: value for field, value in vars(queue).items() if isinstance(value, int | str)}


def _empty() -> None:
    tables: Any = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables
    for table in tables.values():
        table.items.clear()
    kept: Any = sqs_backends[DEFAULT_ACCOUNT_ID][REGION].queues
    for name in [name for name in kept if name not in _made]:
        del kept[name]
    for name, queue in kept.items():
        queue._messages = []
        queue._pending_messages = set()
        queue.deleted_messages = set()
        vars(queue).update(_made[name])
    secretsmanager_backends[DEFAULT_ACCOUNT_ID][REGION].secrets.clear()
    buckets: Any = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets
    for bucket in buckets.values():
        for key in bucket.keys.values():
            key.dispose()
        bucket.keys.clear()
