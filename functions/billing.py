"""The function behind ⟨billing⟩: charge each bundle."""

from chalice.app import Blueprint, SQSEvent

from chalicelib.services import charge as service
from chalicelib.settings import settings
from chalicelib.store import queues
from chalicelib.wire import RoutedBundle
from functions import records

bp = Blueprint(__name__)


# The name is needed when Chalice packages, and is what the stage's environment says then.
@bp.on_sqs_message(queue=f"{settings().prefix}-{queues.BILLING}", batch_size=queues.BATCH)
def charge(event: SQSEvent) -> None:
    """Charge the event's bundles."""
    records.process(event, queues.BILLING, RoutedBundle, service.charge)
