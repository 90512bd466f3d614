"""A set-up that many tests begin with is made by calls once, and put into AWS as it was for the tests after."""

from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

from tests import snapshots

T = TypeVar("T")
_done: Final[dict[Hashable, tuple[snapshots.Snapshot, Any]]] = {}


def made_once(what: Hashable, make: Callable[[], T]) -> T:
    """What `make` returned for `what`, and in AWS all that it left there: in an empty one, as nothing else is known."""
    if not snapshots.nothing_is_there():
        return make()
    if what not in _done or not snapshots.fits(_done[what][0]):
        made = make()
        _done[what] = (snapshots.take(), made)
        return made
    snapshot, made = _done[what]
    snapshots.put_back(snapshot)
    return made
