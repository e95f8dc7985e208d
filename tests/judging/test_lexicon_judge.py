"""The lexicon judge's verdicts, and the mistakes a policy of its kind can hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import JudgeError, UnreadableFile
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.reading.judges import build_judge, judge_hash
from evalkit.transcript import Answer, Case, Transcript
from evalkit.verdict import Verdict
from evalkit.workspace import Workspace

HEAD = "kind: lexicon\nscores: answer\ncomposite: total\n"
JOY = (
    "signals:\n  joy: {weight: 2, cap: 5, counts: [{terms: [joy]}]}\n  signs: {weight: -1, counts: [{texts: ['!']}]}\n"
)
COUNTERS = (
    "terms, pattern, texts, marks, names, numbers, words, short, verse, sentences, variety, repeated_sentences"
)  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "judges").mkdir()
    return Workspace(tmp_path)


def judged(workspace: Workspace, policy: str, *answers: str | Answer, **settings: Any) -> Verdict:
    (workspace.root / "judges" / "mood.yaml").write_text(policy, encoding="utf-8")
    judge = build_judge(JudgeUse("mood", settings=tuple(settings.items())), workspace)
    probe = Probe("p", "s", "f", 1, "X", (Message("user", "?"), Generate()), Expectation(), (), judge_turns="all")
    given = tuple(Answer(one, one) if isinstance(one, str) else one for one in answers)
    return judge.read(Case(probe, "t", Transcript((), given)), ())


@pytest.mark.parametrize(
    ("settings", "outcome", "reason"),
    [
        ({}, "unscored", "total is 3; set at_least or at_most to decide by it"),
        ({"measure_only": True}, "pass", "total is 3; it is only measured"),
        ({"at_least": 3}, "pass", "total is 3, at least 3"),
        ({"at_least": 3.25}, "fail", "total is 3, not at least 3.25"),
        ({"at_most": 3}, "pass", "total is 3, at most 3"),
        ({"at_most": 2}, "fail", "total is 3, not at most 2"),
        ({"at_least": 1, "at_most": 4}, "pass", "total is 3, at least 1 and at most 4"),
        ({"at_least": 4, "at_most": 5}, "fail", "total is 3, not at least 4 and at most 5"),
        ({"signal": "joy", "at_least": 2}, "pass", "joy is 2, at least 2"),
        ({"signal": "signs", "at_most": 0}, "fail", "signs is 1, not at most 0"),
        ({"signal": "total", "at_least": 0}, "pass", "total is 3, at least 0"),
        ({"signal": "joy"}, "unscored", "joy is 2; set at_least or at_most to decide by it"),
    ],
)
def test_bounds_decide(workspace: Workspace, settings: dict[str, Any], outcome: str, reason: str) -> None:
    """On the composite or on one signal; score and every signal are always there."""
    verdict = judged(workspace, HEAD + JOY, "Joy upon joy!", **settings)

    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.score == 3
    assert verdict.signals == (("joy", 2), ("signs", 1), ("total", 3.0))
    assert (verdict.judge, verdict.judge_version) == ("mood", "1")


@pytest.mark.parametrize(
    ("settings", "outcome", "score", "which"),
    [
        ({}, "unscored", 0.0, 2), ({"measure_only": True}, "pass", 0.0, 2), ({"at_least": 1}, "fail", 0.0, 2),
        ({"at_most": 3}, "fail", 4.0, 3), ({"at_least": 1, "at_most": 9}, "fail", 0.0, 2),
        ({"at_least": -9}, "pass", 0.0, 2), ({"signal": "signs", "at_most": 0}, "fail", 1.0, 1),
    ],
)  # fmt: skip
def test_the_worst_of_several_answers_is_the_verdict(
    workspace: Workspace, settings: dict[str, Any], outcome: str, score: float, which: int
) -> None:
    """Its score and signals are the verdict's, and the reason says which answer it was."""
    verdict = judged(workspace, HEAD + JOY, "Joy!", "None.", "Joy and joy.", **settings)

    assert (verdict.outcome, verdict.score) == (outcome, score)
    assert verdict.reason.endswith(f" (answer {which} of 3)")


