"""The review loop on a real run: the demo model's answers, judged by keys in a browser, and the rates before and after.

The figures of the report are reckoned once more here, from results.jsonl and the downloaded labels alone, by other
libraries. The screenshots stay in EVALKIT_SHOTS, or beside the test's other files, for anybody to look at.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from math import ceil, floor, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Desk

pytestmark = [pytest.mark.slow, pytest.mark.long]

TARGETS = """\
include: [fixtures/demo/targets.yaml]
default:
  - demo+steady:nf4:naked:greedy
  - demo+eager:nf4:naked:greedy
"""
STEADY, EAGER = "demo+steady:nf4:naked:greedy", "demo+eager:nf4:naked:greedy"
STRATA = {"pass": "passed", "fail": "failed", "unscored": "abstention"}
Line = dict[str, Any]
Truths = dict[str, bool]


def test_thirty_answers_of_the_demo_are_judged_in_the_page_and_change_the_rates(
    desk: Desk, browser: Any, tmp_path: Path
) -> None:
    """Run, sheets, thirty labels by keys with a reload half-way, a second reviewer, import, report, and a run after."""
    shots = Path(os.environ.get("EVALKIT_SHOTS") or tmp_path / "shots")
    desk.write("fixtures/targets.yaml", TARGETS)
    desk.copy_suite("instrument_trap")
    status, output = desk.run("suites/instrument_trap", "--eval-plan", "smoke")
    assert status == 0, output
    lines, run = desk.results(), desk.report_folders()[-1].name
    check_before(desk, lines)

    status, output = desk.evalkit("review", "latest", "--budget", "30")
    assert status == 0, output
    assert output.startswith(f"run {run}: 30 of {len(lines)} answers to review\n")
    page = desk.root / "reports" / "review" / run / "review.html"
    told = judge_all(browser, page, lines, shots)
    second = judge_again(browser, told)
    files = sorted(browser.downloaded(3))
    print(f"screenshots: {shots}")
    assert [file.name for file in files] == [
        f"labels-{run}-Ada-Lovelace-2.jsonl", f"labels-{run}-Ada-Lovelace.jsonl", f"labels-{run}-Ben.jsonl",
    ]  # fmt: skip
    assert browser.complaints() == []

    check_import(desk, files, run, len(lines))
    ada, _, ben = (read_lines(file) for file in files)
    check_labels(lines, ada, told)
    report = check_report(desk, lines, ada, ben)
    assert [(pair["n"], pair["agreeing"]) for pair in report["pairs"]] == [(10, sum(second))]
    check_the_next_run(desk, report, len(lines))


def check_before(desk: Desk, lines: Sequence[Line]) -> None:
    """Nobody labelled anything; the summary has the judges' rates."""
    assert len(lines) == 2 * 8 * 12
    status, output = desk.evalkit("review", "report", "latest")
    assert (status, "nobody labelled any of its answers" in output) == (2, True), output
    summary = (desk.report_folders()[-1] / "summary.md").read_text(encoding="utf-8")
    for target in (STEADY, EAGER):
        scored = [line["outcome"] for line in lines if line["target"] == target and line["outcome"] != "unscored"]
        rate = f"{100 * scored.count('pass') / len(scored):.1f} %"
        row = next(row for row in summary.splitlines() if row.startswith(f"| {target} "))
        assert [cell.strip() for cell in row.split("|")[2:4]] == [f"{scored.count('pass')}/{len(scored)}", rate]


def planted(items: Sequence[Line], lines: Sequence[Line]) -> dict[str, str]:
    """What a person thinks of each text: of every four judged alike one is judged wrongly, and two cannot be told."""
    outcomes = {line["text_hash"]: line["outcome"] for line in lines}
    seen = dict.fromkeys(STRATA, 0)
    told = {}
    for item in items:
        outcome = outcomes[item["text_hash"]]
        seen[outcome] += 1
        right = (outcome == "pass") != (seen[outcome] % 4 == 2)
        undecided = {5: "borderline", 7: "unsure"}.get(seen[outcome])
        told[item["text_hash"]] = undecided or ("correct" if right else "wrong")
    return told


def keys_of(browser: Any, label: str, number: int) -> list[str]:
    """Every other wrong answer by its kind in one key, the others by ``2`` and Enter."""
    if label == "wrong":
        return ["h"] if number % 2 else ["2", browser.key("ENTER")]
    return [{"correct": "1", "borderline": "3", "unsure": "4"}[label]]


