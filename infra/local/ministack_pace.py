"""What keeps ministack's pace when there is much in it: it reads an expression anew for each item that it looks at."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

_EXPRESSIONS: Final = 4096  # the platform has some dozens


def keep() -> None:
    """Change ministack in this process, whose environment must be set by now: it is read at import."""
    from ministack.services import dynamodb  # type: ignore[import-not-found] # noqa: PLC0415 - see above

    module: Any = dynamodb
    read, syntax_error = module._tokenize, module._condition_syntax_error
    remembered = lru_cache(_EXPRESSIONS)
    module._tokenize = remembered(lambda expression: tuple(read(expression)))
    module._condition_syntax_error = remembered(syntax_error)
    for name in ("_check_redundant_parens", "_check_reserved_keyword_usage"):
        setattr(module, name, _of_tokens(remembered(getattr(module, name))))


def _of_tokens(check: Callable[..., str | None]) -> Callable[..., str | None]:
    """Some callers have taken tokens out, and give a list."""
    return lambda tokens, *more: check(tuple(tokens), *more)
