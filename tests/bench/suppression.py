"""A job to a hundred thousand who must not be written to, and some who may: how many reach a gateway in vain (none).

The steps run in this process on moto, from the file to what gateways are given. `BENCH_SUPPRESSED`: how many are on the
lists (100000), a fifth as many others among them.
"""

import os
import sys
import time
from typing import Final

from chalicelib.domain.status import Status
from chalicelib.settings import settings
from chalicelib.store import ledger
from tests.chalicelib.services import jobs_world, mixed_job
from tests.chalicelib.services.world import ACCOUNT, PRICE_MICROS, balance
from tests.conftest import ENVIRONMENT
from tests.world import empty_aws

SUPPRESSED: Final = int(os.environ.get("BENCH_SUPPRESSED", "100000"))


def main() -> int:
    """0 when none of them was reached, and each other recipient once, for its price."""
    os.environ.update(ENVIRONMENT)
    settings.cache_clear()
    print(f"{SUPPRESSED} numbers on the lists, {SUPPRESSED // 5} others among them", flush=True)
    began = time.monotonic()
    with empty_aws():
        told = mixed_job.run(SUPPRESSED)
        paid = jobs_world.ALL_CREDIT - balance()
        books_agree = paid == jobs_world.ALL_CREDIT - _ledger_sum()
    seconds = time.monotonic() - began
    print(f"surveyed: {told.survey.valid} valid, of them refused {dict(told.survey.refused_by_code)}")
    print(f"handed over {told.tally.charged}, ended { ({str(k): v for k, v in told.tally.ends.items()}) }")
    reached = sum(1 for number in told.reachable if told.dispatched[number] == 1)
    print(f"reached in vain: {told.reached_in_vain} of {len(told.suppressed)} (at most 0)")
    print(f"the others, once each: {reached} of {len(told.reachable)}; all in {seconds:.0f} s")
    good = (
        told.reached_in_vain == 0
        and dict(told.dispatched) == dict.fromkeys(told.reachable, 1)
        and told.tally.ends == {Status.REJECTED: len(told.suppressed)}
        and books_agree
        and paid == len(told.reachable) * PRICE_MICROS
    )
    print("as it must be" if good else "NOT AS IT MUST BE")
    return 0 if good else 1


def _ledger_sum() -> int:
    """Of all entries: there are more than a page."""
    page = ledger.entries(ACCOUNT, limit=1000)
    total = sum(entry.amount_micros for entry in page.items)
    while page.cursor:
        page = ledger.entries(ACCOUNT, cursor=page.cursor, limit=1000)
        total += sum(entry.amount_micros for entry in page.items)
    return total


if __name__ == "__main__":
    sys.exit(main())