def judge_all(browser: Any, page: Path, lines: Sequence[Line], shots: Path) -> dict[str, str]:
    """Ada judges all thirty by keys; half-way she downloads, leaves a note half-written and reloads the page."""
    browser.open(page)
    browser.shoot(shots, "1-welcome")
    browser.press("Ada Lovelace", browser.key("ENTER"))
    items = browser.run("return ITEMS")
    told = planted(items, lines)
    keys = [keys_of(browser, told[item["text_hash"]], number) for number, item in enumerate(items)]
    browser.press(*(key for one in keys[:15] for key in one), "d", "n", "half a sen")
    browser.shoot(shots, "2-half-way")
    before = browser.run("return labelRows()")
    browser.reload_until("#heading", "Item 16 of 30")
    assert browser.find("#note").get_attribute("value") == "half a sen"
    assert browser.run("return labelRows()") == before
    assert len(before) == 15
    browser.press(browser.key("ARROW_LEFT"), "n", "seen later", browser.key("ESCAPE"))
    browser.shoot(shots, "3-judged")
    browser.press(browser.key("ENTER"), *(key for one in keys[15:] for key in one))
    assert browser.text("#done-name") == "All 30 are judged. Thank you, Ada Lovelace."
    browser.shoot(shots, "4-done")
    browser.press("d")
    assert browser.told("#status").startswith("30 labels downloaded as labels-")
    return told


def judge_again(browser: Any, told: dict[str, str]) -> list[bool]:
    """Ben, in the same browser, judges the first ten and differs on every third; whether each agrees with Ada."""
    browser.find("#open-name").send_keys(browser.key("ENTER"))
    browser.press("Ben", browser.key("TAB"), browser.key("TAB"), browser.key("ENTER"))
    assert browser.text("#where").split("\n")[0] == "0 of 30 judged"
    assert browser.text("#open-name") == "Ben"
    agrees = []
    for number, item in enumerate(browser.run("return ITEMS")[:10]):
        hers = told[item["text_hash"]]
        his = ("wrong" if hers == "correct" else "correct") if number % 3 == 2 else hers
        agrees.append(his == hers)
        browser.press(*keys_of(browser, his, 0))
    browser.press("d")
    return agrees


def check_import(desk: Desk, files: Sequence[Path], run: str, total: int) -> None:
    """All downloads at once, as a shell's star names them: the older one comes last, and takes nothing back."""
    status, output = desk.evalkit("review", "import", *map(str, files))
    said = [line.rpartition("/")[2] for line in output.splitlines()]
    assert status == 0, output
    assert said[:4] == [
        f"{files[0].name}: 30 labels by Ada Lovelace: 30 stored, 0 superseded, 0 unchanged, 0 refused",
        f"{files[1].name}: 15 labels by Ada Lovelace: 0 stored, 0 superseded, 14 unchanged, 1 older than what is known "
        "(kept, changes nothing), 0 refused",
        f"{files[2].name}: 10 labels by Ben: 10 stored, 0 superseded, 0 unchanged, 0 refused",
        f"run {run}: {carrying(desk.results(), read_lines(files[0]))} of {total} answers carry labels of Ada Lovelace "
        "and Ben",
    ]


def carrying(lines: Sequence[Line], labels: Sequence[Line]) -> int:
    return sum(line["text_hash"] in {label["text_hash"] for label in labels} for line in lines)


def check_labels(lines: Sequence[Line], labels: Sequence[Line], told: dict[str, str]) -> None:
    """Each label is of the answer that was judged, blind, and drawn with the probability that it says."""
    outcomes = {line["trial"]: line for line in lines}
    drawn = dict.fromkeys(STRATA.values(), 0)
    there: dict[str, set[str]] = {stratum: set() for stratum in drawn}
    for line in lines:
        there[STRATA[line["outcome"]]].add(line["text_hash"])
    for label in labels:
        drawn[label["stratum"]] += 1
    for label in labels:
        line = outcomes[label["trial"]]
        assert (label["text_hash"], label["stratum"]) == (line["text_hash"], STRATA[line["outcome"]])
        assert label["label"] == told[label["text_hash"]]
        assert label["inclusion"] == pytest.approx(drawn[label["stratum"]] / len(there[label["stratum"]]))
        assert label["blind"] is True
    assert [label["note"] for label in labels if label["note"]] == ["seen later", "half a sen"]


def check_report(desk: Desk, lines: Sequence[Line], ada: Sequence[Line], ben: Sequence[Line]) -> Line:
    """All three rates, by target and for both, as reckoned here."""
    status, output = desk.evalkit("review", "report", "latest", "--json")
    assert status == 0, output
    report: Line = json.loads(output)
    truths = majority(ada, ben)
    for target in (STEADY, EAGER, None):
        own = [line for line in lines if target in (None, line["target"])]
        rates = report["targets"][target] if target else report["all"]
        counted(rates["automated"], own, {}, is_one=bool(target))
        counted(rates["reviewed"], own, truths, is_one=bool(target))
    assert (report["targets"][STEADY]["why_not"], report["all"]["why_not"]) == ("", "")
    steady = corrected([line for line in lines if line["target"] == STEADY], truths)
    agrees(report["targets"][STEADY]["corrected"], *steady, is_one=True)
    agrees(report["all"]["corrected"], *corrected(lines, truths), is_one=False)
    assert report["all"]["automated"]["rate"] != pytest.approx(report["all"]["corrected"]["rate"], abs=0.01)
    assert report["sentences"][-1] == errors_in_words(lines, truths)
    return report


