"""The side of the bridge that faces customers, on AWS: the server, what stands behind it, and their threads."""

from collections.abc import Callable

from chalicelib.domain.bind_event import BindEvent
from smpp_bridge.customers.aws import AwsCustomers
from smpp_bridge.customers.aws_submits import AwsSubmits
from smpp_bridge.customers.desk import SubmitDesk
from smpp_bridge.customers.mailbox import AwsMailbox
from smpp_bridge.customers.outbox import Outbox
from smpp_bridge.customers.reception import Reception
from smpp_bridge.customers.server import CustomerServer
from smpp_bridge.customers.terms import CustomerTerms
from smpp_bridge.gateways.clock import Clock


class CustomerSide:
    """`start`, then `stop`. `receive_seconds` is how long a receive waits for records (whole seconds, 0 to 8).

    `note` takes what the bind log is to have.
    """

    def __init__(
        self,
        terms: CustomerTerms,
        clock: Clock,
        *,
        bridge: Callable[[], str],
        receive_seconds: int,
        note: Callable[[BindEvent], None] = lambda _: None,
    ) -> None:
        self._customers = AwsCustomers(clock)
        self._submits = AwsSubmits(clock, join_seconds=terms.join_seconds)
        self._mailbox = AwsMailbox(clock, receive_seconds=receive_seconds)
        self.reception = Reception(SubmitDesk(self._submits, clock), Outbox(self._mailbox, clock=clock))
        self.server = CustomerServer(
            self._customers, self.reception, terms=terms, clock=clock, bridge=bridge, note=note
        )

    async def start(self) -> None:
        """Listen. Raises OSError where a port is taken or the certificate cannot be read."""
        await self.server.start()

    async def stop(self) -> None:
        """Let the customers go in order; see CustomerServer.stop."""
        await self.server.stop()
        self._mailbox.close()
        self._submits.close()
        self._customers.close()
