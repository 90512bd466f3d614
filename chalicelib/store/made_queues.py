"""The queues that come with what they are for: a gateway's, and an SMPP login's. The others are the stack's."""

import json
from contextlib import suppress
from typing import Any, Final

from chalicelib.settings import settings
from chalicelib.store import aws, queues

GATEWAY_VISIBILITY_SECONDS: Final = 120  # a bridge that shows no sign of life for so long has lost the record
ESME_VISIBILITY_SECONDS: Final = 60  # the same; nobody else gets anything of the login's meanwhile
RETENTION_SECONDS: Final = 14 * 86_400


def create_gateway_queues(gateway: str) -> None:
    """Make the queues of a gateway, normal and bulk. Making them again is fine."""
    dead = _sqs().get_queue_attributes(QueueUrl=queues.url(queues.DEAD), AttributeNames=["QueueArn"])["Attributes"]
    redrive = json.dumps({"deadLetterTargetArn": dead["QueueArn"], "maxReceiveCount": queues.RECEIVES_BEFORE_DEAD})
    for priority in ("normal", "bulk"):
        _sqs().create_queue(
            QueueName=f"{settings().prefix}-{queues.gateway_queue(gateway, priority)}",
            Attributes={
                "VisibilityTimeout": str(GATEWAY_VISIBILITY_SECONDS),
                "MessageRetentionPeriod": str(RETENTION_SECONDS),
                "SqsManagedSseEnabled": "true",
                "RedrivePolicy": redrive,
            },
        )


def create_esme_queue(login: str) -> None:
    """Make the queue of an SMPP login. Making it again is fine; it keeps the days that it was made with.

    It has no dead-letter queue, which would have to be FIFO too: what a customer has not taken in
    `settings().esme_retention_days` (1 to 14, by SQS) is gone; a record that cannot be read the bridge buries itself.
    """
    with suppress(_sqs().exceptions.QueueNameExists):
        _sqs().create_queue(
            QueueName=f"{settings().prefix}-{queues.esme_queue(login)}",
            Attributes={
                "FifoQueue": "true",
                "ContentBasedDeduplication": "false",
                "VisibilityTimeout": str(ESME_VISIBILITY_SECONDS),
                "MessageRetentionPeriod": str(settings().esme_retention_days * 86_400),
                "SqsManagedSseEnabled": "true",
            },
        )


def _sqs() -> Any:
    return aws.client("sqs")
