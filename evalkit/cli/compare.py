"""``evalkit compare``: whether one side got worse than another, in one line first."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any, get_args

from evalkit.cli.compare_blocks import Asked, Block, Grouping, block_lines, blocks_of, plain_block
from evalkit.cli.places import workspace_at
from evalkit.cli.side_notes import group_notes
from evalkit.cli.sides import Group, groups_of, only_suite, source_of
from evalkit.comparing import METRICS, Metric
from evalkit.comparing.interaction import interaction
from evalkit.errors import UsageError
from evalkit.reading.suggestions import did_you_mean
from evalkit.reporting.comparison import interaction_lines, joined, note_lines
from evalkit.reporting.comparison_json import plain_interaction
from evalkit.reporting.safe_text import for_terminal

HELP = "a run, latest, previous, a baseline's name, or the file of a baseline or results.jsonl; each may end in @TARGET"
UNDECIDED = {"INCOMPARABLE", "UNDERPOWERED"}
MIN_WIDTH = 80


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("compare", help="tell whether a run got worse than another, a baseline or another target")
    add = parser.add_argument
    add("sides", metavar="SIDE", nargs="+", help=HELP)
    add("--metric", action="append", metavar="METRIC", help=f"{', '.join(METRICS)} (default: pass_rate); repeatable")
    add("--judge", help="whose score mean_score is (default: the first that a required judge gave)")
    add("--margin", type=float, help="the loss that does no harm: points of a rate (3), or a score's own unit (0.5)")
    add("--suite", help="only the probes of this suite")
    add("--by", choices=get_args(Grouping), default="category", help="how probes are grouped (default: category)")
    add("--interaction", action="store_true", help="of four sides (neither, one, other, both): what both add to each")
    add("--strict", action="store_true", help="exit 1 also where nothing could be decided")
    add("--json", action="store_true", help="print everything as one line of JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit 0 unless something REGRESSED; with ``--strict`` 1 also where nothing could be decided.

    Raises:
        UsageError: a side is not there, or the options do not fit together.
        UnreadableFile: a side's file cannot be read.
    """
    asked = _asked(arguments)
    workspace = workspace_at(Path.cwd())
    sources = [source_of(workspace, word) for word in arguments.sides]
    if arguments.suite:
        sources = [only_suite(source, arguments.suite) for source in sources]
    groups, notes = groups_of(sources)
    if arguments.interaction:
        return _interaction(arguments, asked, groups)
    blocks = [block for group in groups for block in blocks_of(group, asked)]
    if arguments.json:
        print(json.dumps({"groups": [plain_block(block, asked) for block in blocks], "notes": notes}))
    else:
        _print(blocks, notes, asked)
    verdicts = {found.verdict for block in blocks for found in block.comparisons}
    return int("REGRESSED" in verdicts or (arguments.strict and bool(verdicts & UNDECIDED)))


def _asked(arguments: argparse.Namespace) -> Asked:
    wanted: list[str] = arguments.metric or (["mean_score"] if arguments.interaction else ["pass_rate"])
    metrics: list[Metric] = []
    for name in dict.fromkeys(wanted):
        known: Metric | None = next((metric for metric in METRICS if metric == name), None)
        if known is None:
            raise UsageError(f"There is no metric {name!r}. {did_you_mean(name, METRICS)}")
        metrics.append(known)
    if arguments.judge and "mean_score" not in metrics:
        raise UsageError("--judge says whose score is compared. Add --metric mean_score.")
    margin: float | None = arguments.margin
    if margin is not None and not (isfinite(margin) and margin >= 0):
        raise UsageError(f"--margin is a loss that does no harm, 0 or more; found {margin:g}.")
    return Asked(tuple(metrics), arguments.judge, margin, arguments.by)


def _print(blocks: Sequence[Block], notes: Sequence[str], asked: Asked) -> None:
    """Every verdict first, each on one line however wide; then what stands behind them."""
    width = max(shutil.get_terminal_size().columns, MIN_WIDTH)
    for block in blocks:
        for found in block.comparisons:
            print(for_terminal(found.sentence))
    sections = [block_lines(block, asked, width) for block in blocks]
    print()
    for line in joined([*sections, note_lines(notes, width)]):
        print(line)


def _interaction(arguments: argparse.Namespace, asked: Asked, groups: Sequence[Group]) -> int:
    if len(arguments.sides) != 4 or len(groups) != 1:
        raise UsageError(
            "--interaction needs four sides of one target each: neither change, the one, the other, both; "
            f"found {len(arguments.sides)}. Pick targets with RUN@TARGET."
        )
    (group,) = groups
    neither, one, other, both = group.sides
    found = [interaction(neither, one, other, both, metric, judge=asked.judge) for metric in asked.metrics]
    if arguments.json:
        print(json.dumps({"interactions": [plain_interaction(item) for item in found], "notes": group_notes(group)}))
    else:
        width = max(shutil.get_terminal_size().columns, MIN_WIDTH)
        for item in found:
            print(for_terminal(item.sentence))
        names = [side.name for side in group.sides]
        sections = [interaction_lines(item, names, width) for item in found]
        print()
        for line in joined([*sections, note_lines(group_notes(group), width)]):
            print(line)
    return int(arguments.strict and any(item.reasons or item.effect is None for item in found))
