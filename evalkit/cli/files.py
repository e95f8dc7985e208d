"""What is wrong with the files of a workspace, each mistake as a Problem at its line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.cli.places import SUITE_FILE
from evalkit.errors import EvalkitError, Problem, UnreadableFile
from evalkit.probe import JudgeUse, Probe
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.reading.build import SuiteReading
    from evalkit.reading.targets import TargetTable


@dataclass(frozen=True, slots=True)
class Selected:
    """What was asked for: the suites as read in full, the good probes among it, and what is wrong."""

    suites: tuple[SuiteReading, ...]
    probes: tuple[Probe, ...]
    problems: tuple[Problem, ...]


def read_selected(suites: Sequence[Path], workspace: Workspace, named: Sequence[Path]) -> Selected:
    """The probes that read well, and what does not.

    ``named`` are the files and folders asked for; none means everything, judges that no probe uses included. A suite is
    read as a whole, because ids and defaults are shared.
    """
    from evalkit.reading.build import read_suite
    from evalkit.reading.judge_files import judge_names

    names = judge_names(workspace)
    judges = JudgeMaker(workspace)
    probes: list[Probe] = []
    problems: list[Problem] = []
    readings: list[SuiteReading] = []
    for suite in suites:
        readings.append(read_suite(suite, workspace, names))
        for file in readings[-1].files:
            probes += [probe for probe in file.probes if _is_asked_for(probe.file, suite, workspace, named)]
            problems += [item for item in file.problems if _is_asked_for(item.file, suite, workspace, named)]
    problems += _problems_of_uses(probes, judges)
    if not named:
        problems += [problem for name in sorted(names) for problem in judges.problems_of_policy(name)]
    return Selected(tuple(readings), tuple(probes), tuple(problems))


def problems_of_plans(suites: Iterable[SuiteReading]) -> list[Problem]:
    """The sample plans that the suites, without what their exclusions leave out, have too few probes for."""
    from evalkit.reading.leaving_out import without_excluded
    from evalkit.sampling_plan import draw

    problems: list[Problem] = []
    for suite in suites:
        probes = without_excluded(suite)[0].probes
        for plan in suite.settings.plans:
            shown = f"suites/{suite.name}/suite.yaml"
            problems += _problems(lambda plan=plan, name=suite.name, probes=probes: draw(plan, name, probes), shown)  # type: ignore[misc]
    return problems


def problems_of_targets(workspace: Workspace) -> list[Problem]:
    """What is wrong with the files of targets and of gates, and with the targets that run by default."""
    from evalkit.reading.gates import read_gates
    from evalkit.reading.targets import TargetChoice, read_targets

    shown = "fixtures/targets.yaml"
    try:
        table = read_targets(workspace)
    except UnreadableFile as error:
        return list(error.problems)
    problems = _problems(lambda: table.resolve(TargetChoice()), shown)
    for file in table.gate_files:
        problems += _problems(lambda file=file: read_gates(file, workspace), workspace.shown(file))  # type: ignore[misc]
    return problems


def _is_asked_for(shown: str, suite: Path, workspace: Workspace, named: Sequence[Path]) -> bool:
    """Whether a mistake in that file concerns what was named; suite.yaml concerns every probe of its suite."""
    file = workspace.root / shown
    return not named or file == suite / SUITE_FILE or any(file.is_relative_to(path) for path in named)


def _problems_of_uses(probes: Iterable[Probe], judges: JudgeMaker) -> list[Problem]:
    """Judges that cannot be made as probes use them: each once, at the first probe that uses it so."""
    users: dict[JudgeUse, list[Probe]] = {}
    for probe in probes:
        for use in probe.judges:
            users.setdefault(use, []).append(probe)
    problems: list[Problem] = []
    for use, (first, *others) in users.items():
        found = judges.problems(use, first.file, first.line)
        also = f" ({len(others)} more {'probe uses' if len(others) == 1 else 'probes use'} it so.)" if others else ""
        problems += [
            Problem(item.file, item.message + also, item.line) if item.file == first.file else item for item in found
        ]
    return problems


class JudgeMaker:
    """Makes judges with the models they ask, to see what is wrong with them; the targets are read once, if at all."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @cached_property
    def _table(self) -> TargetTable:
        from evalkit.reading.targets import read_targets

        return read_targets(self._workspace)

    def problems_of_policy(self, name: str) -> list[Problem]:
        """Of a policy in YAML; a judge in Python may need the settings that only a probe gives."""
        policy = self._workspace.locate(f"judges/{name}.yaml")
        return [] if policy is None else self.problems(JudgeUse(name), self._workspace.shown(policy), None)

    def problems(self, use: JudgeUse, file: str, line: int | None) -> list[Problem]:
        """Of a judge as it is used at that place; a model that its own file names wrongly is told there."""
        from evalkit.reading.judge_targets import with_targets
        from evalkit.reading.judges import build_judge

        resolved: list[JudgeUse] = []
        found = _problems(
            lambda: resolved.append(with_targets(use, self._workspace, lambda: self._table)),
            *(self._place_of_model(use.use) or (file, line) if use.setting("model") is None else (file, line)),
        )
        return found or _problems(lambda: build_judge(resolved[0], self._workspace), file, line)

    def _place_of_model(self, judge: str) -> tuple[str, int | None] | None:
        """Where the judge's own file names its model, None where it names none."""
        from evalkit.reading.yaml_nodes import read_yaml

        policy = self._workspace.locate(f"judges/{judge}.yaml")
        if policy is None:
            return None
        shown = self._workspace.shown(policy)
        try:
            document = read_yaml(policy, shown)
        except UnreadableFile:
            return None
        if not isinstance(document.data, dict) or "model" not in document.data:
            return None
        return shown, document.problem(("model",), "").line


def _problems(read: Callable[[], object], file: str, line: int | None = None) -> list[Problem]:
    """What ``read`` complains of, at its own place where it names one, else at the given one."""
    try:
        read()
    except UnreadableFile as error:
        return list(error.problems)
    except EvalkitError as error:
        return [Problem(file, str(error), line)]
    return []
