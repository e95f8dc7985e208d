"""The targets a run is about: what targets.yaml declares and the command line chooses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evalkit.errors import Problem, UnreadableFile, UsageError
from evalkit.reading.bases import finished
from evalkit.reading.drafts import Draft, with_distinct_names
from evalkit.reading.places import Place
from evalkit.reading.target_axes import Axes
from evalkit.reading.target_declarations import Declarations
from evalkit.reading.target_files import TargetFile, located, read_target_files
from evalkit.reading.target_schema import TargetEntry
from evalkit.reading.target_selection import Selection, TargetChoice
from evalkit.target import MERGED, Target
from evalkit.workspace import Workspace

__all__ = ["TargetChoice", "TargetTable", "read_targets"]


@dataclass(frozen=True, slots=True)
class TargetTable:
    """Everything targets.yaml and its includes declare, beside what is built in."""

    selection: Selection
    gate_files: tuple[Path, ...] = ()

    def resolve(self, choice: TargetChoice) -> tuple[Target, ...]:
        """The chosen targets, each label once, in the order of the files, then of the axes as given.

        Raises:
            UsageError: the command line names what is not there or cannot be combined, or nothing is left to run.
            UnreadableFile: what targets.yaml declares cannot be used.
        """
        axes = self.selection.axes
        taken = {"model": frozenset(axes.models), "adapter": frozenset((*axes.adapters, "none", MERGED))}
        targets: dict[str, Target] = {}
        for draft in with_distinct_names(self.selection.drafts(choice), taken):
            target = finished(draft, axes)
            if targets.setdefault(target.label, target) != target:
                part = _difference(targets[target.label], target)
                raise UsageError(
                    f"Two targets are labelled {target.label} and differ in {part}. Give what differs another name."
                )
        return tuple(targets.values())


def read_targets(workspace: Workspace, one_by_one: bool = False) -> TargetTable:
    """What the workspace's fixtures/targets.yaml declares, else evalkit's own.

    ``one_by_one``: with local engines that run every row alone, those of judges included.

    Raises:
        UnreadableFile: with every mistake of every file.
    """
    files = read_target_files(workspace)
    axes = Declarations(workspace, files).axes()
    axes = axes.one_by_one() if one_by_one else axes
    gates = tuple(
        located(text, workspace, file.place("gates", index))
        for file in files
        for index, text in enumerate(file.content.gates)
    )
    return TargetTable(_selection(axes, files), gates)


def _selection(axes: Axes, files: tuple[TargetFile, ...]) -> Selection:
    """The targets of all files; the last file with a default decides what the default is."""
    problems: list[Problem] = []
    named: list[tuple[str, Draft]] = []

    def add(entry: TargetEntry, place: Place, name: str) -> None:
        try:
            if name in axes.models:
                raise place.error(f"{name!r} is also the name of a model. Choose another name for this target.")
            named.append((name, Selection(axes, (), ()).draft(entry, place)))
        except UnreadableFile as error:
            problems.extend(error.problems)

    for file in files:
        for key, entry in file.content.targets.items():
            add(entry, file.place("targets", key), "" if isinstance(key, int) else key)
    default: list[Draft] = []
    chosen = next((file for file in reversed(files) if file.content.default), None)
    for index, entry in enumerate(chosen.content.default if chosen is not None else ()):
        assert chosen is not None
        alias = next((draft for name, draft in named if name == entry.model and entry.is_bare), None)
        try:
            default.append(alias or Selection(axes, (), tuple(named)).draft(entry, chosen.place("default", index)))
        except UnreadableFile as error:
            problems.extend(error.problems)
    if problems:
        raise UnreadableFile(problems)
    return Selection(axes, tuple(default), tuple(named))


def _difference(one: Target, other: Target) -> str:
    """The first part in which two targets of one label differ."""
    parts = ("model", "adapters", "merged", "quantisation", "condition", "decoding", "engine", "role")
    return next(part for part in parts if getattr(one, part) != getattr(other, part))
