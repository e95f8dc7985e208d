"""``evalkit check --train``: which probes a training file holds, and the list that runs leave out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.cli.files import Selected
from evalkit.errors import UsageError
from evalkit.probe import Probe
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.authoring.exclusion import TrainingFile
    from evalkit.authoring.overlap import Overlap
    from evalkit.authoring.remarks import Remark


class TrainingCheck:
    """Measures probes against training files; ``files`` and ``sentences`` are known after ``remarks``."""

    def __init__(self, paths: Sequence[Path]) -> None:
        for path in paths:
            if not path.is_file():
                raise UsageError(f"--train {path}: there is no such file.")
        self._paths = paths
        self._overlaps: tuple[Overlap, ...] = ()
        self.files: tuple[TrainingFile, ...] = ()
        self.sentences: tuple[str, ...] = ()

    def remarks(self, probes: Sequence[Probe]) -> list[Remark]:
        """One for each probe that overlaps with any of the files.

        Raises:
            UsageError: nothing in a file is a training text.
            UnreadableFile: a file cannot be read.
        """
        if not self._paths:
            return []
        from evalkit.authoring.exclusion import TrainingFile
        from evalkit.authoring.overlap import OverlapWatch
        from evalkit.authoring.remarks import overlapping
        from evalkit.reading.training_texts import CHAT_KEYS, TEXT_KEYS, TrainingTexts

        watch = OverlapWatch(probes)
        files, sentences = [], []
        for path in self._paths:
            texts = TrainingTexts(path, str(path))
            for text, place in texts:
                watch.take(text, place)
            keys = ", ".join((*CHAT_KEYS[:1], *TEXT_KEYS[:3]))
            if not texts.texts:
                raise UsageError(f"--train {path}: no line holds a text. Lines of JSON need one of: {keys}.")
            if texts.unknown_lines:
                sentences.append(f"{path}: {texts.unknown_lines} lines hold none of {keys}, and were not measured.")
            files.append(TrainingFile(path.name, texts.sha256, texts.texts))
        self._overlaps, self.files, self.sentences = watch.overlaps, tuple(files), tuple(sentences)
        return overlapping(self._overlaps)

    def write(self, name: str, selected: Selected, workspace: Workspace) -> list[str]:
        """Writes one list to the file ``name``, or one a suite where it is empty; what was written, in sentences."""
        from evalkit.authoring.exclusion import Exclusion, ExclusionList
        from evalkit.reading.exclusions import DEFAULT_NAME, write_exclusions

        every = [Exclusion.of(overlap) for overlap in self._overlaps]
        if name:
            if workspace.is_probe_file(Path(name)):
                place = Path(name).parent / "_data" / Path(name).name
                raise UsageError(f"--exclude {name}: a file there is read as probes. Name another, such as {place}.")
            write_exclusions(Path(name), ExclusionList(name, tuple(every), self.files))
            return [f"wrote {name}: {_count(len(every))} that runs leave out with --eval-exclude {name}"]
        sentences = []
        for reading in selected.suites:
            own = tuple(item for item in every if item.suite == reading.name)
            folder = workspace.suites / reading.name
            if not folder.is_dir():
                if own:
                    raise UsageError(f"--exclude: the suite {reading.name} is a single file. Name the list's file.")
                continue
            path = folder / DEFAULT_NAME
            shown = workspace.shown(path)
            if not own and not path.exists():
                continue
            write_exclusions(path, ExclusionList(shown, own, self.files))
            is_named = reading.settings.exclusions is not None and reading.settings.exclusions.file == shown
            remedy = "" if is_named else f", once suites/{reading.name}/suite.yaml says exclusions: {DEFAULT_NAME}"
            sentences.append(f"wrote {shown}: {_count(len(own))} that runs leave out{remedy}")
        return sentences


def _count(number: int) -> str:
    return "1 probe" if number == 1 else f"{number} probes"
