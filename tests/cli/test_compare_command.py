"""``evalkit compare``: the verdict first, what stands behind it, and the exit status."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.record import TrialRecord
from evalkit.store.runs import RunStore

if TYPE_CHECKING:
    from conftest import Command

Store = Callable[..., None]
STEADY, EAGER, BASE = "m+steady:nf4:naked:greedy", "m+eager:nf4:naked:greedy", "m:nf4:naked:greedy"
REGRESSED = (
    f"REGRESSED: pass rate of {STEADY} fell from 99.7 % to 96.0 %, −3.7 points [−6.6, −1.6], 12 probes worse, 1 better "
    "of 300, p 0.003; margin 3 points"
)


def records(
    fails: Sequence[int], n: int = 300, target: str = STEADY, judge_hash: str = "a" * 64, **changes: Any
) -> list[TrialRecord]:
    """One record a probe; those numbered in ``fails`` fail."""
    made = []
    for number in range(n):
        outcome = "fail" if number in fails else "pass"
        verdict = {
            "judge": "text", "outcome": outcome, "reason": "", "score": number / 10, "judge_hash": judge_hash,
            "required": True, "labels": {}, "signals": {},
        }  # fmt: skip
        made.append(
            TrialRecord(
                **{
                    "trial": f"suites/small/first.yaml::p{number:03}[{target}]", "suite": "small", "outcome": outcome,
                    "file": "suites/small/first.yaml", "line": 2 + number, "probe": f"p{number:03}", "target": target,
                    "category": "AB"[number % 2],
                    "reason": "text: \x1b[31mno check\x1b[0m" if number in fails else "ok",
                    "verdicts": (verdict,), "probe_hash": f"h{number}", "words": number, "finishes": ("stop",),
                    **changes,
                }
            )
        )  # fmt: skip
    return made


@pytest.fixture
def put(workspace: Path) -> Store:
    """``put(run, records, ended=True)``: a run in the store, begun after those before it."""
    begun = iter(range(100))

    def stored(run: str, made: Sequence[TrialRecord], *, ended: bool = True, **facts: Any) -> None:
        with closing(RunStore.open(workspace / ".evalkit/store.sqlite3")) as store:
            start = float(next(begun))
            store.begin(run, start, {"argv": ["suites/small"], **facts})
            store.put(run, made)
            if ended:
                store.finish(run, start + 0.5, 0)

    return stored


@pytest.fixture
def two_runs(put: Store) -> None:
    """``first``, and ``second`` with 12 probes worse and one better."""
    put("first", records([299]))
    put("second", records(range(12)))


@pytest.mark.usefixtures("two_runs")
def test_the_verdict_is_the_first_line(evalkit: Command) -> None:
    """Then tables within 80 columns, what got worse with its line and reason, what got better."""
    done = evalkit("compare", "previous", "latest")

    assert (done.status, done.err) == (1, "")
    verdict, blank, *lines = done.out.splitlines()
    assert (verdict, blank) == (REGRESSED, "")
    assert max(map(len, lines)) <= 80
    assert (
        "\n".join(lines[:28])
        == f"""\
run first → run second, target {STEADY}

side    probes  pass rate       95 %  words  r(words)    cut
------  ------  ---------  ---------  -----  --------  -----
before     300     99.7 %  98.1–99.9    150     −0.10  0.0 %
after      300     96.0 %  93.1–97.7    150      0.34  0.0 %
300 probes in 300 clusters; Tango's interval, exact McNemar test, p 0.003

category  probes   before   after  change          95 %  p Holm
--------  ------  -------  ------  ------  ------------  ------
A            150  100.0 %  96.0 %    −4.0  [−8.5, −1.4]  0.0625
B            150   99.3 %  96.0 %    −3.3   [−7.9, 0.2]    0.12
p Holm is adjusted for 2 categories; a part decides nothing

probes  → pass  → fail
------  ------  ------
pass       287      12
fail         1       0

