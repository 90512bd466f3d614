"""The bridge's figures for Prometheus, read from the workers' own counts when somebody asks."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from smpp_bridge.gateways.breaker import Circuit
from smpp_bridge.gateways.gathering import OutcomeTimes

if TYPE_CHECKING:
    from smpp_bridge.gateways.supervisor import Supervisor
    from smpp_bridge.gateways.worker import GatewayWorker

PREFIX: Final = "chasqui_bridge_"
_SEND_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


Value = Callable[["GatewayWorker"], float]

# name: (help, value), one sample a gateway
_COUNTERS: Final[dict[str, tuple[str, Value]]] = {
    "messages": ("Messages claimed.", lambda worker: worker.counts.messages),
    "submits": ("submit_sm sent.", lambda worker: worker.counts.submits),
    "unanswered": ("submit_sm without an answer.", lambda worker: worker.counts.unanswered),
    "retries": ("Parts put off to go again.", lambda worker: worker.counts.retries),
    "failed_over": ("Messages handed to another gateway.", lambda worker: worker.counts.failed_over),
    "circuit_trips": ("Times that the circuit breaker tripped.", lambda worker: worker.standing.breaker.trips),
    "throttle_pauses": ("Pauses of a throttled session.", lambda worker: worker.counts.throttle_pauses),
    "window_waits": ("Times that messages were ready and windows full.", lambda worker: worker.counts.window_waits),
    "window_wait_seconds": ("For how long so.", lambda worker: worker.counts.window_wait_seconds),
    "connections": ("Connections made.", lambda worker: worker.counts.connections),
    "bind_refusals": ("Binds refused.", lambda worker: worker.counts.bind_refusals),
    "stray_responses": ("Responses to nothing.", lambda worker: worker.counts.stray_responses),
    "receipts_put_off": ("Receipts answered 0x64.", lambda worker: worker.counts.receipts_put_off),
    "unreadable_receipts": ("Receipts without id or state.", lambda worker: worker.counts.unreadable_receipts),
    "inbound": ("Inbound messages, or parts of such, taken.", lambda worker: worker.counts.inbound),
}
_GAUGES: Final[dict[str, tuple[str, Value]]] = {
    "in_flight": ("submit_sm that wait for their answer.", lambda worker: worker.submitter.in_flight),
    "ready": ("Messages that wait for window or rate.", lambda worker: len(worker.submitter.backlog)),
    "put_off": ("Parts that wait for their retry.", lambda worker: worker.submitter.backlog.put_off),
    "held": ("Messages taken from the queue and not through.", lambda worker: worker.intake.held_messages),
    "circuit_open": ("Whether it lets no submits through.", lambda worker: worker.standing.circuit is Circuit.OPEN),
    "rate": ("submit_sm a second that are allowed.", lambda worker: worker.submitter.rate),
    "bound_sessions": ("Session slots that are bound.", lambda worker: sum(slot.bound for slot in worker.slots)),
    "held_sessions": ("Session slots that this bridge holds.", lambda worker: len(worker.slots)),
    "sessions": ("Session slots of all bridges.", lambda worker: worker.gateway.sessions),
}
# name: (help, label, samples), several a gateway
_LABELLED: Final[dict[str, tuple[str, str, Callable[["GatewayWorker"], Iterable[tuple[str, float]]]]]] = {
    "responses": (
        "submit_sm_resp by command_status.",
        "command_status",
        lambda worker: [(f"0x{status:02X}", count) for status, count in worker.counts.responses.items()],
    ),
    "receipts": ("Receipts by state.", "state", lambda worker: worker.counts.receipts.items()),
    "passed_on": (
        "Messages handed to another gateway without a try here, by reason.",
        "reason",
        lambda worker: worker.counts.passed.items(),
    ),
    "ended": ("Messages ended by the bridge, by status.", "status", lambda worker: worker.counts.ended.items()),
}


class _OfWorkers(Collector):
    def __init__(self, supervisor: "Supervisor") -> None:
        self._supervisor = supervisor

    def collect(self) -> Iterator[Metric]:
        workers = self._supervisor.workers.items()
        for name, (text, value) in _COUNTERS.items():
            counter = CounterMetricFamily(PREFIX + name, text, labels=["gateway"])
            for gateway, worker in workers:
                counter.add_metric([gateway], value(worker))
            yield counter
        for name, (text, value) in _GAUGES.items():
            gauge = GaugeMetricFamily(PREFIX + name, text, labels=["gateway"])
            for gateway, worker in workers:
                gauge.add_metric([gateway], value(worker))
            yield gauge
        for name, (text, label, samples) in _LABELLED.items():
            counter = CounterMetricFamily(PREFIX + name, text, labels=["gateway", label])
            for gateway, worker in workers:
                for labelled, number in samples(worker):
                    counter.add_metric([gateway, labelled], number)
            yield counter
        yield from self._of_queues_and_links()
        yield from self._of_leases()
        yield from self._of_outcomes()

    def _of_queues_and_links(self) -> Iterator[Metric]:
        age = GaugeMetricFamily(
            f"{PREFIX}queue_age_seconds", "How long the oldest of the last receive had waited.", labels=["queue"]
        )
        silence = GaugeMetricFamily(
            f"{PREFIX}seconds_since_receipt", "Since the last receipt, or the bind.", labels=["gateway", "session"]
        )
        for gateway, worker in self._supervisor.workers.items():
            for queue, seconds in worker.counts.queue_age_seconds.items():
                age.add_metric([queue], seconds)
            for session, seconds in worker.receipt_silence().items():
                silence.add_metric([gateway, session], seconds)
        yield age
        yield silence

    def _of_leases(self) -> Iterator[Metric]:
        keeper = self._supervisor.keeper
        yield GaugeMetricFamily(f"{PREFIX}lease", "Whether this bridge may submit by its lease.", value=keeper.sure)
        yield GaugeMetricFamily(f"{PREFIX}bridges", "Bridges that share the gateways' sessions.", value=keeper.bridges)
        yield CounterMetricFamily(
            f"{PREFIX}lease_renewals_failed", "Renewals of the lease that failed.", value=keeper.failed_renewals
        )
        yield CounterMetricFamily(
            f"{PREFIX}leases_lost", "Times that all sessions had to be given up.", value=keeper.times_lost
        )

    def _of_outcomes(self) -> Iterator[Metric]:
        pending = GaugeMetricFamily(f"{PREFIX}outcomes_pending", "Outcomes that are not durable yet.", labels=["of"])
        failed = CounterMetricFamily(f"{PREFIX}outcome_sends_failed", "Sends of outcomes that failed.", labels=["of"])
        gathering = self._supervisor.gathering
        for name, gatherer in (("submits", gathering.outcomes), ("receipts", gathering.receipts)):
            pending.add_metric([name], gatherer.pending)
            failed.add_metric([name], gatherer.failed_sends)
        yield pending
        yield failed


class Metrics:
    """`times` goes to the supervisor, which then is to be given to `watch`."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        histogram = Histogram(
            f"{PREFIX}outcome_send_seconds",
            "Until a send of outcomes was durable.",
            ["of"],
            registry=self._registry,
            buckets=_SEND_BUCKETS,
        )
        self.times = OutcomeTimes(histogram.labels("submits").observe, histogram.labels("receipts").observe)

    def watch(self, supervisor: "Supervisor") -> None:
        """Show its workers' figures."""
        self._registry.register(_OfWorkers(supervisor))

    def add(self, collector: Collector) -> None:
        """Show what it collects, too."""
        self._registry.register(collector)

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)
