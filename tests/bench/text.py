"""Prints what the pure steps of accept, submit and settle cost, in µs per message: `python -m tests.bench.text`."""

import sys
from collections.abc import Callable
from time import perf_counter

from chalicelib.domain.concatenation import concatenate, reference_of
from chalicelib.domain.numbers import mask, normalize, parse_sender
from chalicelib.domain.receipts import id_forms, parse_receipt
from chalicelib.domain.submit_errors import consequence_of
from chalicelib.domain.text import Encoding, segment

ROUNDS = 5  # the best counts: the machine is shared
SECONDS_PER_ROUND = 0.1

OTP = "Your code is 482913. It expires in 10 minutes. Do not share it with anyone."
SPANISH = "Estimada María: su pedido salió hoy y llegará mañana por la tarde, entre las 14:00 y las 18:00 h. ¡Gracias! "
LONG_GSM = "Your order 4711 has left our warehouse and will arrive tomorrow between 2 and 6 pm. [tracking] €12.50 " * 4
EMOJI = "¡Feliz cumpleaños! 🎉🎂👨‍👩‍👧‍👦🇲🇽 Te regalamos un 20% de descuento. " * 4
HINDI = "आपका कोड 482913 है। यह दस मिनट में समाप्त हो जाएगा। " * 4
RECEIPT = "id:0123456789 sub:001 dlvrd:001 submit date:2403011205 done date:240301120731 stat:DELIVRD err:000 text:Hola"
MEXICAN = [f"+52 55 1234 {number:04}" for number in range(10_000)]


def microseconds(work: Callable[[], object]) -> float:
    """The best of several rounds, per call."""
    best = float("inf")
    for _ in range(ROUNDS):
        calls, started = 0, perf_counter()
        while (elapsed := perf_counter() - started) < SECONDS_PER_ROUND:
            work()
            calls += 1
        best = min(best, elapsed / calls)
    return best * 1e6


def main() -> None:
    """One line a step."""
    uncached = normalize.__wrapped__
    numbers = iter(MEXICAN * 1_000)
    steps: list[tuple[str, Callable[[], object]]] = [
        ("segment, one-time password, 1 part", lambda: segment(OTP)),
        ("segment, Spanish in UCS-2, 2 parts", lambda: segment(SPANISH)),
        ("segment, long GSM, 3 parts", lambda: segment(LONG_GSM)),
        ("segment, emoji and flags, 5 parts", lambda: segment(EMOJI)),
        ("segment, Hindi, 4 parts", lambda: segment(HINDI)),
        ("concatenate, 1 part", lambda: concatenate(OTP, Encoding.GSM7, "udh", 1)),
        ("concatenate, long GSM, udh", lambda: concatenate(LONG_GSM, Encoding.GSM7, "udh", 1)),
        ("reference_of", lambda: reference_of("msg_01J0000000000000000000000A")),
        ("normalize, a new number", lambda: uncached(next(numbers), "MX")),
        ("normalize, a number seen before", lambda: normalize("+52 55 1234 5678", "MX")),
        ("mask", lambda: mask("+525512345678")),
        ("parse_sender, seen before", lambda: parse_sender("Acme")),
        ("parse_receipt", lambda: parse_receipt(RECEIPT)),
        ("id_forms, either", lambda: id_forms("0123456789", "either")),
        ("consequence_of", lambda: consequence_of(0x58)),
    ]
    for name, work in steps:
        sys.stdout.write(f"{name:<40} {microseconds(work):9.2f} µs\n")


if __name__ == "__main__":
    main()
