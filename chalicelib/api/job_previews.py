"""What a job's recipients are, as customers read it: counts, prices, first texts, and rows that get no message."""

from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.api.amounts import Amount
from chalicelib.domain.job import BadRecipient, Survey


class OperatorPrice(msgspec.Struct, frozen=True, kw_only=True):
    """What goes to an operator, by the rules of the moment."""

    country: str
    operator: str
    messages: int
    parts: int
    price: Amount


class RowText(msgspec.Struct, frozen=True, kw_only=True):
    """How the text reads for a recipient."""

    line: int
    to: str
    text: str
    parts: int


class InvalidRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that gets no message, and why."""

    line: int
    code: str
    detail: str


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What the recipients are. Every row is valid, invalid, or a duplicate."""

    rows: int
    valid: int
    invalid: int
    duplicates: int
    invalid_by_code: dict[str, int]
    refused: Annotated[int, Meta(description="Valid ones that would be refused now: no route, DND, opt-out …")]
    refused_by_code: dict[str, int]
    columns: tuple[str, ...]
    parts: int
    price: Amount
    operators: tuple[OperatorPrice, ...]
    first_texts: tuple[RowText, ...]
    first_invalid: Annotated[tuple[InvalidRow, ...], Meta(description="The first; all: `…/invalid-rows`.")]


def preview(survey: Survey) -> Preview:
    """What the recipients are."""
    return Preview(
        rows=survey.rows,
        valid=survey.valid,
        invalid=survey.bad,
        duplicates=survey.duplicates,
        invalid_by_code=survey.bad_by_code,
        refused=survey.refused,
        refused_by_code=survey.refused_by_code,
        columns=survey.columns,
        parts=survey.parts,
        price=Amount(survey.price_micros),
        operators=tuple(
            OperatorPrice(
                country=line.country,
                operator=line.operator,
                messages=line.messages,
                parts=line.parts,
                price=Amount(line.price_micros),
            )
            for line in survey.operators
        ),
        first_texts=tuple(
            RowText(line=one.line, to=one.to, text=one.text, parts=one.parts) for one in survey.first_texts
        ),
        first_invalid=tuple(map(invalid_row, survey.first_bad)),
    )


def invalid_row(bad: BadRecipient) -> InvalidRow:
    """A row that gets no message."""
    return InvalidRow(line=bad.line, code=bad.code, detail=bad.detail)