def majority(*labels: Sequence[Line]) -> Truths:
    """What more reviewers say than not; a text on which as many say the one as the other is not decided."""
    votes: dict[str, int] = {}
    for label in (label for one in labels for label in one):
        vote = {"correct": 1, "wrong": -1}.get(label["label"], 0)
        votes[label["text_hash"]] = votes.get(label["text_hash"], 0) + vote
    return {text: vote > 0 for text, vote in votes.items() if vote}


def agrees(found: Line, rate: float, low: float, high: float, *, is_one: bool) -> None:
    """The same rate and interval; of two targets, whose answers to one probe hang together, a wider one."""
    assert found["rate"] == pytest.approx(rate, abs=1e-9)
    if is_one:
        assert (found["low"], found["high"]) == pytest.approx((low, high), abs=1e-9)
    assert found["low"] <= low + 1e-9 < rate < high - 1e-9 <= found["high"]


def counted(found: Line, lines: Sequence[Line], truths: Truths, *, is_one: bool) -> None:
    """The labels in place of the verdicts they are of, the judges believed for the rest; Wilson's interval."""
    from statsmodels.stats.proportion import proportion_confint

    decided = [line for line in lines if line["outcome"] != "unscored" or line["text_hash"] in truths]
    right = sum(truths.get(line["text_hash"], line["outcome"] == "pass") for line in decided)
    low, high = proportion_confint(right, len(decided), method="wilson")
    assert (found["part"], found["whole"]) == (right, len(decided))
    agrees(found, right / len(decided), low, high, is_one=is_one)


def corrected(lines: Sequence[Line], truths: Truths) -> tuple[float, float, float]:
    """Each outcome's share of right answers among those read, by its number of answers; limits by Zou and Donner."""
    from statsmodels.stats.proportion import proportion_confint

    rate = down = up = 0.0
    for outcome in STRATA:
        texts = [line["text_hash"] for line in lines_of(lines, outcome)]
        read = [text for text in texts if text in truths]
        share, weight = sum(truths[text] for text in read) / len(read), len(texts) / len(lines)
        sizes = len(set(texts)), len(set(read))
        fewest = limit(lambda k, n=sizes, s=share: tail(floor(s * n[1] + 1e-9), k, n), sizes[0])
        most = sizes[0] - limit(lambda k, n=sizes, s=share: tail(floor((1 - s) * n[1] + 1e-9), k, n), sizes[0])
        assert ceil(share * sizes[1] - 1e-9) <= most
        rate += weight * share
        down += (weight * (share - fewest / sizes[0])) ** 2
        up += (weight * (most / sizes[0] - share)) ** 2
    low, high = proportion_confint(rate * len(lines), len(lines), method="wilson")
    return rate, rate - sqrt(down + (rate - low) ** 2), rate + sqrt(up + (high - rate) ** 2)


def tail(found: int, right: int, sizes: tuple[int, int]) -> float:
    """The chance of ``found`` or more right ones among those read, if ``right`` of all are."""
    from scipy.stats import hypergeom

    return float(hypergeom.sf(found - 1, sizes[0], right, sizes[1]))


def limit(chance: Callable[[int], float], total: int) -> int:
    """The fewest right ones of all that make what was found likelier than 2.5 %."""
    return next(right for right in range(total + 1) if chance(right) > 0.025 * (1 + 1e-9))


def errors_in_words(lines: Sequence[Line], truths: Truths) -> str:
    """The report's last sentence about judges."""
    found = {
        outcome: [truths[text] for text in truths.keys() & {line["text_hash"] for line in lines_of(lines, outcome)}]
        for outcome in STRATA
    }
    fails, passes, unscored = (found[outcome] for outcome in ("fail", "pass", "unscored"))
    was, were = ("was" if count == 1 else "were" for count in (passes.count(False), unscored.count(True)))
    return (
        f"all: {sum(fails)} of {len(fails)} sampled failures overturned; {passes.count(False)} of {len(passes)} "
        f"sampled passes {was} wrong; {sum(unscored)} of {len(unscored)} reviewed that no judge decided {were} right"
    )


def lines_of(lines: Sequence[Line], outcome: str) -> list[Line]:
    return [line for line in lines if line["outcome"] == outcome]


def check_the_next_run(desk: Desk, report: Line, total: int) -> None:
    """The same answers carry their labels into a run from the store."""
    status, output = desk.run("suites/instrument_trap", "--eval-plan", "smoke")
    assert status == 0, output
    found, labelled = report["all"]["corrected"], report["labelled"]
    words = f"{100 * found['rate']:.1f} % ({100 * found['low']:.1f}–{100 * found['high']:.1f})"
    summary = (desk.report_folders()[-1] / "summary.md").read_text(encoding="utf-8")
    sentence = f"{labelled} of {total} answers carry labels of Ada Lovelace and Ben; corrected pass rate {words}"
    assert sentence in summary


def read_lines(file: Path) -> list[Line]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
