"""Runs a packaged handler as Lambda would: `python -I -S -B invoke.py FOLDER HANDLER`, with nothing else on the path.

Each line of standard input is a JSON array of events; what happened is told as JSON on a line that begins with OUTCOME.
As in Lambda, the process stays for what comes next. It imports the standard library only, since it runs where nothing
else is.
"""

import importlib
import json
import sys
import time
from typing import Any

OUTCOME = "outcome: "


class Context:
    """What a handler is given of its invocation."""

    function_name = "packaged"
    function_version = "$LATEST"
    memory_limit_in_mb = "512"
    aws_request_id = "00000000-0000-4000-8000-000000000000"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:packaged"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 20_000


def main(folder: str, handler: str) -> None:
    sys.path.insert(0, folder)
    module_name, _, function_name = handler.rpartition(".")
    begun = time.perf_counter()
    function = getattr(importlib.import_module(module_name), function_name)
    import_seconds = time.perf_counter() - begun
    imported = sorted(sys.modules)
    calls: list[dict[str, Any]] = []
    _record_calls(calls)
    for line in sys.stdin:
        answers, failures = [], []
        for event in json.loads(line):
            try:
                answers.append(function(event, Context()))
            except Exception as failure:
                failures.append(f"{type(failure).__name__}: {failure}")
        outcome = {
            "import_ms": import_seconds * 1000,
            "imported": imported,
            "modules": sorted(sys.modules),
            "files": sorted({str(getattr(module, "__file__", None) or "") for module in list(sys.modules.values())}),
            "answers": answers,
            "failures": failures,
            "calls": calls,
        }
        sys.stdout.write(f"\n{OUTCOME}{json.dumps(outcome)}\n")
        sys.stdout.flush()
        calls.clear()


def _record_calls(calls: list[dict[str, Any]]) -> None:
    """Note every AWS call's name and parameters, to hold them against the function's policy."""
    aws = importlib.import_module("chalicelib.store.aws")

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        calls.append(
            {"service": service, "operation": model.name, "params": json.loads(json.dumps(params, default=str))}
        )

    aws.watch(lambda client: client.meta.events.register("before-parameter-build.*.*", note))


if __name__ == "__main__":
    main(*sys.argv[1:])
