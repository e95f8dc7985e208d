"""``evalkit doctor``: what a run here needs, what is there, and what to do about the rest."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.cli.places import absolute, suites_of
from evalkit.reporting.safe_text import for_terminal
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.doctor.finding import Finding

_MARKS = {"ok": "ok", "absent": "-", "hurts": "HURTS", "breaks": "BREAKS"}


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser(
        "doctor", help="say what is installed, which devices, keys, models and stored answers are here, and what hurts"
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit 1 when something would break a run."""
    from evalkit.doctor.examination import examine

    here = absolute(Path.cwd())
    workspace = _workspace_around(here)
    findings = examine(workspace, suites_of(workspace) if workspace else (), here)
    status = 1 if any(finding.level == "breaks" for finding in findings) else 0
    if arguments.json:
        plain = [{**asdict(finding), "facts": dict(finding.facts)} for finding in findings]
        print(json.dumps({"status": status, "findings": plain}))
    else:
        print(findings_text(findings))
    return status


def _workspace_around(here: Path) -> Workspace | None:
    """The nearest workspace that ``here`` is the root of, or is in."""
    for folder in (here, *here.parents):
        if (folder / "suites").is_dir():
            return Workspace(folder)
    return None


def findings_text(findings: Sequence[Finding]) -> str:
    """A line for each, another with what to do, and the sum."""
    width = max((len(finding.topic) for finding in findings), default=0)
    lines = []
    for finding in findings:
        lines.append(f"{_MARKS[finding.level]:<6}  {finding.topic:<{width}}  {for_terminal(finding.says)}")
        if finding.do:
            lines.append(f"{'':<6}  {'':<{width}}  -> {for_terminal(finding.do)}")
    return "\n".join([*lines, "", _sum(findings)])


def _sum(findings: Sequence[Finding]) -> str:
    breaks, hurts = (sum(finding.level == level for finding in findings) for level in ("breaks", "hurts"))
    if not breaks and not hurts:
        return "All is well."
    parts = [f"{breaks} {'thing breaks' if breaks == 1 else 'things break'} a run"] if breaks else []
    parts += [f"{hurts} {'thing hurts' if hurts == 1 else 'things hurt'} it"] if hurts else []
    return f"{' and '.join(parts)}."
