"""The function behind ⟨outcomes⟩: settle each bundle."""

from chalice.app import Blueprint, SQSEvent

from chalicelib.services import settle as service
from chalicelib.settings import settings
from chalicelib.store import queues
from chalicelib.wire import OutcomeBundle
from functions import records

bp = Blueprint(__name__)


# The name is needed when Chalice packages, and is what the stage's environment says then.
@bp.on_sqs_message(queue=f"{settings().prefix}-{queues.OUTCOMES}", batch_size=queues.BATCH)
def settle(event: SQSEvent) -> None:
    """Settle the event's bundles."""
    records.process(event, queues.OUTCOMES, OutcomeBundle, service.settle)
