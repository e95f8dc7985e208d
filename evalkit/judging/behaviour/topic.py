"""Tells an answer that has nothing to do with the conversation; in doubt it has."""

from __future__ import annotations

import re

from evalkit.judging.behaviour.view import AnswerView
from evalkit.judging.content_words import STOP_WORDS
from evalkit.judging.phrases import fold

_WORD = re.compile(r"[^\W_]+")
_ASKING = (
    "tell tells told give gives gave given know knows known want wants need needs please answer answers question "
    "questions help helps thing things first last ever still really exactly already part time dame digame quiero "
    "necesito pregunta respuesta favor saber cosa cosas"
)
_SHORT = (
    "the and but you was are his her its our out not can had has who why how one any all she him did may two now for "
    "say get got let see use way too yet own off per una uno los las del por con que mas sin sus muy son fue ser hay "
    "les nos eso esa ese mis tus"
)
_DULL = STOP_WORDS.union(_ASKING.split(), _SHORT.split())
_LANGUAGES = {
    "en": "the and is are it that this you how what why who my your was with for i of to not they he",
    "es": "el los las y es una un por con mi tu lo eso esta como al pero soy se puedo hay su",
    "other": "le des et est dans pour du avec je il nao uma os das em che di della und der die das ist nicht ein het "
    "van een och att det jeg ikke",
}
_SOMEONE = "he she they him her them his their hers theirs ella ellos ellas su sus le les"
_INSIDE = "i me my we us our ourselves yo mi mis me nos nosotros nuestro nuestra"
_POINTING = {
    "identity": "i me my mine yo myself mi mis mia mio conmigo",
    "passage": f"{_SOMEONE} {_INSIDE}",
    "open_question": f"{_SOMEONE} we us our ourselves nos nosotros nuestro nuestra",
    "control": f"{_SOMEONE} it its these those because esto eso estos estas porque",
}
_SPEAKERS = "i we nobody anyone one yo nadie puedo podria tengo conozco debo"
_PREFIX = 3
_ENDING = 3


def is_off_topic(view: AnswerView, rule: str, least_words: int) -> bool:
    """Whether an answer of some length shares no content word, name or number with the conversation.

    Never so where the two are not both English or both Spanish, nor where a pronoun may stand for what was asked.
    """
    said = view.own.text
    words = set(_WORD.findall(said))
    if view.own_words < least_words or words.intersection(_POINTING.get(rule, _SOMEONE).split()):
        return False
    if not _same_language(said, fold(view.prompt)):
        return False
    return not _shared(view.answer, view.context)


def denies_for_itself(view: AnswerView) -> bool:
    """Whether a sentence says no of the speaker or of everyone."""
    speakers = set(_SPEAKERS.split())
    return any(
        view.has_denial(start, end) and not speakers.isdisjoint(_WORD.findall(view.own.text[start:end]))
        for start, end in view.sentences
    )


def _same_language(first: str, second: str) -> bool:
    return (language := _language(first)) in ("en", "es") and _language(second) == language


def _language(folded: str) -> str | None:
    """The language whose commonest words are clearly the most frequent, if there is one."""
    words = _WORD.findall(folded)
    common = {name: frozenset(commonest.split()) for name, commonest in _LANGUAGES.items()}
    counts = sorted(((sum(word in common[name] for word in words), name) for name in common), reverse=True)
    return counts[0][1] if counts[0][0] > counts[1][0] else None


def _shared(answer: str, context: str) -> bool:
    """Whether one content word of the answer is one of the conversation, endings aside."""
    asked = _content(context)
    return any(_alike(word, other) for word in _content(answer) for other in asked)


def _content(text: str) -> set[str]:
    """Words of three letters or more that mean something, and every number."""
    words = {fold(word) for word in _WORD.findall(text)}
    return {word for word in words if word[0].isdigit() or (len(word) >= _PREFIX and word not in _DULL)}


def _alike(first: str, second: str) -> bool:
    if first[0].isdigit() or second[0].isdigit():
        return first == second
    short, long = sorted((first, second), key=len)
    if len(short) > _PREFIX + 1 and short[:5] == long[:5]:
        return True
    return long.startswith(short) and len(long) - len(short) <= _ENDING
