"""The figures of the customers' side for Prometheus, read from its own counts when somebody asks."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from smpp_bridge.customers.reception import Reception
from smpp_bridge.customers.server import CustomerServer

PREFIX: Final = "chasqui_bridge_customers_"

# Each by its name: its help, and the value.
_COUNTERS: Final[dict[str, tuple[str, Callable[[CustomerServer], float]]]] = {
    "bans": ("Networks banned for wrong passwords or what is no SMPP.", lambda server: server.shared.gate.bans.total),
    "undelivered": ("deliver_sm without an answer.", lambda server: server.shared.counts.undelivered),
    "violations": (
        "PDUs that cannot be read or are not permitted.",
        lambda server: server.shared.counts.violations,
    ),
    "stalled": ("Sessions ended since the customer did not read.", lambda server: server.shared.counts.stalled),
    "pauses": ("Times that a session was not read for a while.", lambda server: server.shared.counts.pauses),
    "failed_beats": ("Renewals of a session's place that failed.", lambda server: server.shared.counts.failed_beats),
}
_GAUGES: Final[dict[str, tuple[str, Callable[[CustomerServer], float]]]] = {
    "connections": ("Connections of customers, bound or not.", lambda server: server.shared.door.connections),
    "banned": ("Networks that are banned now.", lambda server: server.banned),
}
# Each by its name: its help, the label, and a sample a label.
_LABELLED: Final[dict[str, tuple[str, str, Callable[[CustomerServer], Iterable[tuple[str, float]]]]]] = {
    "turned": (
        "Connections closed before a word was said, by reason.",
        "reason",
        lambda server: server.shared.counts.turned.items(),
    ),
    "binds": ("Binds by command_status.", "command_status", lambda server: _statuses(server.shared.counts.binds)),
    "requests": ("Requests of customers by command.", "command", lambda server: server.shared.counts.requests.items()),
    "responses": (
        "Answers to customers by command_status.",
        "command_status",
        lambda server: _statuses(server.shared.counts.responses),
    ),
    "delivers": (
        "deliver_sm by the command_status of their answers.",
        "command_status",
        lambda server: _statuses(server.shared.counts.delivers),
    ),
}
_OF_RECEPTION: Final[dict[str, tuple[str, Callable[[Reception], float]]]] = {
    "receipts_told": ("Receipts that customers have acknowledged.", lambda reception: reception.outbox.told.receipts),
    "inbound_told": ("Inbound messages so.", lambda reception: reception.outbox.told.inbound),
    "told_again_later": ("Receipts and inbound put off.", lambda reception: reception.outbox.told.put_off),
    "untold": ("Receipts and inbound with the dead letters.", lambda reception: reception.outbox.told.buried),
    "accepts_failed": (
        "Sends of gathered submits that failed.",
        lambda reception: reception.desk.gatherer.failed_sends,
    ),
}
_WAITING: Final[dict[str, tuple[str, Callable[[Reception], float]]]] = {
    "told_waiting": (
        "Receipts and inbound here without an acknowledgement.",
        lambda reception: reception.outbox.waiting,
    ),
    "told_oldest_seconds": (
        "How long the oldest of them has waited.",
        lambda reception: reception.outbox.oldest_seconds,
    ),
}


class CustomerFigures(Collector):
    """To be registered once."""

    def __init__(self, server: CustomerServer, reception: Reception) -> None:
        self._server = server
        self._reception = reception

    def collect(self) -> Iterator[Metric]:
        server = self._server
        for name, (text, value) in _COUNTERS.items():
            yield CounterMetricFamily(PREFIX + name, text, value=value(server))
        for name, (text, told) in _OF_RECEPTION.items():
            yield CounterMetricFamily(PREFIX + name, text, value=told(self._reception))
        for name, (text, value) in _GAUGES.items():
            yield GaugeMetricFamily(PREFIX + name, text, value=value(server))
        for name, (text, waits) in _WAITING.items():
            yield GaugeMetricFamily(PREFIX + name, text, value=waits(self._reception))
        yield GaugeMetricFamily(
            f"{PREFIX}submits_pending",
            "Submits that are not durable yet.",
            value=self._reception.desk.gatherer.pending,
        )
        sessions = GaugeMetricFamily(f"{PREFIX}sessions", "Bound sessions by bind.", labels=["bind"])
        for bind, number in server.sessions.items():
            sessions.add_metric([bind], number)
        yield sessions
        for name, (text, label, samples) in _LABELLED.items():
            counter = CounterMetricFamily(PREFIX + name, text, labels=[label])
            for labelled, count in samples(server):
                counter.add_metric([labelled], count)
            yield counter


def _statuses(counted: dict[int, int]) -> list[tuple[str, float]]:
    return [(f"0x{status:02X}", number) for status, number in counted.items()]
