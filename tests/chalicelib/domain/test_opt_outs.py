"""What recipients write to leave and to come back, and what they do not mean by it."""

import pytest

from chalicelib.domain.account import OptOutWords
from chalicelib.domain.opt_outs import DEFAULTS, understood

ROWS = [
    ("STOP", "leave"),
    (" stop. ", "leave"),
    ("Stop please", "leave"),
    ("BAJA", "leave"),
    ("Baja promociones Acme", "leave"),
    ("¡ALTO!", "leave"),
    ("ＳＴＯＰ", "leave"),
    ("st\u200bop", "leave"),
    ("SAIR", "leave"),
    ("START", "come_back"),
    ("alta", "come_back"),
    ("«Alta»", "come_back"),
    ("", None),
    ("...", None),
    ("Stop by my house tomorrow", None),
    ("Please stop", None),
    ("Alta gracias", None),
    ("stopping", None),
    ("ALTOS", None),
    ("hola", None),
]


@pytest.mark.parametrize(("text", "meaning"), ROWS)
def test_a_wish_is_understood_without_case_accents_and_punctuation(text: str, meaning: str | None) -> None:
    wish = understood(text, ())
    assert (wish.meaning if wish else None) == meaning


def test_the_answer_is_in_the_words_own_language() -> None:
    texts = {word: understood(word, ()).text for word in ("STOP", "BAJA", "ALTA")}  # type: ignore[union-attr]
    assert texts == {"STOP": DEFAULTS[0].left_text, "BAJA": DEFAULTS[1].left_text, "ALTA": DEFAULTS[1].back_text}


def test_an_accounts_own_words_take_the_place_of_the_others() -> None:
    own = (OptOutWords(language="de", leave=("SCHLUß",), come_back=("Weiter",), left_text="Ende."),)
    assert understood("STOP", own) is None
    wish = understood("schluss jetzt", own)
    assert wish is not None
    assert (wish.meaning, wish.word, wish.text) == ("leave", "SCHLUß", "Ende.")


@pytest.mark.parametrize("language", DEFAULTS, ids=lambda words: words.language)
def test_the_answers_fit_one_part_and_name_the_way_back(language: OptOutWords) -> None:
    assert max(len(language.left_text), len(language.back_text)) <= 160
    assert language.left_text.isascii()
    assert language.come_back[0] in language.left_text
    assert language.leave[0] in language.back_text


def test_no_word_means_both() -> None:
    leave = {word for language in DEFAULTS for word in language.leave}
    assert not leave & {word for language in DEFAULTS for word in language.come_back}
