"""Every format tells the figures of results.jsonl, all of them reckoned again here from its lines."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from html.parser import HTMLParser
from typing import Any

import pyarrow.parquet
import pytest
import yaml
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from evalkit.exporting.formats import FORMATS, FormatName, Report
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.run_figures import run_figures
from evalkit.reporting.summary import summarise
from evalkit.reporting.terminal import summary_lines
from evalkit.stats import cluster_interval

pytestmark = pytest.mark.slow

Line = dict[str, Any]
Key = tuple[str, str, str]
"""Target, suite and category; ``""`` is all."""

RATES: dict[str, tuple[Callable[[Line], bool], Callable[[Line], bool]]] = {
    "pass_rate": (lambda one: one["outcome"] in ("pass", "fail"), lambda one: one["outcome"] == "pass"),
    "collapse_rate": (lambda one: one["outcome"] != "error", lambda one: "collapsed" in one["flags"]),
    "fabrication_rate": (lambda one: one["outcome"] != "error", lambda one: "fabricated" in one["flags"]),
    "over_refusal_rate": (
        lambda one: one["outcome"] != "error",
        lambda one: any(verdict["labels"]["failure_type"] == "OVER_REFUSAL" for verdict in one["verdicts"]),
    ),
    "unscored_rate": (lambda one: one["outcome"] != "error", lambda one: one["outcome"] == "unscored"),
    "error_rate": (lambda one: True, lambda one: one["outcome"] == "error"),
}
WORDS = {
    "passed": "pass_rate", "automated": "pass_rate", "collapsed": "collapse_rate", "fabricated": "fabrication_rate",
    "over-refused": "over_refusal_rate", "unscored": "unscored_rate", "errors": "error_rate",
}  # fmt: skip


class Expected:
    """A rate reckoned again: its counts and its interval."""

    def __init__(self, lines: Iterable[Line], metric: str) -> None:
        counts, hits = RATES[metric]
        own = [line for line in lines if counts(line)]
        families = [line["cluster"] or (line["suite"], line["probe"]) for line in own]
        self.part, self.whole = sum(map(hits, own)), len(own)
        if len(set(families)) == len(own):
            self.low, self.high = proportion_confint(self.part, self.whole, method="wilson") if own else (0.0, 1.0)
        else:
            found = cluster_interval([float(hits(line)) for line in own], families)
            self.low, self.high = found.low, found.high

    @property
    def words(self) -> str:
        ends = f"{100 * self.low:.1f}–{100 * self.high:.1f}"
        return f"{self.part}/{self.whole} {100 * self.part / self.whole:.1f} % ({ends})"


@pytest.fixture(scope="module")
def made(rich_run: FinishedRun) -> dict[str, bytes]:
    """Every file of every format."""
    report = Report(rich_run, run_figures(rich_run.summary))
    return {file: b"".join(make(report)) for item in FORMATS.values() for file, make in item.files}


@pytest.fixture(scope="module")
def lines(made: dict[str, bytes]) -> list[Line]:
    return [json.loads(line) for line in made["results.jsonl"].splitlines()]


@pytest.fixture(scope="module")
def expected(lines: list[Line]) -> dict[tuple[Key, str], Expected]:
    """By place and metric: each target, its categories, its suites, and the whole run."""
    groups: dict[Key, list[Line]] = {}
    for line in lines:
        target, suite, category = line["target"], line["suite"], line["category"]
        for key in (("", "", ""), (target, "", ""), (target, suite, ""), (target, "", category)):
            groups.setdefault(key, []).append(line)
    return {(key, metric): Expected(own, metric) for key, own in groups.items() for metric in RATES}


def tables(text: str) -> list[list[dict[str, str]]]:
    """Markdown's tables as rows by header."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        header, _, *rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in block.splitlines()]
        found.append([dict(zip(header, row, strict=True)) for row in rows])
    return found


def place(name: str) -> Key:
    """A row's name in Markdown: ``target``, ``target, CATEGORY`` or ``target, suite``."""
    target, _, part = name.replace("\\", "").partition(", ")
    return (target, part, "") if part.islower() else (target, "", part)


def card_rows(card: str) -> list[dict[str, str]]:
    """The card's tables of results, each row named as the summary names it."""
    found = []
    for part in re.split(r"^\*\*(?=.*by category:$)", card, flags=re.MULTILINE):
        target = part.partition("**, by category")[0]
        for rows in (rows for rows in tables(part) if "manual" in rows[0]):
            for row in rows:
                name, *_ = row.values()
                found.append(
                    {"of": f"{target}, {name}" if "category" in row else name.removesuffix(" (reference)"), **row}
                )
    return found


