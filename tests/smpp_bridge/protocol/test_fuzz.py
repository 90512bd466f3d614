"""A short run of the fuzzer; `python -m tests.bench.fuzz` does a million."""

import pytest

from tests.smpp_bridge.protocol.fuzzing import Fuzzer


@pytest.mark.parametrize("seed", range(4))
def test_mutated_pdus_raise_nothing_but_the_protocol_error(seed: int) -> None:
    fuzzer = Fuzzer(seed)
    for _ in range(1_500):
        fuzzer.step()
    assert fuzzer.read > 100
    assert fuzzer.refused > 100
    assert fuzzer.ended > 10
