"""Logs as a line of JSON each: level, logger, message, whatever was given as `extra`, and the exception."""

import json
import logging
import sys
from typing import Final

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonLine(logging.Formatter):
    """Telephone numbers are masked where they are logged: only `domain.numbers.mask` knows one from an id."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at_ms": int(record.created * 1000),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _OWN},
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


def start() -> None:
    """Log to standard output from now on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLine())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("botocore").setLevel(logging.WARNING)  # it tells where its credentials came from