def check_rates(rows: list[dict[str, str]], expected: Mapping[tuple[Key, str], Expected]) -> int:
    """Every rate in these rows; how many there were."""
    checked = 0
    for row in rows:
        for word, metric in WORDS.items():
            if word in row:
                assert row[word] == expected[place(row["of"]), metric].words, (row["of"], word)
                checked += 1
    return checked


def test_the_figures_of_markdown(made: dict[str, bytes], expected: dict[tuple[Key, str], Expected]) -> None:
    """The summary's table of all rates, its tables by category, and the card's results, to the digit."""
    summary, card = made["summary.md"].decode(), made["card.md"].decode()

    in_summary = next(rows for rows in tables(summary) if "passed" in rows[0])
    assert check_rates(in_summary, expected) == 24 * 6
    assert check_rates(card_rows(card), expected) == (4 + 8 + 3 * 3) * 5

    for section in summary.split("\n## "):
        target, _, role = section.splitlines()[0].partition(" (")
        for row in tables(section)[0] if role in ("subject)", "reference)") else ():
            passes = expected[(target, "", "" if row["category"] == "all" else row["category"]), "pass_rate"]
            assert f"{row['pass']} {row['rate']} ({row['95 %']})" == passes.words


def test_the_figures_of_the_card_as_metadata(made: dict[str, bytes], expected: dict[tuple[Key, str], Expected]) -> None:
    """What the hub is told, by target and suite, in percent; its own reader takes it."""
    hub = pytest.importorskip("huggingface_hub")
    card = made["card.md"].decode()
    front = yaml.safe_load(card.split("---\n")[1])
    checked = 0
    for entry in front["model-index"]:
        for result in entry["results"]:
            for metric in result["metrics"]:
                wanted = expected[(entry["name"], result["dataset"]["type"], ""), metric["type"]]
                ends = [metric["args"]["low"], metric["value"], metric["args"]["high"]]
                rates = (wanted.low, wanted.part / wanted.whole, wanted.high)
                assert ends == [round(100 * rate, 1) for rate in rates]
                assert metric["args"]["of"] == wanted.whole
                checked += 1
    assert checked == 3 * 2 * 5
    assert len(hub.ModelCard(card).data.eval_results) == checked


def test_the_figures_of_the_terminal(rich_run: FinishedRun, expected: dict[tuple[Key, str], Expected]) -> None:
    """The rows of every target: counts, rate, interval, collapses, what was not scored, errors."""
    text = [line.text for line in summary_lines(rich_run.summary, (), (), width=100)]
    for target in rich_run.summary.run.targets:
        start = next(place for place, line in enumerate(text) if line.startswith(f"{target} ("))
        rows = {row.split()[0]: row.split() for row in text[start + 3 : start + 7]}
        for name, cells in rows.items():
            key = (target, "", "" if name == "all" else name)
            passes, collapses = expected[key, "pass_rate"], expected[key, "collapse_rate"]
            assert cells[1:7] == [
                str(expected[key, "error_rate"].whole), f"{passes.part}/{passes.whole}",
                *f"{100 * passes.part / passes.whole:.1f} % {100 * passes.low:.1f}–{100 * passes.high:.1f}".split(),
                f"{collapses.part}/{collapses.whole}",
            ]  # fmt: skip
            unscored, errors = expected[key, "unscored_rate"].part, expected[key, "error_rate"].part
            assert cells[7:9] == [str(unscored), str(errors)]


def records_of(made: dict[str, bytes], name: str) -> list[dict[str, Any]]:
    """The rows of a table that was exported twice, from Parquet; the CSV holds the same."""
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(io.BytesIO(made[f"{name}.parquet"])).to_pylist()
    text = made[f"{name}.csv"].decode("utf-8-sig")
    for cells, row in zip(csv.DictReader(io.StringIO(text, newline="")), rows, strict=True):
        for column, value in row.items():
            plain = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            assert cells[column] == plain, (column, row)
    return rows


