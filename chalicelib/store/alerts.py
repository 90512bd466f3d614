"""How far the telling of what lasts has got, a row each."""

from typing import Final

import msgspec

from chalicelib.domain.alert import Alert
from chalicelib.store import dynamo
from chalicelib.store.rows import MUST_BE_NEW, Row, Rows, RowTable


class AlertTable(RowTable):
    class Meta:
        suffix = "alerts"


_rows: Final = Rows(AlertTable, Alert, lambda alert: alert.id)
_decoder: Final = msgspec.json.Decoder(Alert)


def get_all(ids: list[str]) -> dict[str, Row[Alert]]:
    """The alerts by id, 100 a request; those that were never written stand at version 0.

    Perhaps as they were a moment ago: then `put` refuses what is made of them.
    """
    items = dynamo.get_all(AlertTable, ids)
    found = {str(item.id): Row(_decoder.decode(item.body), int(item.version)) for item in items}
    return {id_: found.get(id_) or Row(Alert(id=id_), MUST_BE_NEW) for id_ in ids}


def put(alert: Alert, over: int) -> bool:
    """Write the alert over that version. False where another round was here."""
    return _rows.put(alert, expected=over)
