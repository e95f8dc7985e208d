"""targets.yaml and the files it includes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from evalkit.reading.places import Place
from evalkit.reading.target_schema import TargetsFile
from evalkit.reading.validate import validate
from evalkit.reading.yaml_nodes import Document, read_yaml, shown_path
from evalkit.workspace import Workspace, builtin_root

MAIN = "fixtures/targets.yaml"
SERVERS = "fixtures/servers.yaml"


@dataclass(frozen=True, slots=True)
class TargetFile:
    """One file: what it says, and the lines where it says so."""

    shown: str
    document: Document
    content: TargetsFile

    def place(self, *path: str | int) -> Place:
        """Where a field is; one that was left out is where its mapping is."""
        return Place(self.shown, self.document.line(path), shown_path(path))


def read_target_files(workspace: Workspace) -> tuple[TargetFile, ...]:
    """Evalkit's servers.yaml, then the workspace's targets.yaml, else evalkit's own, after the files it includes.

    Raises:
        UnreadableFile: a file has mistakes, includes itself, or includes what is not there.
    """
    starts = (builtin_root() / SERVERS, workspace.locate(MAIN))
    files = [file for start in starts if start is not None for file in _with_includes(start, workspace, ())]
    return tuple({file.shown: file for file in files}.values())


def _with_includes(path: Path, workspace: Workspace, above: tuple[Path, ...]) -> list[TargetFile]:
    shown = workspace.shown(path)
    document = read_yaml(path, shown)
    file = TargetFile(shown, document, validate(TargetsFile, document, shown))
    files: list[TargetFile] = []
    for index, text in enumerate(file.content.include):
        place = file.place("include", index)
        included = located(text, workspace, place)
        if included in (*above, path):
            raise place.error(f"{text} includes itself. Take this line out.")
        known = {earlier.shown for earlier in files}
        files += [one for one in _with_includes(included, workspace, (*above, path)) if one.shown not in known]
    return [*files, file]


def located(text: str, workspace: Workspace, place: Place) -> Path:
    """A file that YAML names: the workspace's, else evalkit's own of that name.

    Raises:
        UnreadableFile: it leaves the workspace, or is not there.
    """
    relative = PurePosixPath(text)
    if relative.is_absolute() or ".." in relative.parts:
        raise place.error(f"expected a file inside the workspace, found {text!r}. Copy it under fixtures/.")
    found = workspace.locate(text)
    if found is None or not found.is_file():
        raise place.error(f"no file {text} in the workspace. Paths start at the folder that holds suites/.")
    return found
