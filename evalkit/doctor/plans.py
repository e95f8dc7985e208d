"""What a run of this workspace would ask for: its default targets, its suites, the judges of its probes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from evalkit.doctor.finding import Finding, count
from evalkit.engines.local.facts import QUANTISED
from evalkit.engines.local.settings import LocalSettings
from evalkit.engines.servers.settings import ServerSettings
from evalkit.errors import EngineError, EvalkitError
from evalkit.probe import JudgeUse, Probe
from evalkit.reading.build import read_suite
from evalkit.reading.judge_files import judge_names
from evalkit.reading.judge_targets import with_targets
from evalkit.reading.targets import TargetChoice, TargetTable, read_targets
from evalkit.target import SERVER_KINDS, Target
from evalkit.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Needs:
    """What the default targets cannot do without: packages, keys with their servers, a CUDA device."""

    packages: frozenset[str] = frozenset()
    keys: tuple[tuple[str, str], ...] = ()
    cuda: bool = False


@dataclass(frozen=True, slots=True)
class Declared:
    """The workspace's targets file, read; ``findings`` are what is to be said of it."""

    table: TargetTable | None
    targets: tuple[Target, ...]
    findings: tuple[Finding, ...]


def declared(workspace: Workspace) -> Declared:
    """The default targets, or why there are none."""
    table = None
    try:
        table = read_targets(workspace)
        targets = table.resolve(TargetChoice())
    except EvalkitError as error:
        first, *more = str(error).splitlines()
        says = f"{first} ({len(more)} more)" if more else first
        return Declared(table, (), (Finding("targets", "breaks", says, "See them all with: evalkit check"),))
    labels = tuple(target.label for target in targets)
    says = f"{count(len(labels), 'target')} by default: {', '.join(labels[:3])}{', …' if len(labels) > 3 else ''}"
    return Declared(table, targets, (Finding("targets", "ok", says, facts=(("default", labels),)),))


def needs_of(targets: Iterable[Target]) -> Needs:
    packages: set[str] = set()
    keys: dict[str, str] = {}
    cuda = False
    for target in targets:
        engine = target.engine
        if engine.is_server:
            settings = ServerSettings.of(engine)
            packages.add(engine.kind)
            if settings.key({}) is None:
                keys[settings.api_key_env] = settings.base_url
        elif engine.kind == "local":
            packages.update(_local_packages(target))
            cuda = cuda or _asks_for_cuda(target)
    return Needs(frozenset(packages), tuple(keys.items()), cuda)


def _local_packages(target: Target) -> set[str]:
    quantised = {"accelerate", "bitsandbytes"} if target.quantisation.kind in QUANTISED else set()
    return {"torch", "transformers", "safetensors", *quantised, *({"peft"} if target.adapters else set())}


def _asks_for_cuda(target: Target) -> bool:
    try:
        return LocalSettings.of(target.engine).device == "cuda"
    except EngineError:
        return False


def suite_findings(workspace: Workspace, suites: Iterable[Path], table: TargetTable | None) -> Iterator[Finding]:
    """The suites' probes and mistakes, and the judges that would leave their probes unscored."""
    names = judge_names(workspace)
    readings = [read_suite(suite, workspace, names) for suite in suites]
    files = [file for reading in readings for file in reading.files]
    probes = [probe for file in files for probe in file.probes]
    problems = [problem for file in files for problem in file.problems]
    says = f"{count(len(readings), 'suite')}, {count(len(probes), 'probe')}"
    facts = (("suites", len(readings)), ("probes", len(probes)), ("problems", len(problems)))
    if problems:
        says += f", {count(len(problems), 'problem')}; the first: {problems[0]}"
        yield Finding("suites", "breaks", says, "See them all with: evalkit check", facts)
    else:
        yield Finding("suites", "ok", says, facts=facts)
    if table is not None:
        yield from _judge_findings(probes, workspace, table)


def _judge_findings(probes: Iterable[Probe], workspace: Workspace, table: TargetTable) -> Iterator[Finding]:
    users: dict[JudgeUse, int] = {}
    for probe in probes:
        for use in probe.judges:
            users[use] = users.get(use, 0) + 1
    unscored: dict[tuple[str, str, str], int] = {}
    for use, number in users.items():
        for why in _why_unscored(use, workspace, table):
            unscored[why] = unscored.get(why, 0) + number
    for (judge, reason, do), number in unscored.items():
        yield Finding("judge", "hurts", f"{judge!r} leaves {count(number, 'probe')} unscored: {reason}", do)
    if not unscored:
        yield Finding("judges", "ok", f"{count(len({use.use for use in users}), 'judge')}, each with what it needs")


def _why_unscored(use: JudgeUse, workspace: Workspace, table: TargetTable) -> Iterator[tuple[str, str, str]]:
    """(judge, why, what to do) for each model it cannot ask; one that cannot be made is told by ``evalkit check``."""
    try:
        targets = with_targets(use, workspace, lambda: table).targets
    except EvalkitError:
        return
    for model, target in targets:
        if target.engine.kind not in SERVER_KINDS:
            continue
        settings = ServerSettings.of(target.engine)
        if settings.key() is None:
            why = f"it asks {model} at {settings.base_url}, and there is no key"
            yield use.use, why, f"Set {settings.api_key_env} to an API key in the environment."
        elif find_spec(target.engine.kind) is None:
            why = f"it asks {model}, and the package {target.engine.kind} is not installed"
            yield use.use, why, f"pip install 'pytest-evalkit[{target.engine.kind}]'"
