"""What a GitHub job shows of a run: annotations at the lines of failing probes, and the summary on the job's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from evalkit.gates import GateResult
from evalkit.record import TrialRecord
from evalkit.reporting.safe_text import for_terminal

MAX_ANNOTATIONS = 10
"""GitHub shows ten errors and ten warnings of a step and drops the rest."""

MAX_SUMMARY_BYTES = 1_000_000
"""GitHub refuses a step's summary above one MiB."""

SHOWN_CHARS = 300
_CUT = "\n\n*Cut here: GitHub takes no more. The whole summary is `summary.md` among the run's reports.*\n"


def is_github(environment: Mapping[str, str]) -> bool:
    return environment.get("GITHUB_ACTIONS") == "true"


def annotation_lines(
    records: Sequence[TrialRecord], results: Sequence[GateResult], *, is_red: bool, prefix: str = ""
) -> list[str]:
    """Workflow commands, a line each: errors and gates that block, then failing probes of subjects; then warnings.

    ``prefix`` leads from the repository's root to the workspace (``""`` or ``evals/``). In a green run failing probes
    are within the allowance: notices, not errors. Of each level only as many as GitHub shows; the last then says how
    many are left out.
    """
    blocking = [_gate("error", result, prefix) for result in results if result.blocks]
    warned = [_gate("warning", result, prefix) for result in results if result.outcome == "warn"]
    warned += [_gate("warning", item, prefix) for item in results if item.outcome == "undecided" and not item.blocks]
    broken = [_trial("error", record, prefix) for record in records if record.outcome == "error"]
    level = "error" if is_red else "notice"
    failing = [
        _trial(level, record, prefix) for record in records if record.outcome == "fail" and record.role != "reference"
    ]
    if is_red:
        return [*_limited("error", [*blocking, *broken, *failing]), *_limited("warning", warned)]
    return [*_limited("warning", warned), *_limited("notice", failing)]


def add_to_step_summary(file: Path, markdown: str) -> None:
    """Appends a run's summary to the file that ``GITHUB_STEP_SUMMARY`` names, cut where GitHub would refuse it.

    Raises:
        OSError: it cannot be written.
    """
    used = file.stat().st_size if file.exists() else 0
    room = MAX_SUMMARY_BYTES - used
    plain = markdown.encode("utf-8", "replace")
    if len(plain) > room:
        plain = plain[: max(0, room - len(_CUT.encode()))].decode("utf-8", "ignore").encode() + _CUT.encode()
    with file.open("ab") as out:
        out.write(plain)


def _limited(level: str, lines: list[str]) -> list[str]:
    if len(lines) <= MAX_ANNOTATIONS:
        return lines
    left = len(lines) - MAX_ANNOTATIONS + 1
    more = _command(level, {"title": "evalkit"}, f"{left} more are in the job's summary and in its log.")
    return [*lines[: MAX_ANNOTATIONS - 1], more]


def _gate(level: str, result: GateResult, prefix: str) -> str:
    """At the gate's own line, where its source names one."""
    file, _, line = result.gate.source.rpartition(":")
    at = {"file": f"{prefix}{file}", "line": line} if line.isdecimal() and file else {}
    return _command(level, {**at, "title": f"gate {result.gate.name}"}, result.sentence)


def _trial(level: str, record: TrialRecord, prefix: str) -> str:
    at = {"file": f"{prefix}{record.file}", "line": str(record.line)}
    return _command(level, {**at, "title": f"{record.probe} on {record.target}"}, record.reason)


def _command(level: str, properties: Mapping[str, str], message: str) -> str:
    """One workflow command; hostile characters in it are escaped as GitHub's own toolkit does."""
    text = for_terminal(message)
    text = text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…"
    told = ",".join(f"{name}={_escaped(for_terminal(value), ':,')}" for name, value in properties.items())
    return f"::{level} {told}::{_escaped(text)}"


def _escaped(text: str, also: str = "") -> str:
    """Percent-encoded: the percent sign, line breaks and whatever else has a meaning there."""
    for character in ("%", "\r", "\n", *also):
        text = text.replace(character, f"%{ord(character):02X}")
    return text
