"""What the SMPP server for customers allows, and for how long it waits: each a setting of the deployment."""

import msgspec

from smpp_bridge.protocol.framing import MAX_PDU_OCTETS
from smpp_bridge.protocol.timers import Timers


class CustomerTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds and counts. 0 switches `enquire_link_seconds` and `inactivity_seconds` off.

    A port of 0 is not listened on. `certificate` and `key` are files (PEM); they are read again when they change.
    """

    hosts: str = "127.0.0.1,::1"  # several with commas; 0.0.0.0,:: listens on all addresses of both kinds
    port: int = 0
    tls_port: int = 0
    certificate: str = ""
    key: str = ""
    session_init_seconds: float = 10.0  # from the connection to the bind, a TLS handshake included
    enquire_link_seconds: float = 30.0  # of silence until the customer is asked whether it is there
    inactivity_seconds: float = 0.0  # without any message either way until we unbind: receivers may wait for days
    response_seconds: float = 30.0  # for deliver_sm_resp, enquire_link_resp, unbind_resp
    drain_seconds: float = 10.0  # for the answers to what is under way, when we unbind
    stall_seconds: float = 30.0  # for a customer that does not read what it is sent
    max_pdu_octets: int = MAX_PDU_OCTETS
    max_connections: int = 2_000
    max_per_address: int = 100  # connections
    max_unbound_per_address: int = 20  # of which are not bound yet
    refusal_seconds: float = 1.0  # until a refused bind is answered; doubled with each wrong password
    ban_failures: int = 10  # wrong passwords, or octets that are no SMPP, within a minute
    ban_seconds: float = 300.0
    remember_seconds: float = 600.0  # for how long a right password is not hashed again
    join_seconds: float = 15.0  # for the parts of a long message to arrive; then those that did are sent as they are

    @property
    def listens(self) -> bool:
        """Whether customers may bind at all."""
        return bool(self.port or self.tls_port)

    def timers(self) -> Timers:
        """As a session wants them."""
        return Timers(
            session_init_seconds=self.session_init_seconds,
            enquire_link_seconds=self.enquire_link_seconds or None,
            inactivity_seconds=self.inactivity_seconds or None,
            response_seconds=self.response_seconds,
        )
