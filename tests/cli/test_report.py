"""``evalkit report``: which run, which files where, and what it says when it cannot."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.gates import Gate, GateResult
from evalkit.record import TrialRecord
from evalkit.reporting.kept import kept_report
from evalkit.reporting.summary import RunFacts
from evalkit.store.runs import RunStore

if TYPE_CHECKING:
    from conftest import Command

Put = Callable[..., None]
ONE, TWO = "one:fp32:naked:greedy", "two:fp32:naked:greedy"


def record(probe: str, outcome: str, target: str = ONE) -> TrialRecord:
    return TrialRecord(
        trial=f"suites/s/a.yaml::{probe}[{target}]", suite="s", file="suites/s/a.yaml", line=3, probe=probe,
        category="C", target=target, outcome=outcome, reason="because",
    )  # type: ignore[arg-type] # fmt: skip


@pytest.fixture
def put(tmp_path: Path, write: Callable[[str, str], Path]) -> Put:
    """``put(run, records)``: a finished run in the store of the test's workspace, the later the newer."""
    write("suites/s/a.yaml", "probes: []\n")
    begun = [1_763_690_000.0]

    def into_the_store(run: str, records: list[TrialRecord], *, is_old: bool = False, is_killed: bool = False) -> None:
        begun[0] += 60
        facts = RunFacts(run, begun[0], 12.0, (ONE, TWO), ("C",), command="pytest suites", out=f"reports/out/{run}")
        gate = GateResult(Gate("most", "s", "pass_rate", at_least=0.5), "pass", 0.9, 2, "pass rate of one is 90.0 %")
        known: dict[str, Any] = {"argv": ["suites", "-k", "a b"]}
        if not is_old and not is_killed:
            known["report"] = kept_report(facts, [gate], ["s: gates hold"])
        with closing(RunStore.open(tmp_path / ".evalkit" / "store.sqlite3")) as store:
            store.begin(run, begun[0], known)
            store.put(run, records)
            if not is_killed:
                store.finish(run, begun[0] + 12, 0)

    return into_the_store


def test_several_formats_go_into_the_folder_of_the_run(evalkit: Command, put: Put, tmp_path: Path) -> None:
    """Each under its own name, each named with its size."""
    put("r1", [record("a", "pass"), record("b", "fail")])

    done = evalkit("report", "--format", "md", "--format", "csv", "--format", "jsonl")

    out = tmp_path / "reports" / "out" / "r1"
    assert (done.status, done.err) == (0, "")
    assert [line.rpartition(" (")[0] for line in done.out.splitlines()] == [
        f"wrote reports/out/r1/{name}" for name in ("summary.md", "trials.csv", "figures.csv", "results.jsonl")
    ]
    assert done.out.splitlines()[0].endswith(" kB)")
    assert {file.name for file in out.iterdir()} == {"summary.md", "trials.csv", "figures.csv", "results.jsonl"}
    markdown = (out / "summary.md").read_text(encoding="utf-8")
    assert markdown.startswith("# evalkit run r1\n\n**PASSED: s: gates hold**\n\n## Gates\n")
    assert "| ok | most   | pass rate of one is 90.0 % |" in markdown


