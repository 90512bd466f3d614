"""What one gateway's worker counts: plain integers, since it counts per message; `metrics` reads them when asked."""

from collections import Counter


class Counts:
    """Totals since the process started, but for those said to be of the moment."""

    __slots__ = (
        "bind_refusals",
        "connections",
        "ended",
        "failed_over",
        "inbound",
        "messages",
        "passed",
        "queue_age_seconds",
        "receipts",
        "receipts_put_off",
        "responses",
        "retries",
        "stray_responses",
        "submits",
        "throttle_pauses",
        "unanswered",
        "unreadable_receipts",
        "window_wait_seconds",
        "window_waits",
    )

    def __init__(self) -> None:
        self.messages = 0  # taken from the queue and claimed
        self.submits = 0  # submit_sm sent
        self.responses: Counter[int] = Counter()  # submit_sm_resp by command_status
        self.unanswered = 0
        self.stray_responses = 0
        self.retries = 0
        self.failed_over = 0
        self.passed: Counter[str] = Counter()  # of these: without a try here, by the reason's code
        self.ended: Counter[str] = Counter()  # messages ended by the bridge, by status
        self.receipts: Counter[str] = Counter()  # by state
        self.receipts_put_off = 0  # answered 0x64 because their outcome could not be kept
        self.unreadable_receipts = 0
        self.inbound = 0  # messages from handsets, and parts of such, as they came
        self.window_waits = 0  # how often messages were ready and no session had room
        self.window_wait_seconds = 0.0
        self.throttle_pauses = 0
        self.connections = 0
        self.bind_refusals = 0
        self.queue_age_seconds: dict[str, float] = {}  # of the moment: age of what came last, by queue
