"""Mixed messages over three days and two time zones: reports, usage and ledger agree, and the auditor is content.

The same as tests/chalicelib/services/test_reports.py, with `BENCH_MESSAGES` of them (20,000).
"""

import os
import sys
import time
from typing import Final

from infra.local import moto_pace
from tests.chalicelib.services.test_reports import agree
from tests.conftest import ENVIRONMENT
from tests.world import empty_aws

MESSAGES: Final = int(os.environ.get("BENCH_MESSAGES", "20000"))


def main() -> int:
    """0 when they agree to the last message and the last millionth."""
    os.environ.update(ENVIRONMENT)
    begun = time.monotonic()
    with empty_aws():
        moto_pace.keep()
        agree(MESSAGES)
    print(f"{MESSAGES:,} mixed messages: all agree, after {time.monotonic() - begun:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
