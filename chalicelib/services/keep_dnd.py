"""Keep the Do Not Disturb list: numbers that promotional messages do not go to."""

from collections.abc import Iterable

from chalicelib.domain.numbers import BadNumber, Number, normalize
from chalicelib.services import record_change
from chalicelib.services.faults import invalid_field, not_found
from chalicelib.services.import_numbers import Import, import_numbers
from chalicelib.store import dnd
from chalicelib.store.dnd import Disturbed


def add(number: str, now_ms: int) -> Disturbed:
    """The number, on the list. Raises Fault `invalid_request`."""
    found = _number(number)
    entry = Disturbed(found.e164, found.country, now_ms)
    dnd.put([entry])
    record_change.changed("dnd", entry.number, None, {"country": entry.country})
    return entry


def import_list(given: bytes | Iterable[str], region: str | None, now_ms: int) -> Import:
    """The list's numbers, on the list. Raises Fault `list_too_long`."""

    def write(numbers: list[Number]) -> None:
        dnd.put(Disturbed(number.e164, number.country, now_ms) for number in numbers)

    imported = import_numbers(given, region, write)
    record_change.changed("dnd", "import", None, {"imported": imported.imported, "invalid": imported.invalid})
    return imported


def read(number: str) -> Disturbed:
    """The number's entry. Raises Fault `not_found`."""
    held = dnd.get(_known(number))
    if held is None:
        raise not_found("number on the Do Not Disturb list")
    return held


def remove(number: str) -> str:
    """Take the number off the list. Raises Fault `not_found`."""
    known = _known(number)
    if not dnd.delete(known):
        raise not_found("number on the Do Not Disturb list")
    record_change.changed("dnd", known, {"listed": True}, None)
    return known


def _number(given: str) -> Number:
    try:
        return normalize(given)
    except BadNumber as error:
        raise invalid_field("/number", error.code, str(error)) from None


def _known(given: str) -> str:
    """What a path names: with + or without; what is no number is on no list."""
    return f"+{given.lstrip('+')}"
