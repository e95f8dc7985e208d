"""Files of gates as Gate nouns."""

from __future__ import annotations

from pathlib import Path

from evalkit.errors import Problem, UnreadableFile
from evalkit.gates import Gate
from evalkit.reading.target_schema import GateEntry, GatesFile
from evalkit.reading.validate import validate
from evalkit.reading.yaml_nodes import read_yaml
from evalkit.workspace import Workspace


def read_gates(path: Path, workspace: Workspace) -> tuple[Gate, ...]:
    """The gates of one file in its order; ``source`` of each is its file and line.

    Raises:
        UnreadableFile: with every mistake of the file.
    """
    shown = workspace.shown(path)
    document = read_yaml(path, shown)
    entries = validate(GatesFile, document, shown).gates
    problems: list[Problem] = []
    gates: list[Gate] = []
    names: set[str] = set()
    for index, entry in enumerate(entries):
        complaint = _complaint(entry, names)
        if complaint is not None:
            problems.append(document.problem(("gates", index), complaint))
        names.add(entry.name)
        gates.append(Gate(**entry.model_dump(), source=f"{shown}:{document.line(('gates', index))}"))
    if problems:
        raise UnreadableFile(problems)
    return tuple(gates)


def _complaint(entry: GateEntry, earlier: set[str]) -> str | None:
    if entry.name in earlier:
        return f"a gate named {entry.name!r} is already in this file. Choose another name."
    if entry.at_least is None and entry.at_most is None:
        return f"gate {entry.name!r} asks for nothing. Add at_least or at_most, a proportion from 0 to 1."
    if entry.at_least is not None and entry.at_most is not None and entry.at_least > entry.at_most:
        return f"gate {entry.name!r} cannot hold: at_least {entry.at_least:g} is above at_most {entry.at_most:g}."
    return None