worse: 12 probes
  suites/small/first.yaml:2 p000 (A) pass → fail: text: no check
  suites/small/first.yaml:3 p001 (B) pass → fail: text: no check
  suites/small/first.yaml:4 p002 (A) pass → fail: text: no check
  suites/small/first.yaml:5 p003 (B) pass → fail: text: no check
  suites/small/first.yaml:6 p004 (A) pass → fail: text: no check
  suites/small/first.yaml:7 p005 (B) pass → fail: text: no check
  suites/small/first.yaml:8 p006 (A) pass → fail: text: no check
  suites/small/first.yaml:9 p007 (B) pass → fail: text: no check"""
    )
    assert lines[-2:] == [
        "better: 1 probe",
        "  suites/small/first.yaml:301 p299 (B) fail → pass: before: text: no check",
    ]


@pytest.mark.usefixtures("two_runs")
def test_the_way_back_is_no_regression(evalkit: Command) -> None:
    """Exit 0; sides are named by their run too."""
    done = evalkit("compare", "second", "first")

    assert done.status == 0
    assert done.out.startswith(f"IMPROVED: pass rate of {STEADY} rose from 96.0 % to 99.7 %, +3.7 points [1.6, 6.6], ")


@pytest.mark.usefixtures("two_runs")
def test_everything_as_json(evalkit: Command) -> None:
    """One line, the same exit status."""
    done = evalkit("compare", "previous", "latest", "--json")

    (group,) = json.loads(done.out)["groups"]
    (found,) = group["comparisons"]
    assert (done.status, found["sentence"]) == (1, REGRESSED)
    assert (found["verdict"], found["worse"], found["better"], found["pairs"]) == ("REGRESSED", 12, 1, 300)
    assert [part["name"] for part in found["parts"]] == ["A", "B"]
    assert len(found["changes"]) == 13
    assert found["changes"][0] == {
        "suite": "small", "probe": "p000", "category": "A", "file": "suites/small/first.yaml", "line": 2,
        "before": 1.0, "after": 0.0, "gain": -1.0, "reasons": ["text: \x1b[31mno check\x1b[0m"],
    }  # fmt: skip
    assert group["matrix"][0] == {"before": "fail", "after": "pass", "probes": 1}
    assert group["sides"][1] == {"name": STEADY, "source": "run second", "target": STEADY}


@pytest.mark.usefixtures("two_runs")
def test_a_baseline_is_a_side(evalkit: Command, workspace: Path) -> None:
    """By its name and by its file; the verdict is that of the run it was written from."""
    evalkit("baseline", "first", "good")

    by_name, by_file = evalkit("compare", "good", "latest"), evalkit("compare", "reports/baselines/good.json", "second")

    assert (by_name.status, by_name.out.splitlines()[0]) == (1, REGRESSED)
    assert by_name.out == by_file.out
    assert "baseline good → run second, target" in by_name.out


@pytest.mark.usefixtures("two_runs")
def test_a_results_file_is_a_side(evalkit: Command, write: Callable[[str, str], Path]) -> None:
    """What a run of another machine left."""
    plain = [json.dumps({"demo": False, **record.to_dict()}) for record in records(range(12))]
    write("there/results.jsonl", "\n".join(plain) + "\n")

    done = evalkit("compare", "first", "there/results.jsonl")

    assert (done.status, done.out.splitlines()[0]) == (1, REGRESSED)


def test_each_shared_target_is_compared(evalkit: Command, put: Store) -> None:
    """All verdicts first; a target of one side is told, a reference target is left out."""
    put("first", [*records([299]), *records([], target=EAGER), *records([], target=BASE, role="reference")])
    put("second", [*records(range(12)), *records([], target=BASE, role="reference")])

    done = evalkit("compare", "first", "second")

    assert done.status == 1
    assert [line for line in done.out.splitlines() if re.match("[A-Z]{4,}:", line)] == [REGRESSED]
    assert done.out.splitlines()[-1] == f"target {EAGER} is only in run first and left out"


def test_a_reference_target_is_compared_where_it_is_asked_for(evalkit: Command, put: Store) -> None:
    """By its label or a glob."""
    put("first", [*records([299]), *records([], target=BASE, role="reference")])
    put("second", [*records(range(12)), *records([], target=BASE, role="reference")])

    done = evalkit("compare", f"first@{BASE}", "second@m:*")

    assert done.status == 0
    assert done.out.splitlines()[0] == (
        f"HELD: pass rate of {BASE} stayed at 100.0 %, 0.0 points [−1.3, 1.3], 0 probes worse, 0 better of 300, "
        "p 1.00; margin 3 points"
    )


def test_targets_of_one_run_against_their_reference(evalkit: Command, put: Store) -> None:
    """Base against adapters: one table, p values adjusted."""
    put("only", [*records([299], target=BASE, role="reference"), *records(range(12)), *records([1], target=EAGER)])

    done = evalkit("compare", "latest")

    assert done.status == 1
    held, worse, blank, *rest = done.out.splitlines()
    assert held.startswith(f"HELD: pass rate of {EAGER} is 99.7 %, of {BASE} 99.7 %, 0.0 points [−1.6, 1.6], ")
    assert worse.startswith(f"REGRESSED: pass rate of {STEADY} is 96.0 %, of {BASE} 99.7 %, −3.7 points [−6.6, −1.6], ")
    assert blank == ""
    assert (
        "\n".join(rest)
        == f"""\
