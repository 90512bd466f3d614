"""What may be told of a record in the audit log."""

from typing import Any

import msgspec
import pytest

from chalicelib.domain.redaction import SECRET, TEXT, redacted

TOLD: list[tuple[str, str, Any, Any]] = [
    ("a setting stays", "max_parts", 3, 3),
    ("so does a name", "name", "Movistar ES", "Movistar ES"),
    ("a password", "password", "x", SECRET),
    ("a password's hash", "password_hash", "$argon2id$…", SECRET),
    ("a digest", "secret_sha256", "00ff", SECRET),
    ("an authenticator's seed", "totp_seed", "x", SECRET),
    ("several secrets", "secrets", ["a", "b"], SECRET),
    ("that there is no password", "password_hash", None, None),
    ("a text", "text", "hola", TEXT),
    ("what is answered to an opt-out", "left_text", "adiós", TEXT),
    ("a contact's attributes", "attributes", {"plan": "gold"}, TEXT),
    ("a number by its field", "number", "+34600000001", "+34•••••••01"),
    ("numbers in a list", "numbers", ["+34600000001"], ["+34•••••••01"]),
    ("a number in a sentence", "why", "refund for +34600000001, twice", "refund for +34•••••••01, twice"),
    ("a key that somebody pasted", "note", "chq_live_01ABC_00ff00ff", SECRET),
    ("a webhook's secret", "note", "use whsec_MfKQ9r8GKYqrTwjU", f"use {SECRET}"),
    ("a URL's user and query", "url", "https://me:pw@x.example/a?token=1", "https://x.example/a?…"),
    ("a secret further in", "two_factor", {"confirmed_ms": 1, "recovery_sha256": ["a"]}, None),
    ("an endless field", "rows", ["x" * 100] * 100, "(10301 bytes)"),
]


@pytest.mark.parametrize(("label", "name", "given", "told"), TOLD, ids=[one[0] for one in TOLD])
def test_what_is_told_of_a_field(label: str, name: str, given: Any, told: Any) -> None:
    if name == "two_factor":
        told = {"confirmed_ms": 1, "recovery_sha256": SECRET}
    assert redacted({name: given}) == {name: told}


def test_structs_are_told_by_their_fields_and_depth_ends() -> None:
    class Inner(msgspec.Struct):
        token: str

    class Outer(msgspec.Struct):
        id: str
        inner: tuple[Inner, ...]

    assert redacted(Outer("x", (Inner("t"),))) == {"id": "x", "inner": [{"token": SECRET}]}
    deep: Any = 1
    for _ in range(50):
        deep = [deep]
    assert "…" in str(redacted({"deep": deep}))
