"""What the server for customers counts, for metrics: plain numbers that only grow."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class CustomerCounts:
    """`pauses`: times that a session was read no further until answers had gone out or its second was over."""

    turned: Counter[str] = field(default_factory=Counter)  # connections closed before a word, by reason
    binds: Counter[int] = field(default_factory=Counter)  # by command_status
    requests: Counter[str] = field(default_factory=Counter)  # by command
    responses: Counter[int] = field(default_factory=Counter)  # by command_status
    delivers: Counter[int] = field(default_factory=Counter)  # answers to ours, by command_status
    undelivered: int = 0
    violations: int = 0
    stalled: int = 0
    pauses: int = 0
    failed_beats: int = 0
