"""``evalkit calibrate``: measures judges against people's labels and keeps the result beside the baselines."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from evalkit.agreement import Agreement, Labelled
from evalkit.calibration import EVERY_CATEGORY, Calibration, LabelSource
from evalkit.cli import judging_again as judging
from evalkit.cli.places import absolute
from evalkit.errors import Problem, UsageError
from evalkit.probe import JudgeUse
from evalkit.reporting.phrases import counted
from evalkit.reporting.safe_text import for_terminal
from evalkit.stats import Interval, percent
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.reading.label_rows import LabelRow
    from evalkit.rejudging import Judged, StoredTrial

MAX_DISPUTED = 20
THIRD_PARTY = ("shared", "data")


@dataclass(frozen=True, slots=True)
class Scored:
    """One labelled answer with what the judge says of it."""

    row: LabelRow
    judged: Judged

    @property
    def labelled(self) -> Labelled:
        verdict = self.judged.verdict
        outcome = "unscored" if verdict is None else verdict.outcome
        return Labelled(bool(self.row.truth), outcome, self.row.inclusion or 1.0)

    @property
    def is_disputed(self) -> bool:
        return self.labelled.outcome == ("fail" if self.row.truth else "pass")


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser(
        "calibrate",
        help="measure judges against labelled answers; trust is then shown beside their rates",
        description="Lines of LABELS: those of evalkit judge, with label (pass, fail, borderline) or "
        "behaviour_correct, collapsed for the judge degeneration; also suite, reviewer, blind, inclusion_probability.",
    )
    parser.add_argument("file", nargs="?", metavar="LABELS.jsonl", help="labelled answers")
    parser.add_argument(
        "--labels", metavar="RUN", help="in place of a file: what reviewers said of this run, or latest"
    )
    parser.add_argument("--judge", dest="judges", action="append", default=[], metavar="NAME", help="again for more")
    parser.add_argument("--suite", metavar="NAME", help="the suite that the answers are of, where the lines do not say")
    parser.add_argument(
        "--all-reviewed", action="store_true",
        help="every answer was labelled, though the lines come from a review queue",
    )  # fmt: skip
    parser.add_argument(
        "--max-usd", type=judging.usd, default=5.0, metavar="USD", help="most to spend on judge models (5)"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit 0 when all is measured, 2 when a line cannot be read (the others are measured all the same)."""
    if (arguments.file is None) == (arguments.labels is None):
        raise UsageError("Give one of LABELS.jsonl and --labels RUN.")
    file = Path(arguments.file or f"run {arguments.labels}")
    if arguments.file and not file.is_file():
        raise UsageError(f"{file}: there is no such file.")
    if not arguments.judges:
        raise UsageError("Name a judge: evalkit calibrate LABELS.jsonl --judge NAME. See: evalkit list judges")
    workspace = Workspace(absolute(Path.cwd()))
    if arguments.labels:
        return _run_labels(arguments, workspace)
    from evalkit.rejudging import stored_trial

    problems: dict[str, Problem] = {}
    results: dict[str, Any] = {}
    for name in dict.fromkeys(arguments.judges):
        rows, wrong = _rows(file, name, arguments, workspace)
        problems |= {str(problem): problem for problem in wrong}
        use = judging.named_judges([name], workspace)[0]
        trials = [stored_trial(row.answer, (use,), number) for number, row in enumerate(rows)]
        results[name] = _calibrate(use, rows, trials, file, arguments, workspace)
    if arguments.json:
        print(json.dumps({"judges": results, "problems": list(problems)}))
    for problem in problems.values():
        print(problem, file=sys.stderr)
    return 2 if problems else 0


