"""What ``evalkit compare`` is given: runs, baselines and files, and the targets in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from evalkit.comparing import Side
from evalkit.comparing.bases import REFERENCE, bases_of
from evalkit.errors import UsageError
from evalkit.measured import Measured
from evalkit.noise import NoiseFloor
from evalkit.reading.suggestions import did_you_mean
from evalkit.store.baselines import baseline_names, load_baseline
from evalkit.store.generations import GenerationStore
from evalkit.store.results import load_results
from evalkit.store.runs import RunStore
from evalkit.workspace import Workspace

LATEST, PREVIOUS = "latest", "previous"
Facts = tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that one word of the command line stands for; ``title`` is how it is called in print.

    ``engines`` are what is known of what answered, by target. ``is_picked``: a ``@TARGET`` chose among its targets.
    """

    title: str
    trials: tuple[Measured, ...]
    engines: Mapping[str, Facts] = field(default_factory=dict)
    noise: NoiseFloor | None = None
    is_picked: bool = False

    @property
    def targets(self) -> list[str]:
        """The labels that are compared, sorted: reference targets only where they were asked for or are all."""
        roles = {trial.target: trial.role for trial in self.trials}
        subjects = [label for label in sorted(roles) if roles[label] != REFERENCE]
        return sorted(roles) if self.is_picked or not subjects else subjects

    @property
    def references(self) -> list[str]:
        return sorted({trial.target for trial in self.trials if trial.role == REFERENCE})

    def side(self, target: str, name: str = "") -> Side:
        """The trials of one target."""
        return Side(name or target, tuple(trial for trial in self.trials if trial.target == target))


@dataclass(frozen=True, slots=True)
class Group:
    """Sides that are compared with the first of them, each with the source it is from."""

    sides: tuple[Side, ...]
    sources: tuple[Source, ...]


def source_of(workspace: Workspace, word: str) -> Source:
    """The run, baseline or file that a word names, and the targets it picks after the last ``@``.

    Raises:
        UsageError: there is nothing of this name, or no target fits.
        UnreadableFile: the file is no baseline or results.jsonl.
    """
    name, at, pattern = (word, "", "") if Path(word).exists() else word.rpartition("@")
    if not at:
        name = word
    found = _named(workspace, name)
    if not found.trials:
        raise UsageError(f"{found.title} has no trials.")
    if not at:
        return found
    labels = sorted({trial.target for trial in found.trials})
    fitting = [label for label in labels if label == pattern or fnmatchcase(label, pattern)]
    if not fitting:
        raise UsageError(f"{found.title} has no target {pattern!r}. It has: {', '.join(labels)}.")
    kept = tuple(trial for trial in found.trials if trial.target in fitting)
    return replace(found, trials=kept, is_picked=True)


def only_suite(source: Source, suite: str) -> Source:
    """The source's trials of one suite.

    Raises:
        UsageError: it has none.
    """
    suites = sorted({trial.suite for trial in source.trials})
    if suite not in suites:
        raise UsageError(f"{source.title} has no suite {suite!r}. {did_you_mean(suite, suites)}")
    return replace(source, trials=tuple(trial for trial in source.trials if trial.suite == suite))


def groups_of(sources: Sequence[Source]) -> tuple[list[Group], list[str]]:
    """What is compared with what, and notes on targets that only some sources have.

    Raises:
        UsageError: it is not clear which targets are meant.
    """
    if len(sources) == 1:
        return _within(sources[0]), []
    if all(len(source.targets) == 1 for source in sources):
        labels = [source.targets[0] for source in sources]
        return [Group(_sides(sources, labels), tuple(sources))], []
    shared = [label for label in sources[0].targets if all(label in source.targets for source in sources)]
    if not shared:
        lists = "; ".join(f"{source.title} has {', '.join(source.targets)}" for source in sources)
        raise UsageError(f"No target is on every side: {lists}. Pick one of each: A@TARGET B@TARGET.")
    notes = [
        f"target {label} is only in {source.title} and left out"
        for source in sources
        for label in source.targets
        if label not in shared
    ]
    return [Group(_sides(sources, [label] * len(sources)), tuple(sources)) for label in shared], notes


