"""Requests as typed structs: JSON bodies, query parameters and path parameters, by msgspec; its errors as faults."""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from chalicelib.api.amounts import decode_hook
from chalicelib.services.faults import Fault, FieldFault, invalid, invalid_field

T = TypeVar("T")

# msgspec tells one error as a sentence; the sentence's form → a stable code. The first that matches counts.
_FORMS: Final = tuple(
    (re.compile(form), code)
    for form, code in (
        (r"^Object missing required field `(?P<field>.*)`$", "missing"),
        (r"^Object contains unknown field `(?P<field>.*)`$", "unknown_field"),
        (r"^Expected `.*` of length >=", "too_short"),
        (r"^Expected `.*` of length <=", "too_long"),
        (r"^Expected `.*` matching regex", "invalid_format"),
        (r"^Expected `.*` [<>]=? ", "out_of_range"),
        (r"^(Number|Integer) .*out of range|^Expected `.*` that", "out_of_range"),
        (r"^Invalid enum value", "not_allowed"),
        (r"^Expected `.*`, got `.*`$", "wrong_type"),
        (r"^Invalid ", "invalid_format"),
    )
)
_NOT_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_AT: Final = " - at `$"
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


def body(raw: bytes, kind: type[T]) -> T:
    """The JSON body as `kind`. Raises Fault `malformed_json` or `invalid_request`."""
    try:
        return msgspec.json.decode(raw, type=kind, dec_hook=decode_hook)
    except msgspec.ValidationError as error:
        _check_json(raw)  # it is checked while it is read: what comes after the fault may be no JSON at all
        raise invalid(field_fault(error)) from None
    except _NOT_JSON as error:
        raise _malformed(error) from None


def _check_json(raw: bytes) -> None:
    try:
        msgspec.json.decode(raw)
    except _NOT_JSON as error:
        raise _malformed(error) from None


def _malformed(error: Exception) -> Fault:
    return Fault("malformed_json", f"the body is not JSON in UTF-8: {error}")


def query(given: Mapping[str, list[str]], kind: type[T]) -> T:
    """The query parameters as `kind`. Raises Fault `invalid_request`, with the parameter's name."""
    for name, values in given.items():
        if len(values) > 1:
            raise invalid_field(name, "repeated", f"the parameter {name} was given {len(values)} times")
    try:
        return msgspec.convert(
            {name: values[0] for name, values in given.items()}, kind, strict=False, dec_hook=decode_hook
        )
    except msgspec.ValidationError as error:
        fault = field_fault(error)
        raise invalid_field(fault.field.removeprefix("/"), fault.code, fault.detail) from None


def path(given: Mapping[str, str], kinds: Mapping[str, Any]) -> dict[str, Any]:
    """The path's parameters as their types. Raises Fault `not_found`: nothing has such a name."""
    if not all(value.isprintable() for value in given.values()):  # a pattern's $ lets a line end pass
        raise Fault("not_found", "nothing has such an id")
    try:
        return {name: msgspec.convert(given[name], kind, strict=False) for name, kind in kinds.items()}
    except msgspec.ValidationError:
        raise Fault("not_found", "nothing has such an id") from None


def field_fault(error: msgspec.ValidationError, under: str = "") -> FieldFault:
    """msgspec's sentence as a field's fault. `under` is the pointer to what was decoded, where it is a part."""
    sentence, _, where = str(error).rpartition(_AT)
    if not sentence:
        sentence, where = str(error), ""
    pointer = under + "".join(f"/{_escaped(name or index)}" for name, index in _STEP.findall(where.removesuffix("`")))
    own = getattr(error.__cause__, "code", None)  # one of our own types refused it, and says why
    if isinstance(own, str):
        return FieldFault(field=pointer, code=own, detail=sentence)
    for form, code in _FORMS:
        if found := form.search(sentence):
            named = found.groupdict().get("field")
            inner = f"/{_escaped(named)}" if named is not None else ""
            return FieldFault(field=pointer + inner, code=code, detail=sentence)
    return FieldFault(field=pointer, code="invalid_format", detail=sentence)


def _escaped(name: str) -> str:
    """RFC 6901, 3."""
    return name.replace("~", "~0").replace("/", "~1")
