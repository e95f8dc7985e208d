"""What ``evalkit check`` warns of in suites that read well."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from evalkit.authoring.remarks import Remark, gaps, near_duplicates, small_categories
from evalkit.cli.files import Selected
from evalkit.cli.places import SUITE_FILE
from evalkit.errors import EvalkitError, UnreadableFile
from evalkit.gates import Gate
from evalkit.probe import Probe
from evalkit.workspace import Workspace

_READS_EXPECT = ("behaviour", "facts")


def remarks_on(selected: Selected, workspace: Workspace) -> list[Remark]:
    """Near-duplicates, gaps, gates that ask for too much, and exclusions that no longer fit; by file and line."""
    readers = _readers({use.use for probe in selected.probes for use in probe.judges}, workspace)
    shared = _gates_of_targets(workspace)
    found = gaps(selected.probes, readers)
    files = frozenset(probe.file for probe in selected.probes)
    for reading in selected.suites:
        found += _near_copies(reading.probes, files)
        gates = [*reading.settings.gates, *(gate for gate in shared if gate.suite == reading.name)]
        found += small_categories(gates, reading.probes, f"suites/{reading.name}/{SUITE_FILE}")
        found += _stale_exclusions(reading.name, selected)
    return sorted(found, key=lambda remark: (remark.file, remark.line or 0))


def _near_copies(probes: Iterable[Probe], files: Collection[str]) -> list[Remark]:
    """Those in the files, of any probe of their suite; the files' own probes count as the later ones."""
    ordered = sorted(probes, key=lambda probe: probe.file in files)
    return [remark for remark in near_duplicates(ordered) if remark.file in files]


def _stale_exclusions(suite: str, selected: Selected) -> list[Remark]:
    from evalkit.reading.leaving_out import without_excluded

    reading = next(item for item in selected.suites if item.name == suite)
    _, done = without_excluded(reading)
    return [
        Remark("exclusions", item.source.file, None, sentence.removeprefix(f"{item.source.file}: "))
        for item in done
        for sentence in item.stale_sentences
    ]


def _readers(judges: Iterable[str], workspace: Workspace) -> frozenset[str]:
    """Those of the judges that go by what ``expect`` says of the meaning."""
    from evalkit.reading.yaml_nodes import read_yaml

    found = []
    for judge in judges:
        policy = workspace.locate(f"judges/{judge}.yaml")
        if policy is None:
            continue
        try:
            data = read_yaml(policy, judge).data
        except UnreadableFile:
            continue
        kind = data.get("kind") if isinstance(data, dict) else None
        if kind in _READS_EXPECT or (kind == "rubric" and "`expected`" in str(data.get("question", ""))):
            found.append(judge)
    return frozenset(found)


def _gates_of_targets(workspace: Workspace) -> list[Gate]:
    """The gates of the files that the targets name; what is wrong with those is told elsewhere."""
    from evalkit.reading.gates import read_gates
    from evalkit.reading.targets import read_targets

    try:
        return [gate for file in read_targets(workspace).gate_files for gate in read_gates(file, workspace)]
    except EvalkitError:
        return []