run only: {BASE} → {EAGER} →
{STEADY}

pass rate against m, over the probes that each shares with it; all
nf4:naked:greedy
side        verdict  pairs   first    rate  change          95 %  p Holm
--------  ---------  -----  ------  ------  ------  ------------  ------
m+eager        HELD    300  99.7 %  99.7 %     0.0   [−1.6, 1.6]    1.00
m+steady  REGRESSED    300  99.7 %  96.0 %    −3.7  [−6.6, −1.6]   0.007
p Holm is adjusted for 2 comparisons; the verdicts go by each one's own p and
interval"""
    )


def test_the_bare_base_is_the_nearest_reference(evalkit: Command, put: Store) -> None:
    """Not another adapter that is expected to misbehave, whatever the names' order."""
    put(
        "only",
        [
            *records([299], target=BASE, role="reference"), *records(range(12)),
            *records([1], target="a:nf4:naked:greedy", role="reference"),
            *records([1], target=EAGER, role="reference"),
        ],
    )  # fmt: skip

    done = evalkit("compare", "latest")

    assert done.out.startswith(f"REGRESSED: pass rate of {STEADY} is 96.0 %, of {BASE} 99.7 %, ")


def test_without_a_reference_the_first_target_is_the_other_side(evalkit: Command, put: Store) -> None:
    """nf4 against bf16 as a flip matrix, too."""
    put("only", [*records([299], target="m:bf16:naked:greedy"), *records(range(12), target="m:nf4:naked:greedy")])

    done = evalkit("compare", "latest")

    assert done.out.startswith("REGRESSED: pass rate of m:nf4:naked:greedy is 96.0 %, of m:bf16:naked:greedy 99.7 %, ")
    assert (
        "probes  → pass  → fail\n------  ------  ------\npass       287      12\nfail         1       0\n" in done.out
    )


def test_one_target_alone_has_nothing_to_be_compared_with(evalkit: Command, put: Store) -> None:
    """A usage error."""
    put("only", records([]))

    done = evalkit("compare", "latest")

    assert (done.status, done.out) == (2, "")
    assert done.err == f"run only has one target, {STEADY}: there is nothing to compare it with. Name a second side.\n"


