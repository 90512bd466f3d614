"""What recipients write to leave an account's service, or to come back: words by language, and who reads them how."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from chalicelib.domain.account import OptOutWords
from chalicelib.domain.content_rules import fold, words_of

Meaning = Literal["leave", "come_back"]
# A wish to leave may have a word or two beside it: BAJA PROMOS, STOP PLEASE. Who writes more is telling something else.
MAX_WORDS_TO_LEAVE: Final = 3

DEFAULTS: Final = (
    OptOutWords(
        language="en",
        leave=("STOP", "STOPALL", "UNSUBSCRIBE", "QUIT", "CANCEL", "END"),
        come_back=("START", "UNSTOP"),
        left_text="You will get no more messages from us. Reply START to get them again.",
        back_text="You will get our messages again. Reply STOP to leave.",
    ),
    OptOutWords(
        language="es",
        leave=("BAJA", "ALTO", "PARAR", "CANCELAR", "SALIR"),
        come_back=("ALTA", "INICIAR"),
        left_text="No recibira mas mensajes nuestros. Responda ALTA para volver a recibirlos.",
        back_text="Volvera a recibir nuestros mensajes. Responda BAJA para dejarlos.",
    ),
    OptOutWords(
        language="pt",
        leave=("SAIR", "REMOVER"),
        come_back=("VOLTAR",),
        left_text="Nao recebera mais mensagens nossas. Responda VOLTAR para as receber de novo.",
        back_text="Voltara a receber as nossas mensagens. Responda SAIR para sair.",
    ),
)


class Wish(msgspec.Struct, frozen=True):
    """What the sender of an inbound message wants, by which word, and the answer to it (empty: none)."""

    meaning: Meaning
    word: str  # as the list has it
    text: str


def understood(text: str, words: Sequence[OptOutWords]) -> Wish | None:
    """The wish that the text states, if it states one; without case, accents and punctuation.

    To leave, the first of up to MAX_WORDS_TO_LEAVE words says so: a recipient who is not quite clear is left in peace.
    To come back, the word stands alone.
    """
    said = words_of(fold(text))
    if not said:
        return None
    for language in words or DEFAULTS:
        for word in language.leave:
            if fold(word) == said[0] and len(said) <= MAX_WORDS_TO_LEAVE:
                return Wish("leave", word, language.left_text)
        for word in language.come_back:
            if [fold(word)] == said:
                return Wish("come_back", word, language.back_text)
    return None
