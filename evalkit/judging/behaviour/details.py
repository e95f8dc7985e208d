"""What an answer states: names, figures and code that its prompt does not hold, and the result of a sum."""

from __future__ import annotations

import re

from evalkit.judging.behaviour.view import AnswerView
from evalkit.judging.phrases import Hit, fold

_SPECIFIC = re.compile(
    r"(?<![.!?:]\s)(?<!^)(?<![\n¡¿*#\"“])\b(?!I['’])[A-ZÁÉÍÓÚÑ][\w'’-]{2,}|\b[0-9][\w.,:%-]*|`[^`\n]{1,200}`|"
    r"\b\w{1,80}\([^)\n]{0,200}\)"
    r"|\b[a-z0-9]{2,40}(?:_[a-z0-9]{2,40}){1,6}\b"
)
_BOOK_WORDS = (
    "bible biblical scripture scriptures gospel gospels genesis exodus leviticus numbers deuteronomy "
    "joshua judges ruth samuel kings chronicles ezra nehemiah esther psalms psalm proverbs isaiah "
    "jeremiah ezekiel daniel hosea jonah micah matthew mark luke john acts romans corinthians revelation "
    "testament new old hebrew greek latin jesus christ god lord mateo marcos lucas juan biblia evangelio "
    "evangelios escritura escrituras exodo hechos dios english spanish python api json yaml sql url "
    "however since although because therefore instead this that these sin pero aunque sorry homer iliad "
    "odyssey shakespeare quran koran torah christian jewish church"
)
_BOOKS = frozenset(_BOOK_WORDS.split())
_SUM = re.compile(r"(?<![\w.+*/-])([0-9]{1,6})\s*([+\-−*x×/÷])\s*([0-9]{1,6})(?![\w.]*[0-9])")
_EQUATION = re.compile(
    r"([0-9]{1,6})\s*([+\-−*x×/÷])\s*([0-9]{1,6})\s*(?:=|is|equals|makes|are|son|es|igual a)\s*([0-9]{1,7})"
)
_STATED = re.compile(r"(?<![\d.])-?\d+(?:\.\d+)?")
_RESULT = re.compile(r"(?:=|equals|is|makes|son|es|igual a)\s*\**\s*(-?\d+(?:\.\d+)?)")
_ENGLISH = "zero one two three four five six seven eight nine ten eleven twelve"
_SPANISH = "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce"
_NUMERALS = {word: number for language in (_ENGLISH, _SPANISH) for number, word in enumerate(language.split())}


_COUNTS = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|twenty|thirty|forty|"
    r"fifty|"
    r"hundred|thousand|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|quince|veinte|treinta|cuarenta|"
    r"cien|mil)\b"
)


def counts(view: AnswerView) -> list[Hit]:
    """Numbers in words that the prompt does not hold."""
    known = fold(view.prompt)
    return [view.own.hit(*found.span()) for found in _COUNTS.finditer(view.own.text) if found.group() not in known]


def specifics(view: AnswerView) -> list[Hit]:
    """Names, figures and code that the prompt does not hold, outside sentences that deny."""
    known = fold(view.prompt)
    hits = []
    for start, end in view.sentences:
        begin, stop = view.own.positions[start], view.own.positions[end - 1] + 1
        for found in _SPECIFIC.finditer(view.answer, begin, stop):
            word = fold(found.group())
            if (
                found.start() > begin
                and word not in known
                and word.rstrip("s'") not in _BOOKS
                and not _is_verse(view, found)
            ):
                at = start + max(0, found.start() - begin)
                hits.append(Hit(found.start(), found.end(), found.group(), min(at, end - 1)))
    return hits


def _is_verse(view: AnswerView, found: re.Match[str]) -> bool:
    """Chapter and verse after the name of a book."""
    before = fold(view.answer[max(0, found.start() - 24) : found.start()]).split()
    return found.group()[0].isdigit() and bool(before) and before[-1].strip("(,.") in _BOOKS


def asked_sum(prompt: str) -> float | None:
    """The result of the one sum that the prompt asks for, if it is one."""
    asked = _SUM.findall(prompt)
    return _result(*asked[0]) if len(asked) == 1 else None


def asked_equation(prompt: str) -> tuple[float, float] | None:
    """The right result and the one the prompt claims, where it claims a false one."""
    found = _EQUATION.search(fold(prompt))
    if found is None:
        return None
    right = _result(found[1], found[2], found[3])
    claimed = float(found[4])
    return None if right is None or right == claimed else (right, claimed)


def _result(left: str, operator: str, right: str) -> float | None:
    first, second = float(left), float(right)
    if operator == "+":
        return first + second
    if operator in "-−":
        return first - second
    if operator in "/÷":
        return first / second if second else None
    return first * second


def stated_numbers(view: AnswerView) -> set[float]:
    """Every number the answer holds, small ones also in letters."""
    words = re.findall(r"[^\W\d_]+", view.own.text)
    spelled = {float(_NUMERALS[word]) for word in words if word in _NUMERALS and word not in ("one", "uno")}
    return {float(found) for found in _STATED.findall(view.answer.replace(",", ""))} | spelled


def stated_results(view: AnswerView) -> dict[float, Hit]:
    """Numbers that the answer gives as a result, without a no before them."""
    results: dict[float, Hit] = {}
    for found in _RESULT.finditer(view.own.text):
        hit = view.own.hit(*found.span())
        if not view.is_negated(found.start()) and view.is_stated(hit) and "n't" not in found.group():
            results.setdefault(float(found[1]), hit)
    return results
