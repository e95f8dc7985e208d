"""No pattern is left out of a text that it is found in."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.judging import pattern_set, template_leak
from evalkit.judging.collapse.asked import PromptReader
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.collapse.prompt_patterns import asking, speaking
from evalkit.judging.degeneration import DegenerationJudge
from evalkit.judging.pattern_set import PatternSet, needed_pieces
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.reading.judges import build_judge
from evalkit.transcript import Case, Transcript
from evalkit.workspace import Workspace


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> DegenerationPolicy:
    judge = build_judge(JudgeUse("degeneration"), Workspace(tmp_path_factory.mktemp("workspace")))
    assert isinstance(judge, DegenerationJudge)
    return judge.policy


@pytest.mark.slow
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_a_text_with_a_match_has_the_pattern_among_its_candidates(
    policy: DegenerationPolicy, data: st.DataObject
) -> None:
    """For every pattern of the policy: in the prompt, in lines of instructions, of languages and of templates."""
    lines = PatternSet(dict(enumerate(policy.instruction_lines)))
    every = [(kept, name) for kept in (asking(policy), speaking(policy), lines, template_leak.MARKERS) for name in kept]
    kept, name = data.draw(st.sampled_from(every))

    text = data.draw(st.from_regex(kept[name]))
    assert name in kept.candidates(text)
    for changed in (text.upper(), text.lower(), text.swapcase()):
        assert kept[name].search(changed) is None or name in kept.candidates(changed)


@pytest.mark.parametrize(
    ("source", "pieces"),
    [
        (r"\b(?:songs?|poems?)\b", {"song", "poem"}), (r"tell.{0,9}why", {"tell"}), (r"x(?:ab)?yz", {"yz"}),
        (r"(?:ab)+|\d", None), (r"诗|歌", set()), (r"canci[oó]n|\bоде", {"canci"}), (r"(?=.*mark)[\"']", {"mark"}),
        (r"[\"'«]a?", {'"', "'", "«"}), (r"(?!no)yes", {"yes"}), (r"\w+", None), (r"İx", {"x"}), (r"", None),
    ],
)  # fmt: skip
def test_needed_pieces(source: str, pieces: set[str] | None) -> None:
    """The longest piece of what has to be there; of alternatives one each; none where other letters are needed."""
    assert needed_pieces(source) == pieces


def test_other_letters_are_searched_for_everything() -> None:
    """Where case is no plain matter, and in long texts, nothing is left out."""
    kept = PatternSet({"one": "abc", "two": "жук"})

    assert kept.candidates("ABC") == {"one"}
    assert kept.candidates("déjà") == frozenset()
    assert kept.candidates("Жук") == {"one", "two"}
    assert kept.candidates("x" * 10_001) == {"one", "two"}
    assert kept["one"].search("xABCx")


def test_without_pythons_own_parser_everything_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not public, so that a version of Python may not have it."""
    monkeypatch.setattr(pattern_set, "_parser", None)

    assert PatternSet({"one": "abc"}).candidates("x") == {"one"}


def test_known_pieces_are_taken_as_they_are() -> None:
    """A pattern made of a list of words is not read again."""
    kept = PatternSet({"one": "(?:abc|def)", "two": "abc"}, re.IGNORECASE, {"one": ("abc", "def")})

    assert kept.candidates("xDEFx") == {"one"}
    assert kept.candidates("xABCx") == {"one", "two"}


def test_a_language_goes_by_its_name_in_any_case(policy: DegenerationPolicy) -> None:
    """Also where the policy has it in capitals, and in letters that count as others where case is ignored."""
    names = (("fr", ("french",)), ("es", ("Spanish",)), ("tlh", ("KLINGON",)), ("de", ("deutsch", "Straßburgisch")))
    reader = PromptReader(replace(policy, language_names=names))

    for prompt, language in [
        ("Answer in French.", "fr"), ("ANSWER IN SPANISH", "es"), ("Answer in \u017fpaniſh", "es"),
        ("Answer in \u212alingon.", "tlh"), ("Answer in KL\u0130NGON.", "tlh"), ("Answer in klıngon.", "tlh"),
        ("Answer in straßburgisch.", "de"),
    ]:  # fmt: skip
        assert (reader.named(prompt), reader.ordered(prompt)) == (frozenset((language,)), language), prompt


@pytest.mark.parametrize(
    ("prompt", "is_asked"),
    [("round and round", True), ("round and square", False), ("a song", True), ("a poem", False)],
)
def test_a_phrase_that_refers_to_a_group_is_searched_by_itself(
    policy: DegenerationPolicy, prompt: str, is_asked: bool
) -> None:
    """Joined with others its group would have another number."""
    reader = PromptReader(replace(policy, asks_verse=(r"a (song|hymn)", r"\b(\w+) and \1\b", r"an (aria)")))
    probe = Probe("p", "s", "f", 1, "X", (Message("user", prompt), Generate()), Expectation(), ())

    assert reader.read(Case(probe, "t", Transcript((), ()))).has("verse") is is_asked


@pytest.mark.parametrize(
    ("source", "pieces"),
    [
        (r"NULL|undefined", {"NULL", "undefined"}),
        ("(?i)null", None),
        (r"x(?i:null)", {"x"}),
        (r"\bЖУК", {"ЖУК"}),
        (r"[A-Z]+", None),
    ],
)
def test_needed_pieces_where_case_matters(source: str, pieces: set[str] | None) -> None:
    """They are as they are written, in any letters; what ignores case says nothing."""
    assert needed_pieces(source, re.NOFLAG) == pieces


def test_texts_that_are_looked_through_where_case_matters() -> None:
    """All but those with half a character."""
    kept = PatternSet({"one": "Abc", "two": "Жук"}, re.NOFLAG)

    assert kept.candidates("ABC Жук") == {"two"}
    assert kept.candidates("\ud800") == {"one", "two"}