def test_three_sides_are_one_table(evalkit: Command, put: Store) -> None:
    """Each against the first, named by where it is from."""
    for run, fails in (("one", [299]), ("two", range(12)), ("three", [3])):
        put(run, records(fails))

    done = evalkit("compare", "one", "two", "three")

    assert done.status == 1
    assert f"one → run two → run three, target {STEADY}" in done.out
    assert "pass rate against run one, over the probes that each shares with it" in done.out
    assert [line.split()[:3] for line in done.out.splitlines() if line.startswith("run t")] == [
        ["run", "two", "REGRESSED"],
        ["run", "three", "HELD"],
    ]


def test_scores(evalkit: Command, put: Store) -> None:
    """Mean, median, deviation, words and their correlation, lowest and highest; the margin in the score's unit."""
    put("first", records([], n=4))
    put("second", records([], n=4))

    done = evalkit("compare", "first", "second", "--metric", "mean_score", "--judge", "text", "--margin", "0.25")

    assert done.status == 0
    assert (
        done.out
        == f"""\
HELD: mean score of {STEADY} stayed at 0.15, 0.00 [0.00, 0.00], 0 probes worse, 0 better of 4, p 1.00; margin 0.25

run first → run second, target {STEADY}

side    probes  mean score        95 %  median    sd  words  r(words)    cut
------  ------  ----------  ----------  ------  ----  -----  --------  -----
before       4        0.15  −0.06–0.36    0.15  0.13      2      1.00  0.0 %
after        4        0.15  −0.06–0.36    0.15  0.13      2      1.00  0.0 %
4 probes in 4 clusters; Student's interval over clusters, sign-flip test, p 1.00

category  probes  before  after  change          95 %  p Holm  words
--------  ------  ------  -----  ------  ------------  ------  -----
A              2    0.10   0.10    0.00  [0.00, 0.00]    1.00  1 → 1
B              2    0.20   0.20    0.00  [0.00, 0.00]    1.00  2 → 2
p Holm is adjusted for 2 categories; a part decides nothing

lowest after: p000 0.00, p001 0.10, p002 0.20, p003 0.30
highest after: p003 0.30, p002 0.20, p001 0.10, p000 0.00
"""
    )


def test_several_metrics_have_a_verdict_each(evalkit: Command, put: Store) -> None:
    """In the order asked for, and one regression is enough for exit 1."""
    put("first", records([]))
    put("second", records(range(12)))

    done = evalkit("compare", "first", "second", "--metric", "collapse_rate", "--metric", "pass_rate")

    assert [line.split(" of ")[0] for line in done.out.splitlines()[:2]] == [
        "HELD: collapse rate",
        "REGRESSED: pass rate",
    ]
    assert done.status == 1


def test_what_is_undecided_is_no_failure_unless_strict(evalkit: Command, put: Store) -> None:
    """UNDERPOWERED and INCOMPARABLE exit 0, with --strict 1."""
    put("first", records([], n=20))
    put("second", records([], n=20))
    put("judged", records([], n=20, judge_hash="b" * 64))

    for words, verdict in (
        (("first", "second"), "UNDERPOWERED: "),
        (("first", "judged"), "INCOMPARABLE: judge text is another (aaaaaaaa before, bbbbbbbb after)\n"),
    ):
        done = evalkit("compare", *words)
        assert done.out.startswith(verdict)
        assert (done.status, evalkit("compare", *words, "--strict").status) == (0, 1)


def test_an_incomparable_whole_shows_what_can_be_compared(evalkit: Command, put: Store) -> None:
    """And does not fail, whatever that says."""
    put("first", records([]))
    put("second", records(range(12), n=200))

    done = evalkit("compare", "first", "second")

    assert done.status == 0
    first, _, title, _, *rest = done.out.splitlines()
    assert first == "INCOMPARABLE: only 200 of 300 probes are on both sides: 100 only before, 0 only after"
    assert title == f"run first → run second, target {STEADY}"
    assert rest[0].startswith("What can be compared, 200 probes: REGRESSED: pass rate of")
    assert rest[-1] == "100 probes only before and left out: p200, p201, p202, p203, p204 and 95 more"


