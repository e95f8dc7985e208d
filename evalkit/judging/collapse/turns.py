"""Finds template markers with text after them, and turns of a conversation that the model wrote by itself."""

from __future__ import annotations

import re

from evalkit.judging import template_leak
from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, Passage, shown

_USER = (
    "User|Human|Customer|Usuario|Usuaria|Humano|Benutzer|Nutzer|Utilisateur|Humain|Utente|Umano|Usuário|Gebruiker|"
    "Пользователь|Человек|用户|人类|使用者|ユーザー|사용자|المستخدم"
)
_ASKING = (
    "Question|Q|Prompt|Instruction|Pregunta|Frage|Domanda|Pergunta|Vraag|Вопрос|问题|问|問題|質問|질문|سؤال|السؤال"
)
_MODEL = (
    "Assistant|AI|Model|Bot|Chatbot|Asistente|Assistent|Assistente|KI|IA|Ассистент|Помощник|Модель|助手|助理|アシスタント|"
    "어시스턴트|المساعد"
)
_ANSWER = (
    "Answer|A|Response|Respuesta|Antwort|Réponse|Risposta|Resposta|Antwoord|Ответ|答案|回答|答|답변|جواب|الجواب|الإجابة"
)


def _lines(roles: str) -> re.Pattern[str]:
    return re.compile(
        rf"^[ \t]*(?:[*_>#]{{1,4}}[ ]?)?(?P<role>{roles})[ ]?(?:\d{{1,3}}|\(\d\))?[ ]?(?:\*\*)?[:：](?:\*\*)?"
        r"[ \t]*(?P<said>[^\s*][^\n]*)?$",
        re.MULTILINE,
    )