def test_the_figures_of_the_tables(
    made: dict[str, bytes], lines: list[Line], expected: dict[tuple[Key, str], Expected]
) -> None:
    """figures.csv and figures.parquet hold every rate with all its digits, and count what there is to count."""
    rows = records_of(made, "figures")
    rates = {
        ((row["target"], row["suite"] or "", row["category"] or ""), row["metric"]): row
        for row in rows
        if row["kind"] == "rate"
    }

    assert rates.keys() == expected.keys()
    for key, row in rates.items():
        wanted = expected[key]
        assert (row["part"], row["whole"]) == (wanted.part, wanted.whole)
        assert row["value"] == (wanted.part / wanted.whole if wanted.whole else None)
        assert (row["low"], row["high"]) == (pytest.approx(wanted.low), pytest.approx(wanted.high))
    counts = {(row["target"], row["metric"]): row["value"] for row in rows if row["kind"] == "count"}
    for target in {line["target"] for line in lines}:
        own = [row for row in rows if row["target"] == target and (row["suite"], row["category"]) == (None, None)]
        mine = [line for line in lines if line["target"] == target]
        assert {row["metric"]: row["value"] for row in own if row["kind"] == "count"} == {
            "n": len(mine), "answered": sum(line["outcome"] != "error" for line in mine),
            "scored": sum(line["outcome"] in ("pass", "fail") for line in mine),
            "prompt_tokens": sum(line["prompt_tokens"] for line in mine),
            "new_tokens": sum(line["new_tokens"] for line in mine),
            "stored": sum(line["run"]["stored"] for line in mine),
            "cut": sum("length" in line["finishes"] for line in mine),
            "mean_words": pytest.approx(
                sum(line["words"] for line in mine if line["outcome"] != "error")
                / sum(line["outcome"] != "error" for line in mine)
            ),
        }  # fmt: skip
    assert counts["", "n"] == len(lines)


def test_scores_changes_and_steps_of_the_tables(made: dict[str, bytes], lines: list[Line]) -> None:
    """Means of scores, paired differences with the exact test, and pass rates by checkpoint."""
    rows = records_of(made, "figures")
    scored = [line for line in lines if line["verdicts"]]
    for row in (row for row in rows if row["metric"] == "mean_score" and row["kind"] == "score"):
        own = [
            line["verdicts"][0]["score"]
            for line in scored
            if (line["target"], line["suite"]) == (row["target"], row["suite"])
            and row["category"] in (None, line["category"])
        ]
        assert (row["whole"], row["value"]) == (len(own), pytest.approx(sum(own) / len(own)))
    base = {line["probe"]: line["outcome"] for line in lines if line["role"] == "reference"}
    changes = [row for row in rows if row["kind"] == "change" and row["metric"] == "pass_rate"]
    assert {row["target"] for row in changes} == {line["target"] for line in lines if line["role"] == "subject"}
    for row in changes:
        pairs = [
            (base[line["probe"]] == "pass", line["outcome"] == "pass")
            for line in lines
            if line["target"] == row["target"] and row["category"] in (None, line["category"])
            if {base[line["probe"]], line["outcome"]} <= {"pass", "fail"}
        ]
        assert row["whole"] == len(pairs)
        assert row["value"] == pytest.approx(sum(after - before for before, after in pairs) / len(pairs))
        assert row["low"] < row["value"] < row["high"]
    for row in (row for row in rows if row["kind"] == "step"):
        own = [line for line in lines if line["step"] == row["step"] and line["outcome"] in ("pass", "fail")]
        assert (row["part"], row["whole"]) == (sum(line["outcome"] == "pass" for line in own), len(own))


def test_reviewed_rates_stand_beside_the_automated_ones(
    rich_run: FinishedRun, made: dict[str, bytes], expected: dict[tuple[Key, str], Expected]
) -> None:
    """The same automated rate as everywhere; reviewed counts of the labels; in Markdown, card and tables alike."""
    assert rich_run.reviewed is not None
    summary, card = made["summary.md"].decode(), made["card.md"].decode()
    in_summary = next(rows for rows in tables(summary) if "read" in rows[0])
    in_card = {row["of"]: row for row in card_rows(card)}
    exported = {
        (row["target"], row["category"] or "", row["metric"]): row
        for row in records_of(made, "figures")
        if row["kind"] == "reviewed"
    }

    assert len(in_summary) == 12
    for row in in_summary:
        target, _, category = place(row["of"])
        assert (
            row["automated"] == in_card[row["of"]]["automated"] == expected[(target, "", category), "pass_rate"].words
        )
        assert row["reviewed"] == in_card[row["of"]]["manual"]
        assert row["corrected"] == in_card[row["of"]]["corrected"]
        found = exported[target, category, "reviewed_pass_rate"]
        assert row["reviewed"].startswith(f"{found['part']}/{found['whole']} {100 * found['value']:.1f} %")


