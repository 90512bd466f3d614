"""Time to delivery, counted in buckets of fixed bounds: what is added up by the hour can be added up by the month."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

# Upper bounds, each included; what took longer than the last is in one bucket more. Close to each other where networks
# differ (a second to a minute), far apart where a handset was switched off. A change makes old sums unreadable.
BOUNDS_MS: Final = (
    *(500, 1_000, 1_500, 2_000, 3_000, 4_000, 5_000, 7_000, 10_000, 15_000, 20_000, 30_000, 45_000, 60_000),
    *(90_000, 120_000, 180_000, 300_000, 600_000, 1_200_000, 3_600_000, 10_800_000, 43_200_000, 86_400_000),
    172_800_000,
)
BUCKETS: Final = len(BOUNDS_MS) + 1
Histogram = tuple[int, ...]  # how many in each bucket; empty: none at all
EMPTY: Final[Histogram] = ()


def bucket_of(latency_ms: int) -> int:
    """The bucket, from 0; clocks that differ may make a latency negative, which is in the first."""
    return bisect_left(BOUNDS_MS, latency_ms)


def add(histogram: Sequence[int], latency_ms: int, count: int = 1) -> Histogram:
    """The histogram with so many more that took so long."""
    counts = list(histogram) or [0] * BUCKETS
    counts[bucket_of(latency_ms)] += count
    return tuple(counts)


def merge(histograms: Iterable[Sequence[int]]) -> Histogram:
    """The histograms added up."""
    told = [histogram for histogram in histograms if histogram]
    return tuple(map(sum, zip(*told, strict=True))) if told else EMPTY


def quantile(histogram: Sequence[int], share: float) -> int | None:
    """By how many milliseconds that share (0 … 1) had arrived, by a straight line within its bucket.

    None where nothing was counted. Where it lies in the last bucket, which has no end: the last bound.
    """
    total = sum(histogram)
    if not total:
        return None
    sought, below = share * total, 0
    for place, count in enumerate(histogram):
        if count and below + count >= sought:
            if place == len(BOUNDS_MS):
                break
            floor = BOUNDS_MS[place - 1] if place else 0
            return round(floor + (BOUNDS_MS[place] - floor) * max(0.0, sought - below) / count)
        below += count
    return BOUNDS_MS[-1]
