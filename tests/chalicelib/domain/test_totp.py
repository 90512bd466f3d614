"""Codes of an authenticator as RFC 6238 has them, each good once; recovery codes however they are typed."""

import pytest

from chalicelib.domain import totp

SECRET = b"12345678901234567890"  # RFC 6238, appendix B, SHA-1
VECTORS = [
    (59, "94287082"),
    (1_111_111_109, "07081804"),
    (1_111_111_111, "14050471"),
    (1_234_567_890, "89005924"),
    (2_000_000_000, "69279037"),
    (20_000_000_000, "65353130"),
]
NOW_MS = 1_234_567_890_000
STEP = 1_234_567_890 // 30


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert totp.code_at(SECRET, seconds // 30, digits=8) == code


@pytest.mark.parametrize(
    ("ahead", "after", "found"),
    [
        (0, 0, True),
        (-1, 0, True),  # typed slowly
        (1, 0, True),  # a clock that is fast
        (-2, 0, False),
        (2, 0, False),
        (0, STEP, False),  # used
        (-1, STEP, False),  # older than what was used
        (1, STEP, True),
    ],
)
def test_a_code_is_good_for_a_step_around_now_that_comes_after_the_last_used(
    ahead: int, after: int, *, found: bool
) -> None:
    step = totp.step_of(SECRET, totp.code_at(SECRET, STEP + ahead), NOW_MS, after)
    assert step == (STEP + ahead if found else None)


def test_what_is_no_code_is_none() -> None:
    for text in ("", "123", "١٢٣٤٥٦", "0" * 40, totp.code_at(SECRET, STEP)[:5]):
        assert totp.step_of(SECRET, text, NOW_MS, 0) is None


def test_an_authenticator_reads_secret_and_address_from_the_uri() -> None:
    assert totp.uri(SECRET, "a+b@x.es") == (
        "otpauth://totp/Chasqui:a%2Bb%40x.es?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Chasqui&digits=6&period=30"
    )


def test_a_recovery_code_is_used_up_however_it_is_typed() -> None:
    codes = totp.new_recovery_codes()
    kept = tuple(totp.recovery_digest(code) for code in codes)
    assert len(set(kept)) == totp.RECOVERY_CODES
    assert not set(codes) & set(kept)
    typed = codes[3].lower().replace("-", " ").replace("0", "o").replace("1", "l")
    left = totp.without(kept, typed)
    assert left == kept[:3] + kept[4:]
    assert totp.without(left, typed) is None
