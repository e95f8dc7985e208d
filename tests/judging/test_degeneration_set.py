"""The degeneration judge on a set of our own: recall and false alarms with their intervals."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evalkit.judging.base import Judge
from evalkit.judging.thinking import split_thinking
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.reading.judges import build_judge
from evalkit.stats import percent, wilson_interval
from evalkit.transcript import Answer, Case, Transcript
from evalkit.verdict import Verdict
from evalkit.workspace import Workspace

ROWS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parent / "cases" / "degeneration.jsonl").read_text(encoding="utf-8").splitlines()
]
LABELS = Path(__file__).parents[3] / "shared" / "data" / "it_labelled_responses.jsonl"


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return build_judge(JudgeUse("degeneration"), Workspace(tmp_path_factory.mktemp("workspace")))


def read(judge: Judge, row: dict[str, Any]) -> Verdict:
    thinking, answer, start = split_thinking(row["response"])
    probe = Probe(
        str(row["id"]), "s", "f", 1, "X", (Message("user", row["prompt"]), Generate()), Expectation(), (),
        language=row.get("language"),
    )  # fmt: skip
    transcript = Transcript((), (Answer(row["response"], answer, thinking, start, finish=row.get("finish", "stop")),))
    return judge.read(Case(probe, "t", transcript, row.get("system", "")), ())


def report(name: str, found: int, total: int) -> None:
    interval = wilson_interval(found, total)
    print(f"{name} {found} of {total} ({percent(found / total)}, {percent(interval.low)} to {percent(interval.high)})")


def test_the_set_is_varied() -> None:
    """A hundred texts and more, each once, half of them sound, over every kind of collapse and several languages."""
    expected = Counter(row["expect"] for row in ROWS)

    assert len(ROWS) >= 100
    assert len({row["response"] for row in ROWS if row["response"]}) >= 0.95 * len(ROWS)
    assert min(expected.values()) >= 0.4 * len(ROWS)
    assert len({row["kind"] for row in ROWS if row["expect"] == "collapsed"}) == 16


def test_own_set(judge: Judge) -> None:
    """Recall of at least 0.95 at no more than 5 % false alarms on our own set."""
    verdicts = [(row, "collapsed" in read(judge, row).flags) for row in ROWS]
    collapsed = [flagged for row, flagged in verdicts if row["expect"] == "collapsed"]
    clean = [flagged for row, flagged in verdicts if row["expect"] == "clean"]
    report("recall", sum(collapsed), len(collapsed))
    report("false alarms", sum(clean), len(clean))
    print("wrong:", ", ".join(row["id"] for row, flagged in verdicts if flagged != (row["expect"] == "collapsed")))

    assert sum(collapsed) >= 0.95 * len(collapsed)
    assert sum(clean) <= 0.05 * len(clean)


def test_evidence_lies_in_the_text(judge: Judge) -> None:
    """Every span of every verdict is a place in the text, and every collapse has a kind and a reason."""
    for row in ROWS:
        verdict = read(judge, row)
        assert all(0 <= span.start <= span.end <= len(row["response"]) for span in verdict.spans), row["id"]
        assert (
            ("collapsed" in verdict.flags) == ("collapse_kind" in dict(verdict.labels)) == (verdict.outcome == "fail")
        )


REASONS = [
    ("c001", "the answer repeats 'rises and falls and' 25 times in a row"),
    ("c017", "the thinking repeats 'let me double check that. 17 times 3 is…' 8 times in a row"),
    (
        "c018",
        "the thinking goes in circles: 2 of 4 blocks repeat earlier ones, as '**Choosing a Venue** "
        "I need to decide w…'",
    ),
    ("c020", "the answer says 'The town is small and quiet.' 8 times with small changes"),
    ("c022", "the answer repeats '1. Spend less than you earn every month.' 40 times, only counting up"),
    ("c028", "the answer repeats the characters 'u' 39 times in a row"),
    ("c032", "the case alternates in 7 of 7 long words, as in 'cOuNcIl'"),
    ("c033", "the template marker '<|im_end|>' leaked, with text after it"),
    ("c042", "the answer goes on with a turn of its own: 'User: Did he write anything else?'"),
    ("c048", "letters of Arabic, Cyrillic, Devanagari, Han, Thai stand among each other"),
    ("c049", "the answer holds 3 pieces of words: 'ifiable, ological, tion'"),
    ("c050", "11 of 12 words are no words, as 'xkqzv'"),
    ("c051", "14 characters of the answer are broken"),
    ("c053", "closing tags that close nothing: '</end.supportMaterial> </order.script> …'"),
    ("c054", "the answer holds 8 heaps of marks or glued words among 1 words: '@#{;~'"),
    ("c055", "0% of 30 words in a row are function words: 'window carrot running seventeen velvet …'"),
    ("c056", "9 pairs among 30 words of the answer fit no sentence, as 'the is'"),
    ("c059", "the answer drifts into Han letters: '冰川是由积雪压实而成的大型冰体，它在重力作用下缓慢移动'"),
    ("c060", "the answer drifts into 'en': 'fríen a fuego lento con la cebolla. The…'"),
    ("c062", "the answer drifts into Cyrillic letters: 'Он протекает через несколько стран и яв…'"),
    (
        "c065",
        "the answer drifts into Chinese: "
        "'富士山是日本最高的山峰，海拔三千七百七十六米，位于静冈县和山梨县之间，是一座活…'",
    ),
    ("c066", "29 of the answer's 29 words are recited from its instructions"),
    ("c067", "the answer recites instructions to a model: 'You are an evaluator of claims.'"),
    ("c069", "the answer only repeats the prompt"),
    ("c071", "the thinking never ends and there is no answer"),
    ("c073", "the answer is empty"),
    ("c075", "the answer is the single character 'T'"),
    ("c076", "the answer holds no word, only '...'"),
    ("c077", "the answer stops after 'The'"),
    ("c080", "the answer has 6 different words among 67"),
    ("c157", "the answer counts from 1 to 40 and on"),
    ("c163", "letters of Arabic, Cyrillic, Han stand among each other"),
    (
        "c175",
        "0% of 64 characters in a row are function words: "
        "'山水桌椅红蓝跑跳书笔灯火鱼鸟石木金银云雨风雪花草虫马牛羊狗猫车船门窗衣帽鞋袜刀…'",
    ),
    ("c185", "the answer holds 'This kettle boils water fast. It has a …' 4 times"),
    ("c245", "words of another script stand in its sentences: '晴朗的, 温暖的, 很多'"),
    ("c344", "27 words in a row stand in an order that no sentence has, as 'The which'"),
    ("c368", "the answer repeats 'Step 1: Check the result. 60/0.75 = 80.…' 6 times, only counting up"),
    ("c378", "the answer repeats 'of' 12 times in a row"),
    ("c388", "the answer is 'Learning the piano is a good idea becau…' said 3 times in nearly the same words"),
    ("c393", "the answer says 'Walking helps improve the heart and imp…' 10 times with one word changed"),
    ("c398", "the answer holds 3 marks of subwords: 'Mehl und ##wasser i'"),
    ("c399", "7 kinds of debris stand in the sentences of the answer: '__init__ >> @@ r() vanilla_0x ;; ]]'"),
    ("c246", "12 of 27 words are splinters: 'il, fo, r, ab, ut'"),
]


@pytest.mark.parametrize(("name", "reason"), REASONS, ids=[name for name, _ in REASONS])
def test_reasons_of_every_kind(judge: Judge, name: str, reason: str) -> None:
    """Each way of breaking says what was found, and where it can, how much."""
    assert read(judge, next(row for row in ROWS if row["id"] == name)).reason == reason


@pytest.mark.skipif(not LABELS.is_file(), reason=f"{LABELS} is not on this machine")
def test_shared_labels(judge: Judge) -> None:
    """On all 36 shared labels: recall of at least 0.90 with at most one false alarm."""
    rows = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    flagged = [(row["collapsed"], "collapsed" in read(judge, row).flags) for row in rows]
    collapsed = [found for is_collapsed, found in flagged if is_collapsed]
    sound = [found for is_collapsed, found in flagged if not is_collapsed]
    report("recall", sum(collapsed), len(collapsed))
    report("false alarms", sum(sound), len(sound))

    assert sum(collapsed) >= 0.9 * len(collapsed)
    assert sum(sound) <= 1
