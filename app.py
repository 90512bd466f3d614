"""The Chalice app: every operation of the API and every function on a queue, registered; nothing else."""

from chalice.app import Chalice

from chalicelib.api import edge
from chalicelib.api.catalogue import CATALOGUE

app = Chalice(app_name="chasqui")
edge.register(app, CATALOGUE)