_USER_LINE, _ASKING_LINE = _lines(_USER), _lines(_ASKING)
_MODEL_LINE, _ANSWER_LINE = _lines(_MODEL), _lines(_ANSWER)
_PAIR = re.compile(
    rf"(?<!\w)(?:{_ASKING})[ \u00a0]?\d{{0,3}}[ \u00a0]?[:：](?P<asked>[^\n:：]{{3,300}}?)\s(?:{_ANSWER})[ \u00a0]?"
    r"\d{0,3}[ \u00a0]?[:：]\s*\S"
)
_LABEL = re.compile(rf"(?<!\w)(?:{_ASKING})[ \u00a0]?\d{{0,3}}[ \u00a0]?[:：]")
_MIN_PAIRS = 2
_BARE_USER = re.compile(r"(?:^|(?<=[.!?]))(?:user|human)[ \t]*$", re.MULTILINE)
_BARE_MODEL = re.compile(r"(?:^|(?<=[.!?]))(?:model|assistant)[ \t]*$", re.MULTILINE)
_ROLE = re.compile(
    rf"^[ \t]*(?:[*_>#]{{1,4}}[ ]?)?(?:{_USER}|{_ASKING}|{_MODEL}|{_ANSWER})[ ]?(?:\d{{1,3}}|\(\d\))?[ ]?(?:\*\*)?[:：]"
    r"|(?:^|(?<=[.!?]))(?:model|assistant)[ \t]*$",
    re.MULTILINE,
)
"""What every line of a role begins with, and a role alone: without one of a model a user's says nothing."""
_SPEAKS = re.compile(
    r"\b(?:I|I'm|me|my|you|your|please|thanks?|yo|mi|me|tú|tu|usted|gracias|por favor|ich|mein|du|danke|bitte|je|mon|"
    r"vous|merci|io|mio|grazie|eu|meu|obrigad[oa]|what|how|why|can|could|tell|give|write|explain|describe)\b",
    re.IGNORECASE,
)
_SHOWN_EXCHANGE = re.compile(
    r"(?:example|sample|exchange|conversation|dialogue|transcript|chat|script|FAQ|frequently asked|Q&A|quiz|questions?|"
    r"ejemplo|conversación|diálogo|preguntas|Beispiel|Dialog|Gespräch|Fragen|exemple|dialogue|例|对话|対話|пример|диалог)"
    r"[^\n]{0,80}(?:[:.]|\*\*)?\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_QUESTION_MARKS = ("?", "？", "؟")


def _may_take_turns(passage: Passage) -> bool:
    """Whether two pairs of question and answer can stand in a plain line: nothing else is a turn in it.

    Elsewhere there is the name of a role behind which a colon or the end of the line comes.
    """
    if passage.line is not None:
        return passage.line.text.count(":") >= 2 * _MIN_PAIRS
    return _may_be_pairs(passage.visible) or _ROLE.search(passage.visible) is not None


def _may_be_pairs(text: str) -> bool:
    return text.count(":") + text.count("：") >= 2 * _MIN_PAIRS


def find_leak(passage: Passage, asked: Asked) -> Finding | None:
    """A marker of a chat template with text after it; none stands in a plain line."""
    if passage.line is not None:
        return None
    if asked.has("template"):
        return None
    leak = template_leak.find_marker(passage.visible)
    if leak is None or leak.is_trailing:
        return None
    sentence = f"the template marker {shown(leak.marker)} leaked, with text after it"
    return Finding("template_leak", sentence, (leak.start, leak.end))


def find_invented_turn(passage: Passage, asked: Asked) -> Finding | None:
    """A user's or an examiner's line that the model wrote after its answer, or a second turn of its own."""
    if not _may_take_turns(passage) or asked.has("dialogue"):
        return None
    text = passage.visible
    pair = _paired(text, asked)
    if pair is not None:
        line = pair.group().strip()
        return Finding("invented_turn", f"the answer goes on with a turn of its own: {shown(line)}", pair.span())
    found = _spoken(text, asked) or _examined(text) or _bare(text)
    if found is None or _SHOWN_EXCHANGE.search(text[max(0, found.start() - 200) : found.start()].rstrip() + "\n"):
        return None
    line = found.group().strip()
    return Finding("invented_turn", f"the answer goes on with a turn of its own: {shown(line)}", found.span())


def _spoken(text: str, asked: Asked) -> re.Match[str] | None:
    """A user's line after some text: a question, words to somebody, or one that a model's line follows."""
    models = [found.start() for found in _MODEL_LINE.finditer(text)]
    start = _text_start(text)
    for found in _USER_LINE.finditer(text):
        if found.start() <= start:
            continue
        said = (found["said"] or "").rstrip()
        is_answered = bool(models) and models[-1] > found.start()
        is_topic = re.search(rf"(?<!\w){re.escape(found['role'])}", asked.prompt, re.IGNORECASE) is not None
        speaks = said.endswith(_QUESTION_MARKS) or _SPEAKS.search(said) is not None
        if (speaks and is_answered) or (not is_topic and (speaks or is_answered)):
            return found
    for found in _MODEL_LINE.finditer(text):
        if found["role"] in ("Assistant", "Asistente", "Assistent", "助手", "アシスタント") and found.start() > start:
            return found
    return None


def _examined(text: str) -> re.Match[str] | None:
    """A further question that the model put to itself and answered."""
    questions = [found for found in _ASKING_LINE.finditer(text) if found.start() > _text_start(text)]
    answers = [found.start() for found in _ANSWER_LINE.finditer(text)]
    for found in questions:
        said = (found["said"] or "").rstrip()
        if answers and answers[-1] > found.start() and (said or found["role"] not in ("Q", "A")):
            return found
    if questions and questions[-1]["said"] and questions[-1]["said"].rstrip().endswith(_QUESTION_MARKS):
        return questions[0]
    return None


def _paired(text: str, asked: Asked) -> re.Match[str] | None:
    """Two pairs of question and answer or more behind the answer, on one line too, where the prompt shows none."""
    pairs = list(_PAIR.finditer(text)) if _may_be_pairs(text) else []
    if not pairs or _LABEL.search(asked.prompt):
        return None
    before = text[: pairs[0].start()].rstrip()
    least = _MIN_PAIRS if before else _MIN_PAIRS + 1
    return pairs[0] if len(pairs) >= least and not before.endswith((":", "：")) else None


def _bare(text: str) -> re.Match[str] | None:
    """Role names on lines of their own, left over where the markers around them were dropped."""
    start = _text_start(text)
    users = [found for found in _BARE_USER.finditer(text) if found.start() > start]
    models = [found for found in _BARE_MODEL.finditer(text) if found.start() > start and text[found.end() :].strip()]
    if users and models and models[-1].start() > users[0].start():
        return users[0]
    return models[0] if models and models[0].group().strip() == "assistant" else None


def _text_start(text: str) -> int:
    return len(text) - len(text.lstrip())
