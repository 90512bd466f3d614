"""Webhooks of an account: where its events go, how often each is tried, and what an attempt's answer means."""

from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from chalicelib.domain.public_address import refusal

MAX_ENDPOINTS: Final = 20  # of an account: each event is signed and sent once for each
MAX_URL: Final = 2_000  # characters
CALLBACKS: Final = "callbacks"  # stands for an endpoint's id where a message named its own callback_url
ROTATION_SECONDS: Final = 86_400  # for so long the secret before signs too
# Standard Webhooks 1.0, "Deliverability and reliability": how long after the attempt before each one comes.
WAITS_SECONDS: Final = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
JITTER: Final = 0.1  # of a wait: those that failed together do not come again together
MAX_RETRY_AFTER_SECONDS: Final = 86_400
FAILING_MS: Final = 86_400_000  # an endpoint that took nothing for so long is told as failing
_TOO_MANY: Final = frozenset({429, 503})  # RFC 6585, 4, and RFC 9110, 15.6.4: with Retry-After
_GONE: Final = 410


class EventType(StrEnum):
    """What may be told."""

    SUBMITTED = "message.submitted"
    DELIVERED = "message.delivered"
    UNDELIVERED = "message.undelivered"
    EXPIRED = "message.expired"
    REJECTED = "message.rejected"
    FAILED = "message.failed"
    CANCELED = "message.canceled"
    UNKNOWN = "message.unknown"
    RECEIVED = "message.received"
    TEST = "webhook.test"


SUBSCRIBABLE: Final = tuple(kind for kind in EventType if kind is not EventType.TEST)  # a test comes when asked for
EndpointState = Literal["active", "disabled"]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where events of an account go. Its secret is kept elsewhere (store.secrets)."""

    id: str
    url: str
    created_ms: int
    events: tuple[EventType, ...] = SUBSCRIBABLE
    description: str = ""
    state: EndpointState = "active"
    disabled_why: str = ""  # said where Chasqui did it
    rotated_ms: int = 0

    def wants(self, kind: EventType) -> bool:
        return self.state == "active" and (kind in self.events or kind is EventType.TEST)


class Webhooks(msgspec.Struct, frozen=True, kw_only=True):
    """All endpoints of an account, oldest first. Few, and read together: they are one row."""

    account: str
    endpoints: tuple[Endpoint, ...] = ()

    def endpoint(self, id_: str) -> Endpoint | None:
        """The endpoint of that id. CALLBACKS: the one whose secret signs what goes to callback URLs."""
        if id_ == CALLBACKS:
            return next((one for one in self.endpoints if one.state == "active"), None)
        return next((one for one in self.endpoints if one.id == id_), None)


class Secret(msgspec.Struct, frozen=True):
    """A signing secret, and until when it signs (epoch ms; None: it is the newest)."""

    value: str
    until_ms: int | None = None


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How an endpoint has fared of late. Instants in epoch ms; 0: never."""

    slow_until_ms: int = 0  # it timed out: what is for it waits in a lane of its own
    rest_until_ms: int = 0  # it asked to be left alone
    failing_since_ms: int = 0  # of the first failure after the last success
    told_ms: int = 0  # when its failing for a day was told


class BadUrl(ValueError):
    """The URL cannot be called."""


def check_url(url: str, *, local: bool = False) -> str:
    """The URL itself. https, a host that is no private address, no credentials. Raises BadUrl.

    Where the host's name leads is looked at when it is called, each time. `local`: http and loopback too.
    """
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise BadUrl(f"a URL has at most {MAX_URL} visible ASCII characters; write other names in Punycode")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadUrl("not a URL") from None
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise BadUrl("https is wanted")
    if not host or port == 0 or parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise BadUrl("a host is wanted, without user and password")
    if parts.fragment:
        raise BadUrl("a fragment means nothing to a server")
    if not local and (host == "localhost" or host.endswith((".localhost", ".local", ".internal"))):
        raise BadUrl("the host is not on the public internet")
    why = refusal(host, loopback=local)
    if why is not None and why != "no address":
        raise BadUrl(f"the address is not on the public internet: {why}")
    return url


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What one attempt came to. `status` is None where there was no HTTP answer; then `reason` says why."""

    status: int | None = None
    reason: str = ""  # 'timeout', 'refused address: private', 'TLS: …'
    excerpt: str = ""  # the beginning of the body
    retry_after: str = ""  # the header as it came
    milliseconds: int = 0
    timed_out: bool = False

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        return self.status == _GONE


def rest_ms(answer: Answer, now_ms: int) -> int:
    """For how many milliseconds the endpoint asked to be left alone (RFC 9110, 10.2.3); 0 where it did not."""
    if answer.status not in _TOO_MANY or not answer.retry_after:
        return 0
    given = answer.retry_after.strip()
    if given.isascii() and given.isdigit() and len(given) < 10:
        seconds = float(given)
    else:
        try:
            seconds = parsedate_to_datetime(given).timestamp() - now_ms / 1000
        except (ValueError, OverflowError):
            return 0
    return round(1000 * min(max(0.0, seconds), MAX_RETRY_AFTER_SECONDS))


def wait_ms(attempts: int, answer: Answer, now_ms: int, chance: float) -> int | None:
    """How long after attempt number `attempts` (from 1) the next comes; None: that was the last.

    With jitter by `chance` (0 to 1), and never before the endpoint asked for.
    """
    if attempts >= len(WAITS_SECONDS) or answer.gone:
        return None
    planned = WAITS_SECONDS[attempts] * 1000
    return max(round(planned * (1 + JITTER * chance)), rest_ms(answer, now_ms))
