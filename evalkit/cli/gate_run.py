"""``evalkit gate`` at work: reads what was measured and the gates about it, decides, prints."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.cli.gate_sources import Gated, gated, of_suite
from evalkit.cli.places import absolute
from evalkit.errors import UsageError
from evalkit.gates import Gate, GateResult, evaluate, exit_status, false_red_sentence
from evalkit.gating import settings_of, surroundings
from evalkit.record import TrialRecord
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.reviewed import Reviewed

WIDTH = 100


def run(arguments: argparse.Namespace) -> int:
    """Exit 0 when nothing fails, 1 otherwise.

    Raises:
        UsageError: there is no such source, or no gate is about it.
        UnreadableFile: a file cannot be read.
    """
    workspace = Workspace(absolute(Path.cwd()))
    source = gated(workspace, arguments.source)
    given = _given(workspace, arguments.files)
    source = of_suite(source, given)
    gates, limits = gates_about(workspace, source)
    gates = (*gates, *given)
    if not gates:
        raise UsageError(f"{source.title}: no gate is about it. Name a file of gates with: --gates FILE")
    around = surroundings(
        gates, workspace, arguments.baseline, Path.cwd(), source.aliases, lambda: _labels(workspace, source)
    )
    results = evaluate(gates, source.records, source.selected, around)
    status, sentences = _decided(source, results, {**limits, **source.max_unscored})
    _print(source, results, sentences, status, as_json=arguments.json)
    if all(result.outcome == "not_applicable" for result in results):
        raise UsageError(f"{source.title}: none of {len(results)} gates is about it, so nothing was decided.")
    return status


def _labels(workspace: Workspace, source: Gated) -> Reviewed | None:
    """What people said of a run; nothing is known of files."""
    from evalkit.reviewed import reviewed

    return reviewed(workspace.store_file, source.run, source.records, everyone=True) if source.run else None


def _given(workspace: Workspace, files: Sequence[str]) -> tuple[Gate, ...]:
    from evalkit.reading.gates import read_gates

    return tuple(gate for file in files for gate in read_gates(Path(file), workspace))


def gates_about(workspace: Workspace, source: Gated) -> tuple[tuple[Gate, ...], dict[str, float]]:
    """The workspace's gates that are about the source's suites, and the shares that may be unscored."""
    if not workspace.suites.is_dir():
        return (), {}
    from evalkit.reading.gates import read_gates
    from evalkit.reading.targets import read_targets

    settings = settings_of(workspace, source.records)
    present = {record.suite for record in source.records}
    shared = [gate for file in read_targets(workspace).gate_files for gate in read_gates(file, workspace)]
    own = [gate for one in settings.values() for gate in one.gates]
    limits = {suite: one.max_unscored for suite, one in settings.items()}
    return (*(gate for gate in shared if gate.suite in present), *own), limits


def _decided(source: Gated, results: Sequence[GateResult], limits: dict[str, float]) -> tuple[int, tuple[str, ...]]:
    """What the run would exit with; of a file only what its gates say."""
    is_blocked = any(result.blocks for result in results)
    if not source.is_run:
        return int(is_blocked), ()
    status, sentences = exit_status(
        int(any(_is_failing(record) for record in source.records)), source.records, results, other_failures=0,
        max_unscored=limits, selected=source.selected,
    )  # fmt: skip
    return max(status, int(is_blocked)), sentences


def _is_failing(record: TrialRecord) -> bool:
    return record.outcome == "error" or (record.outcome == "fail" and record.role != "reference")


def _print(
    source: Gated, results: Sequence[GateResult], sentences: Sequence[str], status: int, *, as_json: bool
) -> None:
    from evalkit.reporting.summary import DEMO_STAMP
    from evalkit.reporting.terminal import gate_section

    is_demo = any(record.is_demo for record in source.records)
    if as_json:
        print(json.dumps(_plain(source, results, sentences, status, is_demo=is_demo)))
        return
    lines = gate_section(results, {record.suite for record in source.records}, sentences, WIDTH)
    stamp = [DEMO_STAMP] if is_demo else []
    note = [f"note: {source.note}"] if source.note else []
    print("\n".join([*stamp, *(line.text for line in lines), *note, *stamp]))


def _plain(
    source: Gated, results: Sequence[GateResult], sentences: Sequence[str], status: int, *, is_demo: bool
) -> dict[str, Any]:
    return {
        "source": source.title, "status": status, "demo": is_demo,
        "gates": [_plain_result(result) for result in results],
        "sentences": list(sentences), "false_red": false_red_sentence(results), "note": source.note,
    }  # fmt: skip


def _plain_result(result: GateResult) -> dict[str, Any]:
    gate = result.gate
    return {
        "name": gate.name, "suite": gate.suite, "metric": gate.metric, "source": gate.source,
        "outcome": result.outcome, "blocks": result.blocks, "target": result.target, "measured": result.measured,
        "low": result.low, "high": result.high, "n": result.n, "false_red": result.false_red,
        "sentence": result.sentence,
    }  # fmt: skip
