"""The Chalice app: every operation of the API and every function on a queue, registered; nothing else."""

from chalice.app import Chalice

from chalicelib.api import edge
from chalicelib.api.catalogue import CATALOGUE
from functions import (
    archiving,
    auditing,
    billing,
    dead_letters,
    delivery,
    inbound,
    jobs,
    logs,
    mails,
    rounds,
    routing,
    waiting,
    webhooks,
)

app = Chalice(app_name="chasqui")
edge.register(app, CATALOGUE, start_logs=logs.start)
for functions in (
    routing,
    billing,
    delivery,
    rounds,
    auditing,
    dead_letters,
    webhooks,
    jobs,
    inbound,
    mails,
    archiving,
    waiting,
):
    app.register_blueprint(functions.bp)
