"""Keep the numbers that people write to: whose each is, and the keywords of shared ones."""

from typing import Final

from chalicelib.domain.inbound import MAX_KEYWORDS, InboundNumber, first_word, is_number
from chalicelib.services import record_change
from chalicelib.services.faults import Fault, FieldFault, invalid, not_found
from chalicelib.store import accounts, numbers, smpp_logins
from chalicelib.store.rows import MUST_BE_NEW, Row

NUMBER: Final = "number"
KIND: Final = "inbound_number"  # in the audit log


def assign_number(number: InboundNumber) -> Row[InboundNumber]:
    """The number, new. Raises Fault `invalid_request`, `already_exists`."""
    _check(number)
    if not numbers.rows.put(number, expected=MUST_BE_NEW):
        raise Fault("already_exists", "the number is kept already, for that gateway")
    record_change.changed(KIND, number.id, None, number, account=number.account)
    return Row(number, 1)


def change_number(number: InboundNumber, expected_version: int) -> Row[InboundNumber]:
    """The number over that version of it. Raises Fault `not_found`, `invalid_request`, `version_conflict`."""
    held = read_number(number.id)
    _check(number)
    if not numbers.rows.put(number, expected=expected_version):
        raise Fault("version_conflict", f"the number is at version {held.version}")
    record_change.changed(KIND, number.id, held.value, number, account=number.account)
    return Row(number, expected_version + 1)


def read_number(id_: str) -> Row[InboundNumber]:
    """The number as it is this moment. Raises Fault `not_found`."""
    held = numbers.rows.get(id_, consistent=True)
    if held is None:
        raise not_found(NUMBER)
    return held


def release_number(id_: str) -> None:
    """What comes to it is nobody's from now on. Raises Fault `not_found`."""
    held = read_number(id_).value
    if not numbers.rows.delete(id_):
        raise not_found(NUMBER)
    record_change.changed(KIND, id_, held, None, account=held.account)


def _check(number: InboundNumber) -> None:
    faults: list[FieldFault] = []
    if not is_number(number.number):
        told = "a number is E.164 with +, or a short code of 3 to 8 digits"
        faults.append(FieldFault(field="/number", code="invalid_number", detail=told))
    if number.account is None and not number.keywords:
        told = "say whose it is: an account, keywords, or both"
        faults.append(FieldFault(field="/account", code="missing", detail=told))
    if len(number.keywords) > MAX_KEYWORDS:
        told = f"a number has at most {MAX_KEYWORDS} keywords"
        faults.append(FieldFault(field="/keywords", code="too_long", detail=told))
    words: set[str] = set()
    for position, keyword in enumerate(number.keywords):
        field = f"/keywords/{position}"
        if not keyword.word or first_word(keyword.word) != keyword.word:
            told = "a keyword is one word of letters and digits"
            faults.append(FieldFault(field=f"{field}/word", code="invalid_format", detail=told))
        elif keyword.word in words:
            faults.append(FieldFault(field=f"{field}/word", code="repeated", detail="another keyword is the same"))
        words.add(keyword.word)
        faults += _owner_faults(keyword.account, keyword.login, field)
    if number.account is not None:
        faults += _owner_faults(number.account, number.login, "")
    if faults:
        raise invalid(*faults)


def _owner_faults(account: str, login: str, under: str) -> list[FieldFault]:
    """What is wrong with who gets the messages: both must be there, and belong together."""
    if accounts.get(account) is None:
        return [FieldFault(field=f"{under}/account", code="not_found", detail="there is no such account")]
    if login:
        held = smpp_logins.versioned(login)
        if held is None or held.value.account != account:
            told = "the account has no such SMPP login"
            return [FieldFault(field=f"{under}/login", code="not_found", detail=told)]
    return []
