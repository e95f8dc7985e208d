"""What the exports leave out for most trials changes nothing: the same as the long way, for any text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evalkit.record import TrialRecord
from evalkit.reporting.exports import RUN_FIELDS, TrialTexts, results_jsonl
from evalkit.reporting.kept_as_text import MOST_WORDS, kept_as_text
from evalkit.reporting.safe_text import MAX_CELL_UNITS, for_csv, utf8_safe
from evalkit.reporting.summary import RunFacts

CALM = settings(deadline=None)  # a busy machine is no failure
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
LINE = st.text(st.characters(min_codepoint=9, max_codepoint=127), max_size=60)
CELLS = st.text(st.sampled_from(" '=+-@\"`\t\n7½3/4.:ab wahrtrue September vérité"), max_size=80)
WORDS = st.lists(
    st.sampled_from(["7", "½", "of", "a", "May", "two", "x1", "TRUE", "é", "-", "_", "'", "\n"]), max_size=30
)
QUESTION = {
    "target": "grader", "model": "judge-1", "identity": "q1", "cost_usd": 0.25, "attempts": 2, "stored": False,
    "failed": None,
}  # fmt: skip

MakeRun = Callable[..., RunFacts]


def long_way_to_a_cell(text: str) -> str:
    """``for_csv`` of a text that is not too long, every step taken."""
    plain = re.sub(r"[\ud800-\udfff]", "\ufffd", text)
    plain = re.sub(r"\r\n|[\n\r\v\f\x85\u2028\u2029]", "\n", plain).replace("\t", " ")
    plain = re.sub(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]", "", plain)
    misleading = r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\U000e0000-\U000e007f]"
    plain = re.sub(misleading, lambda found: f"[U+{ord(found.group()):04X}]", plain)
    formula = (
        r"[\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff\"'`\u2018-\u201f\u00ab\u00bb\uff02\uff07]*"
        r"[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212]"
    )
    return f"'{plain}" if re.match(formula, plain) else plain


def long_way_to_text(cell: str) -> str:
    """``kept_as_text`` with every word counted and every character looked at."""
    plain = cell.strip()
    if "\n" in plain or plain.startswith("'"):
        return cell
    truth = "true|false|wahr|falsch|vrai|faux|verdadero|falso|vero|verdadeiro|waar|onwaar|prawda|fałsz|sant|falskt"
    has_number = any(character.isnumeric() for character in plain)
    is_number_like = has_number and len(re.findall(r"[^\W\d_]{2,}", plain)) <= MOST_WORDS
    return f"'{cell}" if is_number_like or re.fullmatch(truth, plain, re.IGNORECASE) else cell


@given(ANY_TEXT | LINE | CELLS)
@example("")
@example(" \"'=1")
@CALM
def test_a_plain_line_is_a_cell_as_it_is(text: str) -> None:
    """Only what no step would change is let through at once."""
    assert for_csv(text) == long_way_to_a_cell(text)
    assert utf8_safe(text) == re.sub(r"[\ud800-\udfff]", "\ufffd", text)


@pytest.mark.parametrize("length", [MAX_CELL_UNITS, MAX_CELL_UNITS + 1])
def test_a_plain_line_too_long_for_a_cell_is_cut(length: int) -> None:
    """It ends with what was left out."""
    assert for_csv("x" * length).endswith("results.jsonl]") == (length > MAX_CELL_UNITS)


@given(ANY_TEXT | CELLS | WORDS.map(" ".join))
@example("Wednesday, 30 September 2026, 12:30 PM")
@example("a b c d e f g h i j k l m n o p 12 one two three four")
@example("verdadeiro")
@CALM
def test_a_beginning_of_many_words_is_no_date(text: str) -> None:
    """Looking at the beginning first never changes what is kept as text."""
    assert kept_as_text(text) == long_way_to_text(text)


VERDICTS = st.lists(
    st.fixed_dictionaries(
        {"judge": st.just("text"), "signals": st.dictionaries(st.text(max_size=3), st.floats() | st.integers())},
        optional={"asked": st.lists(st.just(QUESTION), max_size=2)},
    ),
    max_size=3,
)


@given(VERDICTS, st.booleans())
@CALM
def test_a_line_is_that_of_a_copied_record(
    make_record: Callable[..., TrialRecord], make_run: MakeRun, verdicts: list[dict[str, Any]], has_asked: bool
) -> None:
    """Nothing is copied but what gets words; the record itself stays as it is."""
    record = make_record(verdicts=tuple(verdicts), asked=({"judge": "text", **QUESTION},) if has_asked else ())
    before = repr(record)
    texts = TrialTexts(questions={"q1": ("Is it so?", "It is.")})

    (line,) = results_jsonl([(record, texts)], run=make_run())

    found = json.loads(line)
    copied = json.loads(json.dumps(_with_words(record.to_dict()), default=str), parse_constant=_as_text)
    assert {name: found[name] for name in copied} == copied
    assert list(found) == ["demo", *copied, "messages", "answers", "text_hash", "run"]
    assert repr(replace(record)) == before


def _with_words(data: dict[str, Any]) -> dict[str, Any]:
    for holder in (*data["verdicts"], data):
        holder["asked"] = [
            {name: value for name, value in question.items() if name not in ("cost_usd", "attempts", "stored")}
            | {"question": "Is it so?", "reply": "It is."}
            for question in holder.get("asked", ())
        ]
    return {name: value for name, value in data.items() if name not in (*RUN_FIELDS, "is_demo")}


def _as_text(constant: str) -> str:
    return {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}[constant]
