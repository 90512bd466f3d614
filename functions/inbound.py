"""The function behind ⟨inbound⟩: take what people wrote."""

from chalice.app import Blueprint, SQSEvent

from chalicelib.services import receive as service
from chalicelib.settings import settings
from chalicelib.store import queues
from chalicelib.wire import InboundBundle
from functions import records

bp = Blueprint(__name__)


# The name is needed when Chalice packages, and is what the stage's environment says then.
@bp.on_sqs_message(queue=f"{settings().prefix}-{queues.INBOUND}", batch_size=queues.BATCH)
def receive(event: SQSEvent) -> None:
    """Take the event's messages, and parts of messages."""
    records.process(event, queues.INBOUND, InboundBundle, service.receive)
