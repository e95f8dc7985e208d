"""What is wrong with the files of a workspace, each mistake as a Problem at its line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from evalkit.cli.places import SUITE_FILE
from evalkit.errors import EvalkitError, Problem, UnreadableFile
from evalkit.probe import JudgeUse, Probe
from evalkit.workspace import Workspace


def read_selected(suites: Sequence[Path], workspace: Workspace, named: Sequence[Path]) -> tuple[int, list[Problem]]:
    """How many probes read well, and what does not.

    ``named`` are the files and folders asked for; none means everything, judges that no probe uses included. A suite is
    read as a whole, because ids and defaults are shared.
    """
    from evalkit.reading.build import read_suite
    from evalkit.reading.judges import judge_names

    names = judge_names(workspace)
    probes: list[Probe] = []
    problems: list[Problem] = []
    for suite in suites:
        for file in read_suite(suite, workspace, names).files:
            probes += [probe for probe in file.probes if _is_asked_for(probe.file, suite, workspace, named)]
            problems += [item for item in file.problems if _is_asked_for(item.file, suite, workspace, named)]
    problems += _problems_of_uses(probes, workspace)
    if not named:
        problems += [problem for name in sorted(names) for problem in _problems_of_policy(name, workspace)]
    return len(probes), problems


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


def _problems_of_uses(probes: Iterable[Probe], workspace: Workspace) -> list[Problem]:
    """Judges that cannot be made as probes use them: each once, at the first probe that uses it so."""
    users: dict[JudgeUse, list[Probe]] = {}
    for probe in probes:
        for use in probe.judges:
            users.setdefault(use, []).append(probe)
    problems: list[Problem] = []
    for use, (first, *others) in users.items():
        found = _problems_of_judge(use, workspace, first.file, first.line)
        also = f" ({len(others)} more {'probe uses' if len(others) == 1 else 'probes use'} it so.)" if others else ""
        problems += [
            Problem(item.file, item.message + also, item.line) if item.file == first.file else item for item in found
        ]
    return problems


def _problems_of_policy(name: str, workspace: Workspace) -> list[Problem]:
    """Of a policy in YAML; a judge in Python may need the settings that only a probe gives."""
    policy = workspace.locate(f"judges/{name}.yaml")
    return [] if policy is None else _problems_of_judge(JudgeUse(name), workspace, workspace.shown(policy), None)


def _problems_of_judge(use: JudgeUse, workspace: Workspace, file: str, line: int | None) -> list[Problem]:
    from evalkit.reading.judges import build_judge

    return _problems(lambda: build_judge(use, workspace), file, line)


def _problems(read: Callable[[], object], file: str, line: int | None = None) -> list[Problem]:
    """What ``read`` complains of, at its own place where it names one, else at the given one."""
    try:
        read()
    except UnreadableFile as error:
        return list(error.problems)
    except EvalkitError as error:
        return [Problem(file, str(error), line)]
    return []
