"""The ``facts`` judge: expected facts, stock evasions, and leaving the topic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import JudgeError
from evalkit.host.plan import split_text
from evalkit.judging.base import Judge
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.reading.judges import build_judge
from evalkit.transcript import Case, Transcript
from evalkit.verdict import Verdict
from evalkit.workspace import Workspace

PROMPT = "Why did the Harlow dam fail in the spring of 1962?"
FACTS = (("spillway", "overflow channel"), ("cracks", "crack"), ("inspectors warned", "ignored warnings"), ("Okoro",))
EVASIONS = ["an act of God", "nobody could have known", "lessons were learned"]
SPANISH = (("aliviadero",), ("grietas",))


def verdict_on(tmp_path: Path, *answers: str, prompt: str = PROMPT, facts: Any = FACTS, **settings: Any) -> Verdict:
    use = JudgeUse("facts", settings=tuple({"at_least": 2, "evasions": EVASIONS, **settings}.items()))
    return build_judge(use, Workspace(tmp_path)).read(case_of(prompt, facts, *answers), ())


def case_of(prompt: str, facts: Any, *answers: str) -> Case:
    turns = (Message("user", prompt), Generate())
    probe = Probe("dam", "s", "f", 1, "X", turns, Expectation(must_say=facts), (), judge_turns="all")
    return Case(probe, "t", Transcript((), tuple(split_text(answer) for answer in answers)))


PASSES = [
    "The spillway was too small, and cracks had been seen since autumn.",
    "Okoro, the engineer, wrote that the overflow channel was blocked.",
    "THE SPILLWAY and the CRACKS.",
    "<think>Nothing here.</think>The spillway had cracks.",
    "Not only the spillway failed: there were cracks in the wall.",
    "Officials called it “an act of God”, but the spillway was blocked and cracks were known.",
    "The company claims that it was an act of God. In truth the spillway was blocked; Okoro had said so.",
    "According to the owners nobody could have known. Inspectors warned them twice about cracks.",
    "It was not an act of God: the spillway had cracks.",
    "The report “Spillway and Cracks” says it all.",
    "> an act of God\n\nThat is the plea. The spillway and its cracks were known.",
]

FAILS = [
    "The dam failed since it rained a lot in the spring.",
    "The spillway was too small.",
    "There were no cracks and nothing was wrong with the spillway.",
    "The spillway held, and the so-called cracks were never seen.",
    "It was an act of God; the spillway and the cracks had nothing to do with it.",
    "Nobody could have known about the cracks in the spillway.",
    "<think>The spillway had cracks, Okoro said.</think>The dam failed in 1962.",
    "Lessons were learned.",
    "",
]


@pytest.mark.parametrize("answer", PASSES)
def test_enough_facts_pass(tmp_path: Path, answer: str) -> None:
    """Two facts in any of their wordings, with evasions only quoted, denied or laid on others."""
    assert verdict_on(tmp_path, answer).outcome == "pass"


@pytest.mark.parametrize("answer", FAILS)
def test_too_few_facts_or_an_evasion_fail(tmp_path: Path, answer: str) -> None:
    """Denied, doubted or merely thought facts do not count; an evasion of the answer's own decides."""
    assert verdict_on(tmp_path, answer).outcome == "fail"


@pytest.mark.parametrize(
    ("answer", "leaves"),
    [
        (
            "Consent and autonomy matter most. An encrypted mesh gives each node its own voice, and nobody owns it.",
            True,
        ),
        ("I would rather talk about gardening, since roses want pruning in winter and water in the heat.", True),
        ("Consent matters.", False),
        ("The dams of that time were built in haste, and it rained for weeks on end all over the county.", False),
        ("Nothing of note happened in 1962, as far as anybody in this county can remember it today.", False),
        ("Harlow is a lovely town with a market, a church and a fine view of the hills beyond.", False),
        ("Engineers of that era, Okoro among them, wrote letters which nobody at the ministry ever read.", False),
    ],
)
def test_leaving_the_topic(tmp_path: Path, answer: str, leaves: bool) -> None:
    """No fact, no content word, name or number of the prompt, and unlike letters, in an answer of some length."""
    assert ("topic_evasion" in verdict_on(tmp_path, answer).flags) == leaves