def test_one_suite_alone(evalkit: Command, put: Store) -> None:
    """``--suite`` leaves the others out; a wrong name is told."""
    other = records(range(12), suite="other", file="suites/other/a.yaml")
    other = [TrialRecord(**{**record.to_dict(), "trial": f"o{record.trial}"}) for record in other]
    put("first", [*records([299])])
    put("second", [*records([299]), *other])

    assert evalkit("compare", "first", "second", "--suite", "small").out.startswith("HELD: ")
    done = evalkit("compare", "second", "second", "--suite", "smal")
    assert (done.status, done.err) == (2, "run second has no suite 'smal'. Did you mean 'small'?\n")


def test_the_interaction_of_two_changes(evalkit: Command, put: Store) -> None:
    """Four targets of one run: neither, the one, the other, both."""
    labels = [f"m{adapter}:nf4:{condition}:greedy" for adapter in ("", "+lek") for condition in ("naked", "kernel")]
    put("only", [record for label, fails in zip(labels, (4, 2, 2, 2), strict=True)
                 for record in records(range(fails), n=10, target=label)])  # fmt: skip

    done = evalkit("compare", *(f"latest@{label}" for label in labels), "--interaction", "--metric", "pass_rate")

    assert done.status == 0
    assert (
        done.out
        == """\
INTERACTION of pass rate: −20.0 points [−50.2, 10.2], additive 100.0 %, measured 80.0 %, p 0.50, 10 probes on all four \
sides

side          changes    rate
------------  -------  ------
m:naked       neither  60.0 %
m:kernel          one  80.0 %
m+lek:naked     other  80.0 %
m+lek:kernel     both  80.0 %
additive is one + other - neither; 10 clusters, Student's interval, sign-flip
test; all nf4:greedy
"""
    )
    wrong = evalkit("compare", "latest", "--interaction")
    assert (wrong.status, wrong.err) == (
        2,
        "--interaction needs four sides of one target each: neither change, the one, the other, both; found 1. "
        "Pick targets with RUN@TARGET.\n",
    )


def test_a_change_below_the_noise_floor_is_marked(evalkit: Command, put: Store) -> None:
    """What the set-up does by itself is no regression of the model's."""
    noise = {
        "probes": 20, "trials": 20, "rows": 4, "changed": 3, "by_generation": 1, "by_judge": 0,
    }  # fmt: skip
    put("first", records([299]))
    put("second", records(range(12)), noise=noise)

    out = evalkit("compare", "first", "second").out

    assert out.splitlines()[-2:] == [
        "the change of −3.7 points is below the noise floor: 5.0 % of verdicts flip by",
        "  themselves (1 of 20 asked again)",
    ]


def test_a_demo_run_says_so(evalkit: Command, put: Store) -> None:
    """Its numbers mean nothing."""
    put("first", records([], is_demo=True))
    put("second", records([], is_demo=True))

    assert evalkit("compare", "first", "second").out.splitlines()[-1] == "DEMO MODEL: its numbers mean nothing"


