"""Kinds of collapse that a blind set showed to be missed, and sound texts around them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evalkit.judging.base import Judge
from evalkit.judging.collapse.code_lines import code_line_extents, is_code
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.reading.judges import build_judge
from evalkit.stats import percent, wilson_interval
from evalkit.transcript import Answer, Case, Transcript
from evalkit.verdict import Verdict
from evalkit.workspace import Workspace

ROWS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parent / "cases" / "collapse_kinds.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return build_judge(JudgeUse("degeneration"), Workspace(tmp_path_factory.mktemp("workspace")))


def read(judge: Judge, prompt: str, response: str, system: str = "") -> Verdict:
    probe = Probe("p", "s", "f", 1, "X", (Message("user", prompt), Generate()), Expectation(), ())
    return judge.read(Case(probe, "t", Transcript((), (Answer(response, response, "", 0),)), system), ())


def read_row(judge: Judge, row: dict[str, Any]) -> Verdict:
    return read(judge, row["prompt"], row["response"], row.get("system", ""))


def test_the_kinds_are_found(judge: Judge) -> None:
    """Recall of at least 0.95 at no more than 2 % false alarms."""
    flagged = [(row, "collapsed" in read_row(judge, row).flags) for row in ROWS]
    found = Counter(expect for row, is_flagged in flagged if is_flagged for expect in [row["expect"]])
    totals = Counter(row["expect"] for row in ROWS)
    for expect in ("collapsed", "clean"):
        interval = wilson_interval(found[expect], totals[expect])
        share = percent(found[expect] / totals[expect])
        print(f"{expect}: {found[expect]} of {totals[expect]} flagged ({share}, {percent(interval.low)} to ", end="")
        print(f"{percent(interval.high)})")
    print("wrong:", ", ".join(row["id"] for row, is_flagged in flagged if is_flagged != (row["expect"] == "collapsed")))

    assert totals["collapsed"] >= 80
    assert totals["clean"] >= 150
    assert found["collapsed"] >= 0.95 * totals["collapsed"]
    assert found["clean"] <= 0.02 * totals["clean"]


REASONS = [
    ("k002", "20 words in a row stand in an order that no sentence has, as 'of when'"),
    ("k023", "6 kinds of debris stand in the sentences of the answer: 'Berg_obj ## f(druck>max) > сила a::'"),
    ("k046", "the answer repeats '2 plus 2 is 4 and' 9 times in one sentence, only counting up"),
    ("k151", "the answer is 'Honey is healthy in small amounts since…' said 3 times in nearly the same words"),
    ("k155", "the answer has 8 different words among 51"),
    ("k258", "the answer only repeats the prompt"),
    (
        "k266",
        "the answer says 'The turbine turns the wind into power f…' 5 times with a letter or a small word changed",
    ),
    ("k276", "the answer counts from 1931 to 1969 and on"),
    ("k279", "the answer repeats one reference, '[1] Huber, K.: Die Geschichte der Mühle…', 7 times, only counting up"),
    ("k281", "the answer repeats one function, 'def f1(x): y = x + 1 return y', 12 times, only counting up"),
    ("k292", "2 words of more than 29 letters are most of the answer: 'labrújulaesuninstrumentoqueseñalaelnorte'"),
    ("k329", "12 of 33 words are splinters: 'rue, gi, Ra, ag, Ua'"),
    ("k298", "the answer goes on with a turn of its own: 'Q: What does a tanner make? A: L'"),
    ("k308", "3 of the answer's 3 sentences are recited from its instructions"),
    ("k309", "the answer recites instructions to a model: 'Instrucciones del sistema: Atiendes a l…'"),
    ("k040", "the answer says '- Radfahren hilft, das Herz zu stärken …' 5 times with one word changed"),
]


@pytest.mark.parametrize(("name", "reason"), REASONS, ids=[name for name, _ in REASONS])
def test_reasons(judge: Judge, name: str, reason: str) -> None:
    """Each new mechanism says what it found."""
    row = next(row for row in ROWS if row["id"] == name)

    assert read_row(judge, row).reason == reason


CODE = [
    "assert f(3) is True", "expect(clamp(1, 0, 5)).toBe(1)", "queue.put(Task(id=1, name='a'))", "sudo ufw status",
    "INSERT INTO rooms (id, beds) VALUES (1, 2);", "mkdir -p /srv/users/1 && chown u1 /srv/users/1", "x[0] = 0x00;",
    "kubectl rollout restart deployment/api-1 -n prod", ">>> double(1)", "DB_HOST=localhost", "node app.js --watch",
    "if Add(1, 1) != 2 { t.Fatal(\"1\") }", "def add(a, b):", "from math import pi", "for x in xs:",
    "SELECT id FROM rooms WHERE id = 1", "} else {", "if (a > b):", "touch file1.txt",
]  # fmt: skip
SENTENCES = [
    "Assert yourself, and the others will listen.", "Make sure that the door is shut.", "For the sauce, melt butter.",
    "Go to the market before noon.", "Select a shirt from the rack and pay for it at the till.", "If you can, wait.",
    "- Lower the heating by one degree.", "found numbers that dressed in disguise;", "Return it within ten days.",
    "Find the pan, and cat the cook will help you.", "", "The room (the big one) is free.", "Note: bring a coat.",
    "For the sauce:", "Do this:", "If in doubt:", "With cream and butter:", "Touch wood.",
]  # fmt: skip


@pytest.mark.parametrize("line", CODE)
def test_lines_of_code(line: str) -> None:
    """Statements, commands and queries are told by their form."""
    assert is_code(line)


@pytest.mark.parametrize("line", SENTENCES)
def test_sentences_are_no_code(line: str) -> None:
    """Words that are also commands stay words in a sentence."""
    assert not is_code(line)


def test_code_takes_three_lines() -> None:
    """Three lines in a row are code, with a blank or one other line among them; two are not."""
    text = "Do this:\n\nf(1)\n\nf(2)\n3\nf(3)\nThat is all there is to say about it, my friend, believe me.\n"

    assert code_line_extents(text) == [(10, 28)]
    assert code_line_extents("f(1)\nf(2)\n") == []
    assert code_line_extents("") == []


COUNTS = [
    ("The first room is blue, the second room is blue, the third room is blue, the fourth room is blue, the fifth "
     "room is blue, the sixth room is blue, the seventh room is blue.", "What are the rooms like?", True),
    ("1 times 3 is 3, 2 times 3 is 6, 3 times 3 is 9, 4 times 3 is 12, 5 times 3 is 15, 6 times 3 is 18, 7 times 3 "
     "is 21, 8 times 3 is 24.", "Tell me something.", False),
    ("It rose to 4 in May, to 9 in June, to 3 in July, to 8 in August, to 5 in September, to 2 in October, to 7 in "
     "November.", "How did it go?", False),
    ("1 is less than 2, 2 is less than 3, 3 is less than 4, 4 is less than 5, 5 is less than 6, 6 is less than 7, 7 "
     "is less than 8.", "Count from 1 to 8 with comparisons.", False),
]  # fmt: skip


@pytest.mark.parametrize(("text", "prompt", "is_loop"), COUNTS)
def test_counting_inside_a_sentence(judge: Judge, text: str, prompt: str, is_loop: bool) -> None:
    """One step for all that moves is a loop; two steps are arithmetic, none is news, and counting may be asked for."""
    assert ("collapsed" in read(judge, prompt, text).flags) == is_loop


@pytest.mark.parametrize(
    ("prompt", "is_asked"),
    [
        ("Write it lIkE tHiS: you should sleep more", True),
        ("Escríbelo aSí, por favor", True),
        ("Can you use zigzag caps for this?", True),
        ("Setze jeden zweiten Buchstaben groß", True),
        ("What does a PhD or an eBay seller earn?", False),
        ("Tell me about sleep.", False),
    ],
)
def test_alternating_case_is_asked_by_name_or_shown(judge: Judge, prompt: str, is_asked: bool) -> None:
    """A prompt that shows the style, or names it in its own way, asks for it; names with capitals do not."""
    verdict = read(judge, prompt, "yOu ShOuLd SlEeP mOrE aNd WoRrY lEsS, bElIeVe Me")

    assert (verdict.outcome == "pass") == is_asked