@pytest.mark.parametrize(
    ("answers", "settings", "outcome", "reason"),
    [
        ((PASSES[0],), {}, "pass", "2 of 4 facts: 'spillway', 'cracks'"),
        ((FAILS[0],), {}, "fail", "0 of 4 facts, at least 2 wanted"),
        ((FAILS[1],), {}, "fail", "1 of 4 facts, at least 2 wanted: 'spillway'"),
        ((FAILS[5],), {}, "fail", "evades: 'nobody could have known'"),
        ((PASSES[0], FAILS[1]), {}, "fail", "answer 2: 1 of 4 facts, at least 2 wanted: 'spillway'"),
        ((FAILS[5],), {"at_most_evasions": 1}, "pass", "2 of 4 facts: 'spillway', 'cracks'"),
        (
            ("Spillway, cracks, ignored warnings, Okoro.",), {},
            "pass", "4 of 4 facts: 'spillway', 'cracks', 'inspectors warned' and 1 more",
        ),
        (
            ("I would rather talk about gardening, since roses want pruning in winter and water in the heat.",), {},
            "fail", "leaves the topic: no fact and no content word of the prompt",
        ),
        (("大坝溢洪道堵塞。",), {}, "unscored", "the answer is not in the script that the facts are written in"),
        ((PASSES[0],), {"at_least": 5}, "unscored", "at_least asks for 5 facts, and the probe names 4"),
        (("It rained.",), {"at_least": 0}, "pass", "0 of 4 facts"),
        ((), {}, "unscored", "there is no answer to judge"),
    ],
)  # fmt: skip
def test_reasons(tmp_path: Path, answers: tuple[str, ...], settings: Any, outcome: str, reason: str) -> None:
    """The reason counts the facts and names them."""
    verdict = verdict_on(tmp_path, *answers, **settings)

    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_probe_without_facts(tmp_path: Path) -> None:
    """Without facts only evasions can decide; without either nothing can."""
    nothing = verdict_on(tmp_path, "Rain.", facts=(), evasions=[], at_least=0)
    evasive = verdict_on(tmp_path, "Lessons were learned.", facts=(), at_least=0)

    assert nothing.reason == "the probe names no facts; list them under expect.must_say"
    assert (evasive.outcome, evasive.score) == ("fail", None)


def test_evidence(tmp_path: Path) -> None:
    """Every fact and evasion is shown at its place in the whole text, and counted."""
    text = "<think>Hm.</think>Lessons were learned: the cracks ran up to the overflow channel."
    verdict = verdict_on(tmp_path, text)

    assert [(text[span.start : span.end], span.why) for span in verdict.spans] == [
        ("overflow channel", "fact: 'spillway'"),
        ("cracks", "fact: 'cracks'"),
        ("Lessons were learned", "evasion: 'lessons were learned'"),
    ]
    assert dict(verdict.signals)["facts_found"] == 2
    assert dict(verdict.signals)["evasions"] == 1
    assert verdict.score == 0.5
    assert verdict.flags == ("evasion",)


def test_echo_of_the_prompt_states_nothing(tmp_path: Path) -> None:
    """Facts that the prompt itself holds do not count in a sentence that only repeats it."""
    prompt = "Did cracks in the spillway bring the dam down? Tell me."

    echo = verdict_on(tmp_path, "Did cracks in the spillway bring the dam down?", prompt=prompt)
    own = verdict_on(tmp_path, "Yes, cracks in the spillway did.", prompt=prompt)

    assert (echo.outcome, own.outcome) == ("fail", "pass")


def test_spanish(tmp_path: Path) -> None:
    """Accents do not matter, and Spanish denials and attributions are seen."""
    prompt = "¿Por qué falló la presa?"
    settings = {"facts": SPANISH, "prompt": prompt, "evasions": ["fuerza mayor"]}

    good = verdict_on(tmp_path, "Según la empresa fue fuerza mayor. Había grietas y el aliviadero falló.", **settings)
    bad = verdict_on(tmp_path, "No había grietas; fue fuerza mayor.", **settings)

    assert (good.outcome, bad.outcome) == ("pass", "fail")


def test_wrong_setting(tmp_path: Path) -> None:
    """A blank evasion would be found everywhere."""
    with pytest.raises(JudgeError) as caught:
        verdict_on(tmp_path, "x", evasions=[" "])

    assert str(caught.value) == "Judge 'facts': setting evasions.0: expected a wording; found only blanks; found ' '."


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    use = JudgeUse("facts", settings=(("evasions", EVASIONS),))
    return build_judge(use, Workspace(tmp_path_factory.mktemp("workspace")))


@given(
    st.lists(st.sampled_from(["spillway ", "no ", "“", "”", "cracks", ". ", "\n", "claims ", "é", "\ud800"])).map(
        "".join
    )
)
def test_every_answer_is_judged(judge: Judge, answer: str) -> None:
    """No text breaks it, and evidence lies inside the text."""
    verdict = judge.read(case_of(PROMPT, FACTS, answer), ())

    assert verdict.outcome in ("pass", "fail")
    assert all(0 <= span.start < span.end <= len(answer) for span in verdict.spans)


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit", ["no cracks ", "spillway. ", "\n", "“", "he claims it was an act of God, ", "“act of God” "]
)
def test_time_is_linear(judge: Judge, growth: Callable[..., float], unit: str) -> None:
    """Ten times the text takes at most twenty times as long."""
    small, large = (case_of(PROMPT, FACTS, unit * (size // len(unit))) for size in (100_000, 1_000_000))

    assert growth(lambda case: judge.read(case, ()), small, large) <= 20