def _within(source: Source) -> list[Group]:
    """Every target against its reference: the one most like it, else against the barest target."""
    labels = sorted({trial.target for trial in source.trials})
    groups = bases_of(labels, source.references)
    if not groups:
        raise UsageError(
            f"{source.title} has one target, {labels[0]}: there is nothing to compare it with. Name a second side."
        )
    return [
        Group(tuple(source.side(label) for label in (base, *own)), (source,) * (len(own) + 1))
        for base, own in groups.items()
    ]


def _sides(sources: Iterable[Source], labels: Sequence[str]) -> tuple[Side, ...]:
    """Named by target; by where they are from where several sides of one target are shown in one table."""
    every = list(zip(sources, labels, strict=True))
    by_source = len(every) > 2 and len(set(labels)) < len(labels)
    return tuple(source.side(label, f"{source.title}@{label}" if by_source else "") for source, label in every)


def _named(workspace: Workspace, name: str) -> Source:
    path = Path(name)
    if path.suffix == ".jsonl" and path.is_file():
        return Source(name, load_results(path, name))
    if path.suffix == ".json" and (path.is_file() or len(path.parts) > 1):
        return _baseline(workspace, path.absolute())
    run = _run(workspace, name)
    if run is not None:
        return run
    if name in baseline_names(workspace):
        return _baseline(workspace, workspace.root / "reports" / "baselines" / f"{name}.json")
    known = ", ".join(baseline_names(workspace)) or "none"
    raise UsageError(f"There is no run, baseline or file {name!r}. Baselines: {known}. Runs: evalkit list runs")


def _baseline(workspace: Workspace, file: Path) -> Source:
    found = load_baseline(workspace, file)
    return Source(f"baseline {file.stem}", found.trials, found.engines)


def _run(workspace: Workspace, wanted: str) -> Source | None:
    """The finished run of this name; None where there is none of it.

    Raises:
        UsageError: there are not enough runs, or it never finished.
    """
    name = run_named(workspace, wanted)
    if name is None:
        return None
    with closing(RunStore.open(workspace.store_file)) as store:
        facts = next(facts for run, *_, facts in store.runs() if run == name)
        trials = store.measured(name)
    noise = facts.get("noise")
    floor = None if noise is None else NoiseFloor.from_dict(noise)
    return Source(f"run {name}", trials, engines_of(workspace, trials, only_first=True), floor)


def run_named(workspace: Workspace, wanted: str, *, is_finished: bool = True) -> str | None:
    """The name of the finished run that is meant: its own, ``latest``, or ``previous``, the one before it.

    Raises:
        UsageError: there are not enough runs, or it never finished and ``is_finished`` asks for that.
    """
    if not workspace.store_file.exists():
        if wanted in (LATEST, PREVIOUS):
            raise UsageError(f"{workspace.root}: nothing was run here yet. Run pytest on a suite first.")
        return None
    with closing(RunStore.open(workspace.store_file)) as store:
        runs = [(name, status) for name, _, _, status, _ in store.runs()]
    if wanted == PREVIOUS and len(runs) < 2:
        raise UsageError("There is only one run, so none before it. See: evalkit list runs")
    named = {LATEST: runs[:1], PREVIOUS: runs[1:2]}.get(wanted) or [run for run in runs if run[0] == wanted]
    for name, status in named:
        if status is None and is_finished:
            raise UsageError(f"Run {name} never finished. Run the same command again first.")
        return name
    return None


def engines_of(workspace: Workspace, trials: Iterable[Measured], *, only_first: bool = False) -> dict[str, Facts]:
    """What is known of what answered, by target; ``only_first`` looks at one answer of each."""
    identities: dict[str, list[str]] = {}
    for trial in trials:
        own = identities.setdefault(trial.target, [])
        if not (own and only_first):
            own += trial.generations
    with closing(GenerationStore.open(workspace.store_file)) as store:
        found = {target: store.facts(own[:1] if only_first else own) for target, own in identities.items()}
    return {target: facts for target, facts in found.items() if facts}