def test_the_terminal_is_used_and_no_more(evalkit: Command, put: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are whole where there is room, and squeezed where there is none; only verdicts may be wider."""
    long = "a-model-with-a-rather-long-name+and-an-adapter-of-a-longer-one:nf4:naked:greedy"
    put("first", [*records([299]), *records([], target=EAGER), *records([], target=long)])

    for width, label in (("140", long.partition(":")[0]), ("80", "a-model-w…nger-one ")):
        monkeypatch.setenv("COLUMNS", width)
        lines = evalkit("compare", f"first@{STEADY}", f"first@{EAGER}", "first@a-*").out.splitlines()
        behind = lines[lines.index("") :]
        assert max(map(len, behind)) <= int(width)
        assert any(line.startswith(label) for line in behind)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("first", "nobody"), "There is no run, baseline or file 'nobody'. Baselines: none. Runs: evalkit list runs"),
        (("first", "latest@x"), f"run second has no target 'x'. It has: {STEADY}."),
        (("first", "reports/baselines/x.json"),
         "There is no baseline 'x' (reports/baselines/x.json). Write it with: evalkit baseline latest x"),
        (("first", "latest", "--metric", "pas_rate"), "There is no metric 'pas_rate'. Did you mean 'pass_rate'?"),
        (("first", "latest", "--judge", "text"), "--judge says whose score is compared. Add --metric mean_score."),
        (("first", "latest", "--margin", "-1"), "--margin is a loss that does no harm, 0 or more; found -1."),
        (("first", "killed"), "Run killed never finished. Run the same command again first."),
    ],
    ids=lambda item: item if isinstance(item, str) else " ".join(item),
)  # fmt: skip
def test_what_cannot_be_compared_is_a_sentence(
    evalkit: Command, put: Store, words: tuple[str, ...], sentence: str
) -> None:
    """Exit 2."""
    put("killed", records([]), ended=False)
    put("first", records([299]))
    put("second", records(range(12)))

    done = evalkit("compare", *words)

    assert (done.status, done.out, done.err) == (2, "", f"{sentence}\n")


def test_no_run_before_the_first(evalkit: Command, put: Store, workspace: Path) -> None:
    """``latest`` and ``previous`` need runs."""
    done = evalkit("compare", "latest", "previous")
    assert (done.status, done.err) == (2, f"{workspace}: nothing was run here yet. Run pytest on a suite first.\n")

    put("first", records([]))
    done = evalkit("compare", "previous", "latest")
    assert (done.status, done.err) == (2, "There is only one run, so none before it. See: evalkit list runs\n")


def test_targets_that_no_side_shares(evalkit: Command, put: Store) -> None:
    """Which of them are meant has to be said."""
    put("first", [*records([]), *records([], target=EAGER)])
    put("second", [*records([], target="a:nf4:naked:greedy"), *records([], target="b:nf4:naked:greedy")])

    done = evalkit("compare", "first", "second")

    assert (done.status, done.err) == (
        2,
        f"No target is on every side: run first has {EAGER}, {STEADY}; run second has a:nf4:naked:greedy, "
        "b:nf4:naked:greedy. Pick one of each: A@TARGET B@TARGET.\n",
    )


def test_another_engine_is_told(evalkit: Command, put: Store, workspace: Path) -> None:
    """Versions and device come from the answers' provenance; a change of the model's may be theirs."""
    put("first", records([]))
    evalkit("baseline", "first", "old")
    evalkit("baseline", "first", "new")
    for name, version in (("old", "2.12"), ("new", "2.13")):
        file = workspace / f"reports/baselines/{name}.json"
        engines = {STEADY: {"fingerprint": "", "facts": [{"device": "cpu", "torch": version}]}}
        file.write_text(json.dumps({**json.loads(file.read_text()), "engines": engines}))

    out = evalkit("compare", "old", "new").out

    assert out.splitlines()[-1] == "answered by another engine: torch 2.12 before, 2.13 after"


def test_the_same_run_gives_the_same_baseline(evalkit: Command, put: Store, workspace: Path) -> None:
    """So that a diff shows what changed."""
    put("first", records([3]))
    put("second", records([4]))
    evalkit("baseline", "previous")
    file = workspace / "reports/baselines/main.json"
    before = file.read_bytes()

    done = evalkit("baseline", "first", "--json")

    assert (done.status, json.loads(done.out)) == (
        0,
        {"written": "reports/baselines/main.json", "run": "first", "trials": 300},
    )
    assert file.read_bytes() == before


def test_a_baselines_name_is_checked_before_anything_else(evalkit: Command, workspace: Path) -> None:
    """Nothing is written outside its folder."""
    done = evalkit("baseline", "latest", "../main")

    assert (done.status, done.err) == (
        2,
        "A baseline's name is made of letters, digits, '.', '_' and '-'; found '../main'.\n",
    )
