"""What a run stored, as trials that can be judged again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evalkit.generation import Generation
from evalkit.host.plan import conversation
from evalkit.matrix import Trial
from evalkit.probe import Generate, JudgeUse, Message, Probe, Turn
from evalkit.reading.build import SuiteReading, read_suite
from evalkit.reading.judge_files import judge_names
from evalkit.record import TrialRecord
from evalkit.rejudging import STORED, StoredTrial
from evalkit.target import Condition, Model, Quantisation, Target
from evalkit.workspace import Workspace

Stored = tuple[tuple[Message, ...], Generation]
"""An answer with the messages it answered, the condition's system text first."""


class ProbesOfToday:
    """The workspace's probes as they are now, each suite read once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._names = judge_names(workspace)
        self._suites: dict[Path, SuiteReading] = {}

    def probe(self, record: TrialRecord) -> Probe | None:
        """The probe that a record is of; None where it is gone, cannot be read, or came from a Python test."""
        file = self._workspace.root / record.file
        if not self._workspace.is_probe_file(file) or not file.is_file():
            return None
        folder = self._workspace.suite_of(file)
        if folder not in self._suites:
            self._suites[folder] = read_suite(folder, self._workspace, self._names)
        probes = (probe for reading in self._suites[folder].files for probe in reading.probes)
        return next((probe for probe in probes if probe.id == record.probe and probe.file == record.file), None)


def transcript_of(
    record: TrialRecord, probe: Probe, stored: Sequence[Stored], uses: tuple[JudgeUse, ...]
) -> tuple[StoredTrial, bool]:
    """The record's conversation as it happened, for ``uses`` to judge; and whether the probe asks otherwise today."""
    answers = tuple(generation for _, generation in stored)
    asked = stored[-1][0]
    said, _ = conversation(Trial(probe, STORED), answers[:-1])
    system = None if asked == said or not asked or asked[0].role != "system" else asked[0].content
    target = _stand_in(record.target, system)
    if (asked if system is None else asked[1:]) == said:
        return StoredTrial(Trial(replace(probe, judges=uses), target, record.sample), answers), False
    turns: tuple[Turn, ...] = (*(asked if system is None else asked[1:]), Generate())
    as_it_was = replace(probe, judges=uses, turns=turns, judge_turns="last")
    return StoredTrial(Trial(as_it_was, target, record.sample), answers[-1:]), True


def _stand_in(label: str, system: str | None) -> Target:
    """A target of that label and system prompt; what it was made of does not matter to a judge."""
    weights, quantisation, condition, decoding = label.split(":")
    return Target(
        Model(weights, "", True, weights), Quantisation(quantisation, "fp32"),
        condition=Condition(condition, system), decoding_name=decoding,
    )  # fmt: skip
