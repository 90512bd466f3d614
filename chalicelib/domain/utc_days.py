"""UTC days as spans of epoch milliseconds, as the logs and the administrators' reports are cut."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta


def midnight_ms(day: date) -> int:
    """When the day begins."""
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1000


def end_ms(day: date) -> int:
    """When the next one does."""
    return midnight_ms(day) + 86_400_000


def each(first: date, last: date) -> Iterator[date]:
    """The days, both included, in order."""
    return (first + timedelta(days=count) for count in range((last - first).days + 1))
