"""Amounts in requests and answers: decimal strings, which msgspec decodes to millionths of a credit and back."""

from typing import Any, Final

from chalicelib.domain.money import BadAmount, format_amount, parse_amount

# As domain.money reads them; for the document's readers.
_PATTERN: Final = r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$"


class Amount:
    """An amount of credits, which may be negative."""

    pattern = f"^-?{_PATTERN}"
    description = "Credits, as a decimal string with at most 6 decimals."
    __slots__ = ("micros",)

    def __init__(self, micros: int) -> None:
        self.micros: Final = micros

    @classmethod
    def parse(cls, text: object) -> "Amount":
        """Raises BadAmount."""
        if not isinstance(text, str):
            raise BadAmount("an amount is a decimal string, as '12.5'")
        return cls(parse_amount(text))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Amount) and other.micros == self.micros

    def __hash__(self) -> int:
        return hash(self.micros)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({format_amount(self.micros)})"


class Price(Amount):
    """An amount of credits that is not negative."""

    pattern = f"^{_PATTERN}"
    __slots__ = ()

    @classmethod
    def parse(cls, text: object) -> "Amount":
        found = super().parse(text)
        if found.micros < 0:
            raise BadAmount("this amount cannot be negative")
        return found


def decode_hook(kind: type, given: Any) -> Any:
    """msgspec's `dec_hook`."""
    if issubclass(kind, Amount):
        return kind.parse(given)
    raise NotImplementedError(kind)


def encode_hook(held: Any) -> Any:
    """msgspec's `enc_hook`."""
    if isinstance(held, Amount):
        return format_amount(held.micros)
    raise NotImplementedError(type(held))


def schema_hook(kind: type) -> dict[str, Any]:
    """msgspec's `schema_hook`."""
    if issubclass(kind, Amount):
        return {"type": "string", "pattern": kind.pattern, "description": kind.description, "examples": ["12.5"]}
    raise NotImplementedError(kind)
