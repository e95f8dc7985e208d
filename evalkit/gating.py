"""The gates that are about a run, and what they look at beside its trials."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from evalkit.errors import EvalkitError, UnreadableFile
from evalkit.gates import ALIAS, CORRECTED, Baseline, CorrectedPassRate, Gate, Surroundings
from evalkit.reading.readings import SuiteSettings
from evalkit.reading.suite_file import read_suite_file
from evalkit.record import TrialRecord
from evalkit.reviewed import Reviewed
from evalkit.store.baselines import load_baseline, read_baseline
from evalkit.target import Target
from evalkit.workspace import Workspace

MAIN = "main"
"""The baseline that gates compare with unless they or the command line name another."""


def settings_of(workspace: Workspace, records: Iterable[TrialRecord]) -> dict[str, SuiteSettings]:
    """What suite.yaml says today of the suites that these records come from, by suite.

    Raises:
        UnreadableFile: a suite.yaml is wrong.
    """
    found: dict[str, SuiteSettings] = {}
    for suite, file in dict.fromkeys((record.suite, record.file) for record in records):
        path = workspace.root / file
        if suite in found or not workspace.is_probe_file(path):
            continue
        reading = read_suite_file(workspace.suite_of(path), workspace, None)
        if reading.problems:
            raise UnreadableFile(reading.problems)
        found[suite] = reading.settings
    return found


def aliases_of(targets: Iterable[Target]) -> dict[str, str]:
    """By target, the models that servers may replace without notice."""
    return {target.label: target.model.location for target in targets if target.model.location.endswith(ALIAS)}


def surroundings(
    gates: Sequence[Gate], workspace: Workspace, baseline: str, base: Path, aliases: Mapping[str, str],
    labels: Callable[[], Reviewed | None] = lambda: None,
) -> Surroundings:  # fmt: skip
    """What these gates look at; ``baseline`` is the run's own, a name or a file relative to the folder ``base``.

    ``labels`` gives what people said of the run; it is asked only where a gate is about that.
    """
    names = dict.fromkeys(gate.baseline for gate in gates if gate.baseline is not None)
    baselines = {name: _baseline(workspace, name or baseline, base) for name in names}
    state = labels() if any(gate.metric == CORRECTED for gate in gates) else None
    return Surroundings(baselines, aliases, None if state is None else _corrected_of(state))


def _corrected_of(state: Reviewed) -> Callable[[Sequence[str]], CorrectedPassRate]:
    def rate_of(trials: Sequence[str]) -> CorrectedPassRate:
        found = state.rates(trials)
        rate = found.corrected
        why_not = found.why_not and f"{found.why_not}. {found.way_out}"
        return CorrectedPassRate(rate.rate, rate.low, rate.high, found.n, found.reviewed_n, why_not)

    return rate_of


def _baseline(workspace: Workspace, name: str, base: Path) -> Baseline:
    """The baseline, or why it cannot be used: that leaves gates undecided, and everything else as it is."""
    is_file = name.endswith(".json") or "/" in name
    try:
        if is_file:
            return Baseline(Path(name).stem, load_baseline(workspace, base / name).trials)
        return Baseline(name, read_baseline(workspace, name))
    except (EvalkitError, OSError) as error:
        return Baseline(name, missing=" ".join(str(error).splitlines()))
