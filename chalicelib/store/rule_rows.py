"""Gateways, routes and the numbering plan as they are edited: the rows behind the published snapshot."""

from typing import Final

from pynamodb.attributes import UnicodeAttribute

from chalicelib.domain.rules import Gateway, NumberingPrefix, Route
from chalicelib.store.rows import Rows, RowTable


class GatewayTable(RowTable):
    class Meta:
        suffix = "gateways"


class RouteTable(RowTable):
    class Meta:
        suffix = "routes"


class NumberingTable(RowTable):
    class Meta:
        suffix = "numbering"

    id = UnicodeAttribute(hash_key=True, attr_name="prefix")


gateways: Final = Rows(GatewayTable, Gateway, lambda gateway: gateway.id)
routes: Final = Rows(RouteTable, Route, lambda route: route.id)
numbering: Final = Rows(NumberingTable, NumberingPrefix, lambda line: line.prefix)
