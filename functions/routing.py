"""The function behind ⟨accepted⟩: route each bundle."""

from chalice.app import Blueprint, SQSEvent

from chalicelib.services import route as service
from chalicelib.settings import settings
from chalicelib.store import queues
from chalicelib.wire import AcceptedBundle
from functions import records

bp = Blueprint(__name__)


# The name is needed when Chalice packages, and is what the stage's environment says then.
@bp.on_sqs_message(queue=f"{settings().prefix}-{queues.ACCEPTED}", batch_size=queues.BATCH)
def route(event: SQSEvent) -> None:
    """Route the event's bundles."""
    records.process(event, queues.ACCEPTED, AcceptedBundle, service.route)