def test_the_policy_says_whether_thinking_is_scored(workspace: Workspace) -> None:
    """``scores: text`` is all that the model wrote."""
    answer = Answer("<think>joy</think>Yes.", "Yes.", thinking="joy", answer_start=18)

    assert judged(workspace, HEAD + JOY, answer).score == 0
    assert judged(workspace, HEAD.replace("answer", "text") + JOY, answer).score == 2


def test_saturated_signals_are_flagged(workspace: Workspace) -> None:
    """A flag for filtering, a label with the names."""
    policy = HEAD + "saturated_at: 2\n" + JOY
    full, saturated = (judged(workspace, policy, "joy " * times) for times in (4, 5))

    assert (full.score, full.flags, full.labels) == (5, (), ())
    assert (saturated.score, saturated.flags, saturated.labels) == (5, ("saturated",), (("saturated", "joy"),))


@pytest.mark.parametrize(
    ("part", "text", "value"),
    [
        ("{terms: [a b c d, b, d]}", "a b c d", 1), ("{terms: [a b a, a]}", "a b a", 1),
        ("{terms: [a, a b a]}", "a b a", 2), ("{terms: [b, a b]}", "a b", 1),
        ("{terms: [joy, joyful], counting: each}", "joy joyful", 2), ("{terms: [joy*]}", "joyful joys", 2),
        ("{terms: [joy], endings: [ful, s]}", "joyful joys joyous", 2), ("{terms: [joy], edges: none}", "enjoyed", 1),
        ("{terms: [e.g.], edges: whole}", "e.g. x", 1), ("{terms: [joy], case: exact}", "Joy", 0),
        ("{terms: [joy], most: 2, points: 1.5}", "joy joy joy", 3), ("{terms: [a <1..9> b <1..9> c]}", "a xb b x c", 1),
        ("{terms: [año]}", "AÑO", 1), ("{terms: [straße]}", "STRAẞE", 1), ("{terms: [σας]}", "ΣΑΣ", 1),
        ("{terms: [Joy], case: lowered}", "Joy", 0), ("{pattern: j.y, at: start}", "joy joy", 1),
        ("{pattern: j.y}", "joy JOY", 2), ("{pattern: j.y, case: lowered, at: trimmed_start}", " JOY", 1),
        ("{numbers: {inner: ','}}", "1,000.5", 2),
        ("{names: {min_letters: 2, not_after: ['the '], skip: 0}}", "Bo the Bo", 1),
        ("{words: {more_than: 2}}", "a b c", 1), ("{sentences: {pattern: '^so', separator: '!'}}", "So a! so b! c", 2),
        ("{marks: [{first: '[]'}, {first: '^-', then: '\\d'}]}", "[a] ^1 -2 -", 4),
    ],
)  # fmt: skip
def test_counters_of_a_policy(workspace: Workspace, part: str, text: str, value: float) -> None:
    """Each counter with its options, as a policy writes it."""
    verdict = judged(workspace, f"{HEAD}signals:\n  one: {{weight: 1, counts: [{part}]}}\n", text)

    assert verdict.score == value


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("signals: {}\n", "4: $.signals: expected at least one entry, found an empty mapping."),
        ("signals:\n  joy: {weight: 1, counts: []}\n",
         "5: $.signals.joy.counts: expected at least one entry, found an empty list."),
        ("signals:\n  joy: {weight: 1, counts: [{}]}\n",
         f"5: $.signals.joy.counts[0]: expected one counter ({COUNTERS}); found none."),
        ("signals:\n  joy: {weight: 1, counts: [{terms: [joy], texts: [x]}]}\n",
         f"5: $.signals.joy.counts[0]: expected one counter ({COUNTERS}); found terms and texts."),
        ("signals:\n  joy: {weight: 1, counts: [{texts: [x], edges: none}]}\n",
         "5: $.signals.joy.counts[0]: edges is no option of texts. Remove it."),
        ("signals:\n  joy: {weight: 1, counts: [{terms: ['<1..3> joy']}]}\n",
         "5: $.signals.joy.counts[0].terms[0]: expected a term that starts with text; found '<1..3> joy'."),
        ("signals:\n  joy: {weight: 1, counts: [{terms: ['joy <9..3> x']}]}\n",
         "5: $.signals.joy.counts[0].terms[0]: expected gaps <a..b> with a up to b and b up to 200; found "
         "'joy <9..3> x'."),
        ("signals:\n  joy: {weight: 1, counts: [{terms: [joy], case: folde}]}\n",
         "5: $.signals.joy.counts[0].case: expected one of folded, exact, lowered; found 'folde'. Did you mean "
         "'folded'?"),
        ("signals:\n  joy: {weight: 1, counts: [{term: [joy]}]}\n",
         "5: $.signals.joy.counts[0].term: unknown key 'term'. Did you mean 'terms'?"),
        ("signals:\n  joy: {weight: 1, counts: [{pattern: 'a('}]}\n",
         "5: $.signals.joy.counts[0].pattern: expected a regular expression; missing ), unterminated subpattern at "
         "position 1 in 'a('."),
        ("signals:\n  joy: {weight: 1, counts: [{marks: [{first: ab}, {first: b}]}]}\n",
         "5: $.signals.joy.counts[0].marks: two marks start with 'b'. Join them into one."),
        ("signals:\n  my joy: {weight: 1, counts: [{terms: [joy]}]}\n",
         "5: $.signals['my joy']: expected a name of letters, digits and _; found 'my joy'."),
        ("signals:\n  total: {weight: 1, counts: [{terms: [joy]}]}\n",
         "4: $.signals: a signal has the composite's name 'total'. Rename one."),
        (JOY + "signal: joj\n", "7: $.signal: there is no signal 'joj' among joy, signs, total."),
        (JOY + "at_least: 3\nat_most: 2\n", "8: $.at_most: at_least 3 and at_most 2 leave nothing between them."),
        (JOY + "at_least: 3\nmeasure_only: true\n",
         "8: $.measure_only: a judge that only measures has no use for at_least and at_most."),
    ],
)  # fmt: skip
def test_mistakes_in_a_policy(workspace: Workspace, body: str, message: str) -> None:
    """Each is named at its line."""
    with pytest.raises(UnreadableFile) as caught:
        judged(workspace, HEAD + body, "x")

    assert str(caught.value) == f"judges/mood.yaml:{message}"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"at_least": "five"}, "setting at_least: Input should be a valid number; found 'five'."),
        ({"signal": "jo"}, "setting signal: there is no signal 'jo' among joy, signs, total; found 'jo'."),
        ({"at_least": 1, "measure_only": True},
         "setting measure_only: a judge that only measures has no use for at_least and at_most; found True."),
        ({"at_least": 2, "at_most": 1},
         "setting at_most: at_least 2 and at_most 1 leave nothing between them; found 1."),
    ],
)  # fmt: skip
def test_mistakes_in_a_probe_s_settings(workspace: Workspace, settings: dict[str, Any], message: str) -> None:
    """Each names the setting."""
    with pytest.raises(JudgeError) as caught:
        judged(workspace, HEAD + JOY, "x", **settings)

    assert str(caught.value) == f"Judge 'mood': {message}"


def test_the_scorers_have_hashes_of_their_own() -> None:
    """Scores of scorers that share a name upstream can never be mixed up."""
    names = ("heuristic_v2", "heuristic_v2_robust", "lek_v1", "lek_v1_py")

    assert len({judge_hash(JudgeUse(name), Workspace(Path("/nowhere"))) for name in names}) == 4
