"""Files of probes that runs leave out, read and written."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from evalkit.authoring.exclusion import MEASURE, Exclusion, ExclusionList, TrainingFile
from evalkit.errors import UnreadableFile, UsageError
from evalkit.reading.schema_fields import Entry, Line
from evalkit.reading.validate import problems_of
from evalkit.reading.yaml_nodes import read_yaml
from evalkit.reading.yaml_writing import scalar
from evalkit.workspace import Workspace

DEFAULT_NAME = "_data/excluded.yaml"
HEAD = "# Probes that runs leave out, as evalkit check --train … --exclude found them. Make it again, do not edit it.\n"


class TrainingEntry(Entry):
    """One training file."""

    file: Line
    sha256: Line
    texts: int = Field(ge=0)


class ExcludedEntry(Entry):
    """One probe, as suite/id."""

    probe: Line
    text: Line
    training: Line
    jaccard: float = Field(ge=0, le=1)
    runs: float = Field(ge=0, le=1)


class ExclusionFile(Entry):
    """The whole file."""

    measure: Line
    training: list[TrainingEntry]
    excluded: list[ExcludedEntry]


def read_exclusions(path: Path, workspace: Workspace) -> ExclusionList:
    """The list in the file.

    Raises:
        UnreadableFile: with every mistake in it.
    """
    document = read_yaml(path, workspace.shown(path))
    try:
        content = ExclusionFile.model_validate(document.data)
    except ValidationError as error:
        raise UnreadableFile(problems_of(error, ExclusionFile, document)) from None
    problems = [
        document.problem(("excluded", index, "probe"), f"expected a probe as suite/id, found {entry.probe!r}.")
        for index, entry in enumerate(content.excluded)
        if not all(entry.probe.rpartition("/")[::2])
    ]
    if problems:
        raise UnreadableFile(problems)
    return ExclusionList(
        document.file,
        tuple(
            Exclusion(*entry.probe.rpartition("/")[::2], entry.text, entry.training, entry.jaccard, entry.runs)
            for entry in content.excluded
        ),
        tuple(TrainingFile(entry.file, entry.sha256, entry.texts) for entry in content.training),
    )


def write_exclusions(path: Path, found: ExclusionList) -> None:
    """Writes the list, over an older one of its kind and over nothing else.

    Raises:
        UsageError: another file is there.
    """
    if path.exists() and not (path.is_file() and path.read_bytes().startswith(HEAD.encode())):
        raise UsageError(f"{path}: is there already and is no list of exclusions. Name another file.")
    lines = [HEAD + f"measure: >-\n  {MEASURE}\ntraining:" + ("" if found.training else " []")]
    for training in found.training:
        lines += [f"  - file: {scalar(training.name)}", f'    sha256: "{training.sha256}"']
        lines += [f"    texts: {training.texts}"]
    lines.append("excluded:" + ("" if found.exclusions else " []"))
    for item in found.exclusions:
        lines += [f"  - probe: {scalar(f'{item.suite}/{item.probe}')}", f'    text: "{item.text_hash}"']
        lines += [f"    training: {scalar(item.training)}", f"    jaccard: {item.jaccard}", f"    runs: {item.share}"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