def _run_labels(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """The same on the labels of a run.

    Raises:
        UsageError: its labels say nothing of this judge.
    """
    from evalkit.cli.calibrate_run import labelled_trials

    if "degeneration" in arguments.judges:
        raise UsageError("Reviewers say whether an answer is right, not whether it collapsed: leave degeneration out.")
    run, labelled = labelled_trials(workspace, arguments.labels)
    results: dict[str, Any] = {}
    for name in dict.fromkeys(arguments.judges):
        use = judging.named_judges([name], workspace)[0]
        rows, trials = [one.row for one in labelled], [one.trial(use) for one in labelled]
        results[name] = _calibrate(use, rows, trials, Path(f"run {run}"), arguments, workspace)
    if arguments.json:
        print(json.dumps({"judges": results, "problems": []}))
    return 0


def _rows(
    file: Path, judge: str, arguments: argparse.Namespace, workspace: Workspace
) -> tuple[list[LabelRow], list[Problem]]:
    """The rows that have a label.

    Raises:
        UsageError: there are none, or they were selected and do not say how, or are of a review sheet.
    """
    from evalkit.reading.label_rows import read_labels

    known = judging.probes_of(arguments.suite, workspace) if arguments.suite else {}
    with file.open("rb") as lines:
        found = list(read_labels(lines, str(file), of_collapse=judge == "degeneration", known=known))
    problems = [row for row in found if isinstance(row, Problem)]
    rows = [row for row in found if not isinstance(row, Problem) and row.truth is not None]
    if not rows:
        detail = "\n".join(map(str, problems[:3]))
        raise UsageError(f"{file}: no line has a label to measure {judge} with.\n{detail}".rstrip())
    of_sheet = [row for row in rows if "stratum" in row.answer.plain]
    if of_sheet and not arguments.all_reviewed:
        raise UsageError(
            f"{file}:{of_sheet[0].answer.probe.line}: {counted(len(of_sheet), 'line')} of a review sheet, which does "
            "not say what its queue left out: of failures alone any figure would be skewed. Measure on the run: "
            f"evalkit review import {file}, then evalkit calibrate --labels RUN --judge {judge}"
        )
    selected = [row for row in rows if row.is_selected and row.inclusion is None]
    if selected and not arguments.all_reviewed:
        raise UsageError(
            f"{file}:{selected[0].answer.probe.line}: {len(selected)} answers were picked by a queue, and their lines "
            "have no inclusion_probability, so any figure would be skewed. Export them with it, or give --all-reviewed "
            "where every answer was labelled."
        )
    return rows, problems


def _calibrate(
    use: JudgeUse, rows: Sequence[LabelRow], trials: Sequence[StoredTrial], file: Path, arguments: argparse.Namespace,
    workspace: Workspace,
) -> dict[str, Any]:  # fmt: skip
    from evalkit.reporting.money import asked_sentence, is_unreadable
    from evalkit.store.calibrations import write_calibrations

    name = use.use
    rejudging = judging.rejudging_of(arguments, workspace, (use,))
    judged = judging.judged_all(rejudging, (use,), trials)
    scored = [Scored(row, each[0]) for row, (_, each) in zip(rows, judged, strict=True)]
    if rejudging.questions:
        unreadable = sum(is_unreadable(each.judged.verdict.reason) for each in scored if each.judged.verdict)
        print(f"judges  {asked_sentence(rejudging.questions, unreadable, arguments.max_usd)}", file=sys.stderr)
    entries = _entries(use, scored, file, arguments, workspace)
    if not arguments.json:
        _print(name, scored, file)
    written = [entry for entry in entries if entry.suite]
    if written:
        target = write_calibrations(workspace, name, written)
        note = f"wrote {workspace.shown(target)}; runs judged by {name} {written[0].judge_hash} show it. Commit it."
    else:
        note = "not kept: no suite is named. Give --suite NAME to show it beside that suite's rates."
    print(note, file=sys.stderr if arguments.json else sys.stdout)
    return {"categories": [asdict(entry) for entry in entries]}


def _entries(
    use: JudgeUse, scored: Sequence[Scored], file: Path, arguments: argparse.Namespace, workspace: Workspace
) -> list[Calibration]:
    """A calibration for each suite and category, and one over all its categories."""
    from evalkit.reading.judges import judge_hash

    stamp = judge_hash(use, workspace)
    groups: dict[tuple[str, str], list[Scored]] = {}
    for item in scored:
        suite = item.row.suite or arguments.suite or ""
        for category in (item.row.answer.probe.category, EVERY_CATEGORY):
            groups.setdefault((suite, category), []).append(item)
    return [
        Calibration(
            use.use, stamp, suite, category,
            tuple(sorted({item.row.answer.probe.language or "" for item in items} - {""})),
            _source(file, items), Agreement.of(item.labelled for item in items),
        )
        for (suite, category), items in groups.items()
    ]  # fmt: skip


def _source(file: Path, items: Sequence[Scored]) -> LabelSource:
    by = tuple(sorted({item.row.by for item in items} - {""}))
    said = {item.row.blind for item in items}
    return LabelSource(
        file.name, by, len(items), said.pop() if len(said) == 1 else None,
        is_third_party=file.resolve().parent.parts[-2:] == THIRD_PARTY,
    )  # fmt: skip


def _print(name: str, scored: Sequence[Scored], file: Path) -> None:
    categories = dict.fromkeys(item.row.answer.probe.category for item in scored)
    groups: dict[str, Iterable[Scored]] = {
        category or "-": [item for item in scored if item.row.answer.probe.category == category]
        for category in sorted(categories)
    }
    groups[EVERY_CATEGORY] = scored
    rows = [_figures(label, Agreement.of(item.labelled for item in items)) for label, items in groups.items()]
    people = ", ".join(sorted({item.row.by for item in scored} - {""})) or "the file does not say who"
    print(f"{name} against {counted(len(scored), 'label')} of {file.name} (by {for_terminal(people)})")
    print(tabulate(rows, headers="keys", disable_numparse=True, stralign="right", colalign=("left",)))
    if file.resolve().parent.parts[-2:] == THIRD_PARTY:
        print("These are stored answers of others, on which evalkit itself was built: no rate is corrected by them.")
    disputed = [item for item in scored if item.is_disputed]
    if disputed:
        print(f"disputed: {len(disputed)}")
    for item in disputed[:MAX_DISPUTED]:
        verdict = item.judged.verdict
        said = "right" if item.row.truth else "wrong"
        reason = verdict.reason if verdict is not None else item.judged.broke
        where = f"{item.row.answer.probe.file}:{item.row.answer.probe.line}"
        print(for_terminal(f"  {where} {item.row.answer.id}: labelled {said}, {item.labelled.outcome}: {reason}"))
    if len(disputed) > MAX_DISPUTED:
        print(f"  … and {len(disputed) - MAX_DISPUTED} more")


def _figures(category: str, found: Agreement) -> dict[str, str]:
    """One row: the 2×2 as passed/failed/unscored of right and of wrong answers, then what follows from it."""

    def cell(*counts: float) -> str:
        return "/".join(f"{count:g}" for count in counts)

    return {
        "category": category,
        "n": str(found.n),
        "right: p/f/u": cell(found.true_pass, found.false_fail, found.unscored_right),
        "wrong: p/f/u": cell(found.false_pass, found.true_fail, found.unscored_wrong),
        "accuracy": _with_interval(found.accuracy, found.accuracy_interval),
        "sensitivity": _with_interval(found.sensitivity, found.sensitivity_interval),
        "specificity": _with_interval(found.specificity, found.specificity_interval),
        "kappa": _kappa(found),
        "abstained": percent(found.abstention),
    }


def _with_interval(share: float | None, interval: Interval) -> str:
    return "-" if share is None else f"{100 * share:.0f} % [{100 * interval.low:.0f}–{100 * interval.high:.0f}]"


def _kappa(found: Agreement) -> str:
    kappa, interval = found.kappa, found.kappa_interval()
    if kappa is None:
        return "-"
    if interval is None:
        return f"{kappa:.2f}"
    return f"{kappa:.2f} [{interval.low:.2f}–{interval.high:.2f}]"
