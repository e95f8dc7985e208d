"""Finds answers that recite instructions or only repeat the prompt."""

from __future__ import annotations

import re
from collections.abc import Sequence

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.collapse.plain_line import PlainLine
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.pattern_set import PatternSet

_GRAM = 6
_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"[^\s.!?。！？\n:][^.!?。！？\n]*(?:[.!?。！？]+(?![\w])|\n|$|[.!?](?=\w)[^.!?\n]*)")
_MIN_LINES = 3
_ECHO_MIN_WORDS = 4
_QUESTION_WORDS = 5
_QUESTION_MARKS = ("?", "？", "؟")
_MOST = 0.5
_NEARLY_ALL = 0.75
_COPYING = re.compile(
    r"\b(?:repeat\w*|quot(?:e|ing)|cit(?:e|a|ar|ez|iere\w*)|correct|proofread|fix|complet(?:e|a|ar|ez)|finish|spell|"
    r"punctuat\w*|translat\w*|transcrib\w*|rewrite|paraphras\w*|echo|traduc\w*|tradu[iz]\w*|übersetz\w*|corrig\w*|"
    r"korrigier\w*|verbesser\w*|ergänz\w*|vervollständig\w*|zitier\w*|wiederhol\w*|répèt\w*|répét\w*|repit\w*|"
    r"ripet\w*|complét\w*|complèt\w*|completa\w*|correggi\w*)\b|^\W*(?:say|write|type|print|di|escribe|sag|schreib\w*|"
    r"dis|écris|scrivi|escreva)\b",
    re.IGNORECASE,
)
_SECOND_PERSON = re.compile(
    r"(?:You|Your|Du|Dein\w*|Sie (?:sind|beraten|antworten|helfen)|Ihre Aufgabe|Tu|Tú|Tus?|Vous|Votre|Eres|Usted|Sei|"
    r"Lei|Il tuo|Você|És)\b"
)
_SECOND_PERSON_VERB = re.compile(r"(?!Nuestr|Noss|Vuestr|Vos|Much|Tod|Est|Otr|Algun)[A-ZÁÉ]\w{3,}[aeáé]s\b")
_HEADING = re.compile(
    r"\W*(?:system[ -]?(?:prompt|message|instructions?|anweisung(?:en)?|nachricht|vorgaben?)|"
    r"(?:instrucci(?:ón|ones)|mensaje|prompt) (?:del|de) sistema|(?:instructions?|message|invite|prompt)(?: du| de)? "
    r"système|(?:istruzion[ei]|messaggio|prompt) (?:di|del) sistema|(?:instruç(?:ão|ões)|mensagem|prompt) d[eo] sistema"
    r"|系统提示词?|系统指令|システムプロンプト)[*_ ]*[:：]",
    re.IGNORECASE,
)