class Cells(HTMLParser):
    """The tables of a page as rows of cells, drawings left out."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.data = ""
        self._is_data = False
        self._is_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self._is_cell = True
        elif tag == "span" and self._is_cell:
            self.rows[-1][-1] += " "
        self._is_data = dict(attrs).get("id") == "data"

    def handle_endtag(self, tag: str) -> None:
        self._is_data = False
        if tag in ("td", "th"):
            self._is_cell = False

    def handle_data(self, data: str) -> None:
        if self._is_data:
            self.data += data
        elif self._is_cell:
            self.rows[-1][-1] += data


def test_the_figures_of_the_page(
    made: dict[str, bytes], lines: list[Line], expected: dict[tuple[Key, str], Expected]
) -> None:
    """The page's tables hold them, and its trials are those of results.jsonl, one by one."""
    page = Cells()
    page.feed(made["report.html"].decode())
    rows = [[" ".join(cell.split()) for cell in row] for row in page.rows]
    shown = {tuple(row) for row in rows}
    targets = list(dict.fromkeys(line["target"] for line in lines))

    for (target, suite, category), metric in expected:
        if metric != "pass_rate" or not target:
            continue
        key = (target, suite, category)
        name = f"{suite}: {target}" if suite else category or target
        cells = [str(expected[key, "error_rate"].whole), page_words(expected[key, "pass_rate"])]
        for other in ("collapse_rate", "fabrication_rate", "over_refusal_rate", "unscored_rate", "error_rate"):
            found = expected[key, other]
            cells.append(page_words(found))
        near = [row for row in shown if row[0].removesuffix(" (reference)") == name]
        assert [row for row in near if list(row[1:8]) == cells], "\n".join(map(str, [cells, *near]))
    assert len(targets) == 4

    data = json.loads(gzip.decompress(base64.b64decode(page.data)))
    assert [(trial["trial"], trial["outcome"]) for trial in data["trials"]] == [
        (line["trial"], line["outcome"]) for line in lines
    ]


def page_words(rate: Expected) -> str:
    ends = f"{100 * rate.low:.1f}–{100 * rate.high:.1f}"
    return f"{100 * rate.part / rate.whole:.1f} % {rate.part}/{rate.whole} {ends}"


def test_the_trials_of_the_tables(made: dict[str, bytes], lines: list[Line]) -> None:
    """trials.csv and trials.parquet: a row a line, the same outcomes, scores, flags, texts and labels."""
    rows = records_of(made, "trials")

    assert [row["trial"] for row in rows] == [line["trial"] for line in lines]
    for row, line in zip(rows, lines, strict=True):
        names = ("suite", "probe", "category", "target", "outcome", "reason", "cluster", "step", "words", "text_hash")
        assert [row[name] for name in names] == [line[name] for name in names]
        assert row["answer"] == line["answers"][-1]["answer"]
        assert row["prompt"] == line["messages"][0]["content"]
        for column, metric in (("collapsed", "collapse_rate"), ("over_refused", "over_refusal_rate")):
            assert row[column] == RATES[metric][1](line)
        scores = {verdict["judge"]: verdict["score"] for verdict in line["verdicts"]}
        assert json.loads(row["scores"]) == scores
        assert ":".join((row["weights"], row["quantisation"], row["condition"], row["decoding"])) == line["target"]


def test_the_exact_test_of_a_change(lines: list[Line], rich_run: FinishedRun) -> None:
    """Where every probe is its own family, p is that of the exact McNemar test of another library."""
    alone = [record for record in rich_run.summary.records if record.suite == "alone"]
    deltas = run_figures(summarise(alone, run=rich_run.summary.run)).deltas
    base = {line["probe"]: line["outcome"] for line in lines if line["role"] == "reference"}
    for delta in (delta for delta in deltas if delta.metric == "pass_rate"):
        table = [[0, 0], [0, 0]]
        for record in alone:
            if record.target == delta.after and {base[record.probe], record.outcome} <= {"pass", "fail"}:
                table[base[record.probe] == "pass"][record.outcome == "pass"] += 1
        assert delta.shown.p == pytest.approx(mcnemar(table, exact=True).pvalue)


def test_every_format_has_its_files() -> None:
    """The names that docs/reports.md gives."""
    names: dict[FormatName, list[str]] = {name: [file for file, _ in item.files] for name, item in FORMATS.items()}

    assert names == {
        "html": ["report.html"], "md": ["summary.md"], "card": ["card.md"], "csv": ["trials.csv", "figures.csv"],
        "parquet": ["trials.parquet", "figures.parquet"], "jsonl": ["results.jsonl"],
    }  # fmt: skip
