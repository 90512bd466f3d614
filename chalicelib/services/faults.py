"""What a service says when it cannot do what was asked: a stable code, a sentence, and the fields at fault."""

import msgspec


class FieldFault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong with what was given. `field` is a JSON pointer (RFC 6901) into it, as `/targets/0/gateway`."""

    field: str
    code: str
    detail: str


class Fault(Exception):
    """Raised where the fact is known. What a code means for a caller is the edge's table, not the service's matter."""

    def __init__(
        self, code: str, detail: str, fields: tuple[FieldFault, ...] = (), *, retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.fields = fields
        self.retry_after_seconds = retry_after_seconds  # where it is known better than by the code


def invalid(*fields: FieldFault) -> Fault:
    """What was given breaks a rule; each field says which."""
    return Fault("invalid_request", "; ".join(fault.detail for fault in fields), fields)


def invalid_field(field: str, code: str, detail: str) -> Fault:
    """One field breaks a rule."""
    return invalid(FieldFault(field=field, code=code, detail=detail))


def not_found(what: str) -> Fault:
    """There is no such thing, or it is not the caller's."""
    return Fault("not_found", f"there is no such {what}")
