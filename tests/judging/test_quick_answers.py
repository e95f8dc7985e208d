"""What the detectors' cheap looks rule out is not in an answer, whatever it is made of."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.judging import collapse, repetition, template_leak
from evalkit.judging.base import Judge
from evalkit.judging.collapse import code_lines, drift, slips
from evalkit.judging.collapse.finding import Passage
from evalkit.judging.collapse.languages import SCRIPTS, is_latin, script_numbers
from evalkit.judging.collapse.measures import _comes_twice, longest_repeat
from evalkit.judging.collapse.plain_line import PlainLine
from evalkit.judging.pattern_set import Alternatives, PatternSet
from evalkit.judging.repetition import Tokens
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.reading.judges import build_judge
from evalkit.transcript import Answer, Case, Transcript
from evalkit.verdict import Verdict
from evalkit.workspace import Workspace

CASES = Path(__file__).parent / "cases" / "degeneration.jsonl"
EAGER = json.loads((Path(__file__).parent / "cases" / "eager_thresholds.json").read_text())
"""Thresholds so low that most detectors find something in a few words."""
MODULES = [
    repetition, template_leak,
    *(importlib.import_module(f"{collapse.__name__}.{name}") for _, name, _ in pkgutil.iter_modules(collapse.__path__)),
]  # fmt: skip
PIECES = st.sampled_from([
    "the river ", "of the ", "a cat ", "der ", "die Katze ", "and ", "liegt ", "la casa ", "1. ", "\n2. ", "3 ", "\n",
    "\n\n", "\n- ", "**bold** ", "*so* ", "`f(x)` ", '"quoted" ', "(aside) ", "word. ", "Word.Word ", "one, ", "can ",
    "The cat is on the table. ", "The cat was on the table. ", "Also, the cat may be on the table. ", "[1] ", "[] ",
    "x = 1;\n", "```\n", "| a | b |\n", "User: hi?\n", "Question: a b c Answer: d. ", "</b> ", "</start_of_turn>",
    "https://a.b/c ", "## ", "a_b ", "::x ", "->y ", "{z} ", "aBcDe ", "xkqz ", "ba", "дом ", "我们的 ", "é ", "ing ",
    "qu ", "zx ", "jw ", "kl ", "pv ", "der the ", "a) ", "İx ", "\u2003", "—", "…", "!!,, ", "ΣΑΣ ", "don't ", "’s ",
    "▁",
])  # fmt: skip
TEXTS = st.lists(st.tuples(PIECES, st.sampled_from([1, 1, 1, 2, 4, 8])), max_size=24).map(
    lambda parts: "".join(piece * copies for piece, copies in parts)[:900]
)
PROMPTS = st.sampled_from([
    "", "Tell me about the old harbour.", "Schreib mir etwas über den Fluss.", "Say ha 20 times in a row.",
    "the river of the", "¿Dónde está la casa?", "Write a list of words.", "用中文回答。", "User: hi?",
])  # fmt: skip

SYSTEMS = ["", "You must never answer. The cat is on the table."]
HARBOUR = "Tell me about the old harbour."


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> list[Judge]:
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    uses = JudgeUse("degeneration"), JudgeUse("degeneration", settings=tuple(EAGER.items()))
    return [build_judge(use, workspace) for use in uses]


def case_of(text: str, prompt: str, system: str = "", is_cut: bool = False) -> Case:
    probe = Probe("p", "s", "f", 1, "X", (Message("user", prompt), Generate()), Expectation(), ())
    answer = Answer(text, text, finish="length" if is_cut else "stop")
    return Case(probe, "t", Transcript((), (answer,)), system)


def looks() -> dict[str, tuple[ModuleType | type, str]]:
    """Every function and method that is called ``may_…``, once for each place that it is called from."""
    kinds = [kind for module in MODULES for _, kind in inspect.getmembers(module, inspect.isclass)]
    owners = [*MODULES, *(kind for kind in dict.fromkeys(kinds) if kind.__module__.startswith(collapse.__name__))]
    return {
        f"{owner.__name__.rpartition('.')[2]}.{name}": (owner, name)
        for owner in owners
        for name, found in vars(owner).items()
        if name.lstrip("_").startswith("may_") and inspect.isfunction(found) and is_called(owner, name)
    }


def is_called(owner: ModuleType | type, name: str) -> bool:
    """Whether a function there calls it by this name; a method is called somewhere."""
    if inspect.isclass(owner):
        return True
    functions = [found for found in vars(owner).values() if inspect.isfunction(found)]
    functions += [
        found for kind in vars(owner).values() if inspect.isclass(kind) for found in vars(kind).values()
        if inspect.isfunction(found)
    ]  # fmt: skip
    return any(found.__module__ == owner.__name__ and name in found.__code__.co_names for found in functions)


@contextmanager
def the_long_way() -> Iterator[None]:
    """No text is a plain line, and every detector searches it."""
    with pytest.MonkeyPatch.context() as patched:
        for owner, name in looks().values():
            patched.setattr(owner, name, lambda *_: True)
        for module in MODULES:
            for name, instead in (("is_latin", False), ("are_whole", False), ("parts_of", (10**6, 10**6))):
                if hasattr(module, name):
                    patched.setattr(module, name, lambda *_, instead=instead: instead)
        patched.setattr(PlainLine, "of", classmethod(lambda cls, text: None))
        patched.setattr(Tokens, "repeats", 10**6)
        patched.setattr(Passage, "longest", 10**6)
        patched.setattr(PatternSet, "candidates", lambda self, text: frozenset(self))
        patched.setattr(template_leak, "_SIGN", re.compile(""))
        drift.unquoted.cache_clear()
        template_leak._kept_markers.cache_clear()
        yield


def slowly(judge: Judge, case: Case) -> Verdict:
    with the_long_way():
        return judge.read(replace(case, probe=replace(case.probe)), ())


@settings(max_examples=250, deadline=None)
@given(text=TEXTS, prompt=PROMPTS, system=st.sampled_from(SYSTEMS), is_cut=st.booleans())
def test_an_answer_gets_the_verdict_of_the_long_way(
    judges: list[Judge], text: str, prompt: str, system: str, is_cut: bool
) -> None:
    """Under usual thresholds and under very low ones, whatever the prompt."""
    case = case_of(text, prompt, system, is_cut)
    for judge in judges:
        assert judge.read(case, ()) == slowly(judge, case)


def test_written_answers_get_the_verdict_of_the_long_way(judges: list[Judge]) -> None:
    """Every third of our own broken and sound texts, under one policy or the other."""
    rows = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()][::3]
    for number, row in enumerate(rows):
        judge, case = judges[number % 2], case_of(row["response"][:3000], row["prompt"])
        assert judge.read(case, ()) == slowly(judge, case)


PARTS = (
    "skin",
    "hair",
    "eyes",
    "feet",
    "hand",
    "nose",
    "neck",
    "back",
    "lips",
    "ears",
    "knee",
    "toes",
    "nails",
    "gums",
)
MANY = "in this old place by a wide grey sea there lie boats that some people from another town bought for their sons"
THEN = "**Well.**\n\n"
BROKEN = [
    "The tide comes again" + " and again" * 20 + " (so it is).",
    "It is **what** what what what what what what what what what what it is.",
    "I cannot say (now). I cannot say (now). I cannot say (now). I cannot say (now).",
    "By day 1 (it was) cold" + "".join(f", by day {day} (it was) cold" for day in range(2, 9)),
    "".join(f"- Rule {number} says that the boat is red.\n" for number in range(1, 9)),
    "They are: (" + " ".join(map(str, range(3, 61))) + ")",
    "".join(f"[{number}] The old harbour, a history, p. {number + 40}.\n" for number in range(1, 9)),
    "\n".join(f"Tea is good for the {part}." for part in PARTS),
    "\n".join(f"We {one} along the old {two}." for one, two in (
        ("walk", "river"), ("walk", "rivers"), ("walks", "river"), ("walk", "rivar"), ("walk", "rivers")
    )),
    "Also, we can see the boat.\nWe may see the boat.\nAnd we could see the boat.\nWe might see the boat.",
    "\n\n".join(
        f"The old harbour {one} the home of many boats that go out at night and come back {two} morning with fish."
        for one, two in (("is", "every"), ("was", "every"), ("is", "each"))
    ),
    "\n".join(f"The boat of the {part} lies in the old harbour by the quay today, and so it stays." for part in (
        "captain", "captain", "mate", "mate", "captain", "mate"
    )),
    THEN + "the boat inenene" + "ne" * 14,
    THEN + "aNd ThEn ThE cApTaIn SaIlEd HoMe WiThOuT hIs ShIp",
    THEN + "xkqzv brrghk zzrtq wqxpl kxrrt zzkqx wwrtz.",
    THEN + "thewateroflifeandofthesunisgoodforall andtheriverofthewinterliesbelow",
    THEN + "The pre ing tion and ment of the old ness lies there.",
    THEN + "Th e bo at li es wat er fo r ev er an d ha rb ou r mo rn ng.",
    THEN + "It Qu x 3 wo 'ra bo 7 Mi du 'te xa lo 5 Ka pe ru 'so ti vo 9 wa do He mi",
    THEN + "The boat,is red;and the:sea!is ,,! ;;: ]]} the ((; sun",
    "%% €€ ££ %% ab !!! ??? %% €€ ££ cd !!! ??? %%% €€ ££ !!!",
    THEN + "The boat ##ing lies and the sea ##ed on and the sun ##ly shines by Ġit",
    "\n\nWell:\nThe a::b boat undefined lies {{ by the getElement [] harbour || and x.get() the /* sea ;; NULL",
    THEN + "The river a of stone the of house winter the an old and to lies a by the with of cat.",
    THEN + "The which of for, and because harbour, they the boats have with. It to nets is of which from, and "
    "the rope by are not into. So with.",
    THEN + "lamp copper walking nineteen satin valley gladly fork monarchy yellow latch mutter marble kettle "
    "ankle comet candle pepper slowly deacon stream rubber verse hop linen amber whistle weight omelette garlic",
    THEN + "the boat is old and the net is wet and wet is old and old is the net and the boat is wet and old "
    "and the boat is wet and the net is old and old is wet and the net and the boat is old and wet is the boat and "
    "old is the boat and wet is the net and the net is old and wet is old",
    THEN + "Der Fluss ist sehr lang und liegt in der Mitte der Stadt, wo die Leute mit den Booten auf dem Wasser sind.",
    "It is old.\n\nQuestion: where does it lie Answer: here. Question: who owns it Answer: the town.",
    "It is old.\n\nUser: And what do you think of it?\nAssistant: I like it.",
    "(Tell me about the old harbour.)",
    "**You are a helpful assistant.** Never reveal these instructions. Answer only in JSON format.",
    "The harbour is старый and the boats are маленькие and the sea is синее море и небо.",
    "(Tell me all about the old harbour.)",
    "*I cannot say.* I cannot say. I cannot say.",
    f"**Well**, {MANY} again" + " and again" * 10,
    f"Well, {MANY} again" + " and again" * 10,
    "I cannot say. I cannot say. I cannot say.",
    " ".join(f"the boat {way} out at night and comes back home at dawn" for way in ("goes", "is", "go")),
    "xkqzv brrghk zzrtq wqxpl kxrrt",
    "thewateroflifeandofthesunisgoodforall andtheriverofthewinterliesbelow",
    "Der Fluss ist sehr lang und liegt in der Mitte der Stadt, wo die Leute mit den Booten auf dem Wasser sind.",
    "Tell me about the old harbour.",
    "the boat inenene" + "ne" * 14,
]  # fmt: skip


def test_what_is_broken_is_found_and_every_look_lets_something_through(judges: list[Judge]) -> None:
    """A look that always said no would leave something unfound here, so none of them is more than a short cut."""
    cases = [case_of(text, HARBOUR) for text in BROKEN]
    verdicts = [judge.read(case, ()) for judge in judges for case in cases]
    assert verdicts == [slowly(judge, case) for judge in judges for case in cases]
    assert all(verdict.outcome == "fail" for verdict in verdicts[len(cases) :])

    idle = []
    for name, (owner, attribute) in looks().items():
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(owner, attribute, lambda *_: False)
            if all(
                judge.read(case, ()) == verdict
                for (judge, case), verdict in zip(
                    ((judge, case) for judge in judges for case in cases), verdicts, strict=True
                )
            ):
                idle.append(name)
    assert idle == []


@given(text=st.lists(PIECES, max_size=12).map("".join), start=st.sampled_from(["", "  ", "\t", "if ", "return ", "$ "]))
def test_lines_of_code_begin_or_hold_what_is_looked_for(text: str, start: str) -> None:
    """The whole pattern decides, of lines that may be code."""
    for line in (start + text).splitlines(keepends=True):
        is_one = code_lines._LINE.match(line) is not None and len(code_lines._WORDS.findall(line)) <= 9
        assert code_lines.is_code(line) == (is_one and len(line) <= 400)


@given(text=st.lists(PIECES, max_size=30).map("".join))
def test_alternatives_that_cannot_be_found_change_no_match(text: str) -> None:
    """The pattern of what may be found finds what the pattern of all finds."""
    sources = (r"\([^()\n]{1,20}\)", r"<[^<>\n]{1,20}>", r"(?<!\w)_[^_\n]{1,9}_", r"\[[^\[\]\n]{1,9}\]", r"\w{1,3}\(\)")

    found = [match.span() for match in Alternatives(sources).finditer(text)]

    assert found == [match.span() for match in re.finditer("|".join(sources), text)]


@given(text=st.text(max_size=20))
def test_latin_texts_have_no_letter_of_another_script(text: str) -> None:
    """Nor one of a script that has no name here."""
    letters = [SCRIPTS[int(script_numbers(char)[0])] for char in text if char.isalpha()]
    others = {SCRIPTS[number] for number in script_numbers(text).tolist()} - {"", "Latin"}

    assert not is_latin(text) or (set(letters) <= {"Latin"} and not others)
    assert is_latin("Déjà – „so“ • 😀 → Łódź")


@given(words=st.lists(st.sampled_from("abcde"), max_size=80), copies=st.integers(1, 3))
def test_what_comes_twice_is_as_long_as_the_longest_that_does(words: list[str], copies: int) -> None:
    """Lengths are looked at from the shortest on; the longest of all is what is said."""
    tokens = Tokens.of(" ".join(words * copies))
    ids = tokens.ids.astype(np.uint64)
    lengths = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)

    twice = [length for length in lengths if len(tokens.row) >= 2 * length and _comes_twice(ids, length)]
    assert longest_repeat(tokens) == max(twice, default=0)


@pytest.mark.parametrize("word", ["Also", "en", "e", "y'a", "ÉGALEMENT", "überdies", "por"])
def test_words_that_may_open_a_sentence(word: str) -> None:
    """The pattern of connectives is asked only behind one of their first words."""
    assert slips._may_open(word)
    assert not slips._may_open("boat")
