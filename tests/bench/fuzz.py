"""A million mutated PDUs against framing, codec and sessions: nothing but the protocol error, and no growth.

`python -m tests.bench.fuzz [inputs] [seed]`; prints what was read and refused, exits 1 if memory has grown.
"""

import gc
import secrets
import sys
import time
from typing import Final

from tests.smpp_bridge.protocol.fuzzing import Fuzzer, resident_kib

INPUTS: Final = 1_000_000
MAX_GROWTH_KIB: Final = 4_096  # after the first tenth: allocators settle, leaks do not


def main(inputs: int, seed: int) -> int:
    print(f"{inputs:,} inputs, seed {seed}", flush=True)
    fuzzer, started, settled = Fuzzer(seed), time.monotonic(), 0
    for number in range(inputs):
        fuzzer.step()
        if number == inputs // 10:
            gc.collect()
            settled = resident_kib()
    gc.collect()
    grown, seconds = resident_kib() - settled, time.monotonic() - started
    print(
        f"{fuzzer.read:,} read, {fuzzer.refused:,} refused, {fuzzer.ended:,} sessions ended,"
        f" {grown:,} KiB grown, {seconds:.0f} s: {'well' if grown <= MAX_GROWTH_KIB else 'GROWS'}"
    )
    return 0 if grown <= MAX_GROWTH_KIB else 1


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(given[0] if given else INPUTS, given[1] if len(given) > 1 else secrets.randbelow(2**32)))
