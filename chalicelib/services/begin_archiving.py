"""Begin a night's archiving: the days of each account that are to be closed, and those whose texts' time is over."""

from collections import Counter

from chalicelib.services import blank_texts, close_day
from chalicelib.store import accounts, queues


def begin_archiving(now_ms: int) -> Counter[str]:
    """Put on ⟨archives⟩ what is due this night, for every account; how much of it is to be closed, and blanked."""
    begun = Counter[str]()
    for some in accounts.pages():
        works = [work for one in some for due in (close_day.due, blank_texts.due) for work in due(one, now_ms)]
        queues.send_many(queues.ARCHIVES, works)
        begun.update(work.what for work in works)
    return begun