class RecitalFinder:
    """Knows the look of instructions to a model, from the policy's lines."""

    def __init__(self, policy: DegenerationPolicy) -> None:
        self._policy = policy
        self._lines = PatternSet(dict(enumerate(policy.instruction_lines)))

    def _kinds(self, line: str) -> list[int]:
        """Which of the policy's lines a sentence is like."""
        return [number for number in sorted(self._lines.candidates(line)) if self._lines[number].search(line)]

    def _may_find(self, line: PlainLine, asked: Asked) -> bool:
        """Whether the line shares words enough with the prompt or with a system text, or holds sentences or a heading.

        All of its words stand in the prompt where it is a question of it, nearly all of the prompt's in an echo.
        """
        shared = len(line.distinct & asked.words)
        return (
            shared == len(line.distinct)
            or shared >= min(1.0, self._policy.echo_share) * len(asked.words)
            or line.sentences > 1
            or ":" in line.text
            or (asked.system != "" and len(line.words) >= self._policy.recited_min_words)
        )

    def find(self, passage: Passage, asked: Asked) -> Finding | None:
        """Recited instructions, or the prompt itself instead of an answer."""
        if passage.line is not None and not self._may_find(passage.line, asked):
            return None
        return (
            _question_back(passage, asked)
            or self._echo(passage, asked)
            or self._system(passage, asked)
            or self._system_sentences(passage, asked)
            or self._lines_alone(passage, asked)
        )

    def _may_echo(self, passage: Passage, asked: Asked) -> bool:
        """Whether the answer holds as many of the prompt's different words as an echo does."""
        shared = asked.words.intersection(passage.words)
        return len(shared) >= min(1.0, self._policy.echo_share) * len(asked.words)

    def _echo(self, passage: Passage, asked: Asked) -> Finding | None:
        if not self._may_echo(passage, asked) or asked.has("repetition", "words", "languages", "variants"):
            return None
        said, given = passage.words, _words(asked.prompt)
        if said == given and len(given) >= 2 and asked.has("more"):
            return Finding("echo", "the answer only repeats the prompt", _whole(passage))
        if len(given) < _ECHO_MIN_WORDS or not _ECHO_MIN_WORDS <= len(said) <= 3 * len(given) + 3:
            return None
        share = self._policy.echo_share
        covered = _copied(said, given, min(_GRAM, _ECHO_MIN_WORDS))
        if sum(covered) < share * len(said) or len(set(said) & set(given)) < share * len(set(given)):
            return None
        return Finding("echo", "the answer only repeats the prompt", _whole(passage))

    def _system(self, passage: Passage, asked: Asked) -> Finding | None:
        if not asked.system or asked.has("instructions"):
            return None
        said, given = passage.words, _words(asked.system)
        covered = _copied(said, given, _GRAM)
        number = sum(covered)
        if number < self._policy.recited_min_words or number < self._policy.recited_share * len(said):
            return None
        if not any(self._kinds(line) for line in _sentences(passage.text)):
            return None
        sentence = f"{number} of the answer's {len(said)} words are recited from its instructions"
        return Finding("regurgitation", sentence, _whole(passage))

    def _system_sentences(self, passage: Passage, asked: Asked) -> Finding | None:
        """A heading that announces the instructions, or sentences most of which stand in the system text.

        Facts of the system text may be told: who speaks to the model must be among them, or nearly all of it.
        """
        is_heading = _HEADING.match(passage.visible) is not None
        if not (is_heading or asked.system) or asked.has("instructions", "template"):
            return None
        if is_heading:
            sentence = f"the answer recites instructions to a model: {shown(passage.visible.strip())}"
            return Finding("regurgitation", sentence, _whole(passage))
        given = {tuple(_words(line)) for line in _sentences(asked.system)}
        told = [line for line in _sentences(passage.visible) if _words(line)]
        copied = [line for line in told if tuple(_words(line)) in given]
        if len(copied) < _MIN_LINES - 1 or len(copied) <= _MOST * len(told):
            return None
        speaks = any(_SECOND_PERSON.match(line) for line in copied)
        is_long = len(copied) >= _MIN_LINES
        speaks = speaks or (is_long and not asked.languages.isdisjoint(("es", "pt")) and _verb_comes_first(copied))
        instructs = any(self._kinds(line) for line in copied)
        if not (speaks or instructs or (is_long and len(copied) >= _NEARLY_ALL * len(given))):
            return None
        sentence = f"{len(copied)} of the answer's {len(told)} sentences are recited from its instructions"
        return Finding("regurgitation", sentence, _whole(passage))

    def _lines_alone(self, passage: Passage, asked: Asked) -> Finding | None:
        """Sentences that instruct a model: much of the answer, or all of a short one; a lone line is not yet one."""
        if not self._lines.candidates(passage.visible):
            return None
        sentences = _sentences(passage.visible)
        if len(sentences) < 2:
            return None
        hits = [self._kinds(line) for line in sentences]
        kinds = {number for own in hits for number in own}
        matched = [line for line, own in zip(sentences, hits, strict=True) if own]
        few = 2 <= len(sentences) <= _MIN_LINES and len(matched) == len(sentences)
        few = few and (len(sentences) < _MIN_LINES or len(kinds) >= 2)
        many = len(matched) >= _MIN_LINES and len(kinds) >= 2 and len(matched) >= 0.4 * len(sentences)
        if not (few or many) or asked.has("instructions", "template", "dialogue"):
            return None
        sentence = f"the answer recites instructions to a model: {shown(matched[0])}"
        return Finding("regurgitation", sentence, _whole(passage))


def _verb_comes_first(lines: Sequence[str]) -> bool:
    """Whether a line opens with a verb of the second person, as in Spanish and Portuguese."""
    return any(_SECOND_PERSON_VERB.match(line) for line in lines)


def _question_back(passage: Passage, asked: Asked) -> Finding | None:
    """The prompt, or the question at its end, word for word and nothing else, where no copy of it is asked for."""
    said, given = passage.words, asked.prompt.strip()
    if len(said) < _QUESTION_WORDS or not asked.words.issuperset(said) or asked.has("repetition"):
        return None
    last = _sentences(given)[-1:]
    questions = [given, *(line for line in last if line.endswith(_QUESTION_MARKS))]
    if not any(said == _words(question) for question in questions) or _COPYING.search(asked.prompt):
        return None
    return Finding("echo", "the answer only repeats the prompt", _whole(passage))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _sentences(text: str) -> list[str]:
    found = (match.group().strip() for match in _SENTENCE.finditer(text))
    return [line for line in found if any(char.isalpha() for char in line)]


def _copied(said: Sequence[str], given: Sequence[str], size: int) -> list[bool]:
    """For each word said whether it lies in a run of ``size`` words of the given ones."""
    size = max(1, min(size, len(given)))
    grams = {tuple(given[index : index + size]) for index in range(len(given) - size + 1)}
    covered = [False] * len(said)
    last = 0
    for index in range(len(said) - size + 1):
        if tuple(said[index : index + size]) in grams:
            for place in range(max(index, last), index + size):
                covered[place] = True
            last = index + size
    return covered


def _whole(passage: Passage) -> tuple[int, int]:
    return 0, len(passage.text)
