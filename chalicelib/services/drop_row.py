"""Drop a row that an administrator keeps: a gateway's, a route's, a rule's."""

from typing import TypeVar

import msgspec

from chalicelib.services import record_change
from chalicelib.services.faults import not_found
from chalicelib.store.rows import Rows

S = TypeVar("S", bound=msgspec.Struct)


def drop_row(kind: str, rows: Rows[S], id_: str, what: str = "") -> None:
    """The row is gone. `kind` is what the audit log calls it, `what` what people do. Raises Fault `not_found`."""
    held = rows.get(id_, consistent=True)
    if held is None or not rows.delete(id_):
        raise not_found(what or kind)
    record_change.changed(kind, id_, held.value, None)
