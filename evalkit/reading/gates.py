"""Gates of suite.yaml and of files of gates as Gate nouns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from evalkit.errors import Problem, UnreadableFile
from evalkit.gates import Gate
from evalkit.reading.gate_figures import figure_of
from evalkit.reading.gate_rules import gate_mistakes
from evalkit.reading.gate_schema import FileGateEntry, GateRule, GatesFileShape
from evalkit.reading.validate import problems_of, validate
from evalkit.reading.yaml_nodes import Document, read_yaml
from evalkit.workspace import Workspace


def read_gates(path: Path, workspace: Workspace) -> tuple[Gate, ...]:
    """The gates of one file in its order; ``source`` of each is its file and line.

    Raises:
        UnreadableFile: with every mistake of the file.
    """
    shown = workspace.shown(path)
    document = read_yaml(path, shown)
    gates, problems = gates_of(validate(GatesFileShape, document, shown).gates, FileGateEntry, document)
    if problems:
        raise UnreadableFile(problems)
    return gates


def gates_of(
    raw: Sequence[Any], kind: type[GateRule], document: Document, suite: str = ""
) -> tuple[tuple[Gate, ...], tuple[Problem, ...]]:
    """The good ones of a document's gates, and what is wrong with the others; ``suite`` is that of suite.yaml."""
    gates: dict[str, Gate] = {}
    problems: list[Problem] = []
    for index, plain in enumerate(raw):
        at = ("gates", index)
        try:
            entry = kind.model_validate(plain)
        except ValidationError as error:
            problems += problems_of(error, kind, document, at)
            continue
        found = [document.problem((*at, *field), message) for field, message in gate_mistakes(entry)]
        if entry.name in gates:
            message = f"the gate {entry.name!r} is already at {gates[entry.name].source}. Give this one another name."
            found.append(document.problem((*at, "name"), message))
        elif not found:
            own = entry.suite if isinstance(entry, FileGateEntry) else suite
            gates[entry.name] = _gate(entry, own, f"{document.file}:{document.line(at)}")
        problems += found
    return tuple(gates.values()), tuple(problems)


def _gate(entry: GateRule, suite: str, source: str) -> Gate:
    figure = None if entry.equals is None else figure_of(entry)
    return Gate(
        name=entry.name, suite=suite, metric=entry.metric, target=entry.target, category=entry.category,
        at_least=entry.at_least, at_most=entry.at_most, because=entry.because or "", source=source,
        above=entry.above, below=entry.below, fail_below=entry.fail_below, fail_above=entry.fail_above,
        equals=None if figure is None else figure.value, tolerance=0.0 if figure is None else figure.tolerance,
        end=entry.end, probe=entry.probe, condition=entry.condition, judge=entry.judge, flag=entry.flag,
        signal=entry.signal, signal_from=entry.signal_from, min_n=entry.min_n or 0, coverage=entry.coverage or 0.0,
        against=entry.against, margin=entry.margin, undecided=entry.undecided,
        language=entry.language,
    )  # fmt: skip