@pytest.mark.slow
def test_a_page_is_the_format_unless_another_is_given(
    evalkit: Command, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the newest run; without matplotlib the page has no plots, and a note says why."""
    put("r1", [record("a", "pass")])
    monkeypatch.setattr("evalkit.plots.drawing.find_spec", lambda _: None)

    done = evalkit("report", "--json")
    again = evalkit("report", "latest")

    missing = "Drawing plots needs the package 'matplotlib'. Install it with: pip install 'pytest-evalkit[report]'"
    said = json.loads(done.out)
    (written,) = said.pop("written")
    assert said == {"run": "r1", "notes": [missing]}
    assert (written["format"], written["file"]) == ("html", "reports/out/r1/report.html")
    assert written["bytes"] == (tmp_path / written["file"]).stat().st_size
    assert again.err == f"note: the page has no plots: {missing}\n"


def test_out_names_a_folder_a_file_or_standard_output(evalkit: Command, put: Put, tmp_path: Path) -> None:
    """A further file of the format stands beside the first; a dash prints the report and nothing else."""
    put("r1", [record("a", "pass")])
    (tmp_path / "there").mkdir()

    for out, names in (
        ("there", ["there/trials.csv", "there/figures.csv"]), ("new/", ["new/trials.csv", "new/figures.csv"]),
        ("x/mine.csv", ["x/mine.csv", "x/mine-figures.csv"]),
    ):  # fmt: skip
        assert evalkit("report", "r1", "--format", "csv", "--out", out).status == 0
        assert all((tmp_path / name).is_file() for name in names)
    evalkit("report", "r1", "--format", "card", "--out", "there")
    printed = evalkit("report", "r1", "--format", "card", "--out", "-")
    assert (printed.out, printed.err) == ((tmp_path / "there" / "card.md").read_text(encoding="utf-8"), "")


def test_only_the_wanted_targets(evalkit: Command, put: Put, tmp_path: Path) -> None:
    """By label or glob; what the gates said of the whole run stays."""
    put("r1", [record("a", "pass"), record("a", "fail", TWO)])

    assert evalkit("report", "--format", "md", "--target", "two*", "--out", "two.md").status == 0

    text = (tmp_path / "two.md").read_text(encoding="utf-8")
    assert "## two:fp32:naked:greedy (subject)" in text
    assert ONE not in text


def test_changes_since_an_earlier_run(evalkit: Command, put: Put, tmp_path: Path) -> None:
    """Against a run or a results.jsonl: the same pairs, one line a target and metric."""
    put("r1", [record(f"p{n}", "pass") for n in range(20)])
    put("r2", [record(f"p{n}", "fail" if n < 12 else "pass") for n in range(20)])
    evalkit("report", "r1", "--format", "jsonl")

    for side, title in (("previous", "run r1"), ("reports/out/r1/results.jsonl", "reports/out/r1/results.jsonl")):
        assert evalkit("report", "latest", "--format", "md", "--against", side).status == 0
        text = (tmp_path / "reports/out/r2/summary.md").read_text(encoding="utf-8")
        assert f"## Against {title}\n" in text.replace("\\", "")
        row = next(line for line in text.splitlines() if "pass rate: one:fp32:naked:greedy" in line)
        assert [cell.strip() for cell in row.split("|")[2:6]] == ["20", "100.0 %", "40.0 %", "−60.0"]
        assert "REGRESSED" in row


def test_a_run_of_an_older_evalkit_says_what_is_not_known(evalkit: Command, put: Put, tmp_path: Path) -> None:
    """Its trials are all there; gates, plans and times are not, and the report says so."""
    put("r1", [record("a", "pass"), record("b", "fail")], is_old=True)

    assert evalkit("report", "--format", "md").status == 0

    text = (tmp_path / "reports/out/r1/summary.md").read_text(encoding="utf-8")
    assert "\n**PASSED: 1 failing probe, 0 errors, 2 trials**\n" in text
    assert "\n- time: 12 s\n" in text
    assert "\n- command: pytest suites -k 'a b'\n" in text
    assert (
        "\n- note: an older evalkit stored this run: its gates, plans, adapters and times are not known, only its "
        "trials; run the same command again to have them, stored answers are kept\n"
    ) in text
    assert "## Gates" not in text


def test_a_killed_run_is_reported_as_one(evalkit: Command, put: Put, tmp_path: Path) -> None:
    """The trials that had ended, under a word that nobody takes for a verdict; no card, and nothing of nothing."""
    put("r1", [record("a", "pass"), record("b", "fail")], is_killed=True)
    sentence = (
        "this run never finished: it was stopped, or still goes on. The report holds the trials that had ended, and no "
        "gate decided. Run the same command again to finish it, stored answers are kept"
    )

    done = evalkit("report", "--format", "md", "--format", "jsonl")
    said = json.loads(evalkit("report", "latest", "--format", "jsonl", "--json").out)
    card = evalkit("report", "latest", "--format", "card")
    put("r2", [], is_killed=True)
    nothing = evalkit("report", "latest")

    assert (done.status, done.err, said["notes"]) == (0, f"note: {sentence}\n", [sentence])
    text = (tmp_path / "reports/out/r1/summary.md").read_text(encoding="utf-8")
    assert f"\n**NOT FINISHED: {sentence}**\n" in text
    assert "older evalkit" not in text
    assert "- time:" not in text
    assert len((tmp_path / "reports/out/r1/results.jsonl").read_text(encoding="utf-8").splitlines()) == 2
    assert (card.status, card.err) == (
        2, "Run r1 never finished, and a model card needs a whole run. Run the same command again first.\n",
    )  # fmt: skip
    assert (nothing.status, nothing.err) == (
        2, "Run r2 never finished, and no trial of it had ended. Run the same command again first.\n",
    )  # fmt: skip


def test_what_cannot_be_done_is_a_sentence(evalkit: Command, put: Put) -> None:
    """Formats, runs, targets and options that are not there or do not fit together; exit status 2."""
    put("r1", [record("a", "pass")])
    refusals = {
        ("nope",): "There is no run 'nope'. See: evalkit list runs",
        ("--format", "htm"): "There is no format 'htm'. Did you mean 'html'?",
        ("--target", "three*", "--out", "x"): "Run r1 has no target three*. It has: one:fp32:naked:greedy.",
        ("--target", "one*"): (
            "--target leaves trials out, which the run's own files must not. Say where with: --out PATH"
        ),
        ("--format", "csv", "--out", "-"): "--out - prints one of html, md, card and jsonl; found csv.",
        ("--format", "md", "--format", "card", "--out", "-"): (
            "--out - prints one of html, md, card and jsonl; found md, card."
        ),
        ("--format", "md", "--out", "-", "--json"): (
            "--out - prints the report itself, so there is nothing to print as JSON. Take one out."
        ),
        ("--format", "md", "--format", "card", "--out", "x.md"): (
            "--out x.md: names a file, and md, card are several. Name a folder."
        ),
        (
            "--format",
            "card",
            "--against",
            "previous",
        ): "--against changes html and md; found only card. Add one of them.",
        ("--against", "previous"): "There is only one run, so none before it. See: evalkit list runs",
        ("--against", "gone"): "There is no run, baseline or file 'gone'. See: evalkit list runs",
    }

    for words, sentence in refusals.items():
        done = evalkit("report", *words)
        assert (done.status, done.out, done.err) == (2, "", sentence + "\n"), words


def test_nothing_was_run_yet(evalkit: Command, write: Callable[[str, str], Path], tmp_path: Path) -> None:
    """A workspace without a store has no latest run."""
    write("suites/s/a.yaml", "probes: []\n")

    done = evalkit("report")

    assert (done.status, done.err) == (
        2, f"{tmp_path}: nothing was run here yet. Run pytest on a suite first.\n",
    )  # fmt: skip
