"""YAML files as pytest items: one item a trial, one item for a file that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any, Literal

import pytest
from _pytest._code.code import TerminalRepr
from _pytest.nodes import Node
from pluggy import HookRelay

from evalkit.errors import EvalkitError, UnreadableFile, UsageError
from evalkit.matrix import Trial
from evalkit.reading.garbage import no_garbage_search
from evalkit.report_text import error_text, failure_lines, reason_text
from evalkit.session import Session
from evalkit.trial_judging import Judged

UNREADABLE = "<unreadable>"


class ProbeFailed(Exception):
    """The model misbehaved."""

    def __init__(self, judged: Judged) -> None:
        self.judged = judged
        super().__init__(judged.record.reason)


class ProbeFile(pytest.File):
    """One YAML file of probes.

    What pytest looks up for every item anew, and is the same for all items of a file, is kept here: ``hooks``, since
    all conftest files are known, how the file's path is ``shown`` in places, and the ``nodes`` from it up to the
    session, which may all have markers.
    """

    eval_session: Session
    nodes: tuple[Node, ...]
    hooks: HookRelay | None = None
    shown: str | None = None

    @classmethod
    def of(cls, parent: pytest.Collector, path: Any, session: Session) -> ProbeFile:
        file: ProbeFile = cls.from_parent(parent, path=path)
        file.eval_session = session
        file.nodes = tuple(file.iter_parents())
        return file

    def collect(self) -> list[pytest.Item]:
        """The file's trials, then one item that stands for what could not be read, if anything."""
        with no_garbage_search():
            return self._items()

    def _items(self) -> list[pytest.Item]:
        session = self.eval_session
        workspace = session.workspace
        shown = workspace.shown(self.path)
        try:
            if not workspace.is_probe_file(self.path):
                raise UsageError(
                    f"{self.path}: belongs to another workspace than {workspace.root}, which this run uses. "
                    "Run pytest once for each workspace."
                )
            trials = session.trials(self.path)
            reading = session.suite(self.path).file(shown)
            problems = reading.problems if reading is not None else ()
            error: EvalkitError | None = UnreadableFile(problems) if problems else None
        except EvalkitError as broken:
            trials, error = (), broken
        items: list[pytest.Item] = [ProbeItem.of(self, trial) for trial in trials]
        if error is not None:
            items.append(UnreadableItem.of(self, error))
        return items


class UnreadableItem(pytest.Item):
    """Stands for a file, or the part of it, that cannot be read: one ERROR."""

    error: EvalkitError

    @classmethod
    def of(cls, parent: ProbeFile, error: EvalkitError) -> UnreadableItem:
        item: UnreadableItem = cls.from_parent(parent, name=UNREADABLE)
        item.error = error
        return item

    def setup(self) -> None:
        raise self.error

    def runtest(self) -> None:
        raise AssertionError("setup always raises")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str | TerminalRepr:
        return error_text(self.error)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        problems = getattr(self.error, "problems", ())
        line = problems[0].line if problems else None
        return self.path, (line or 1) - 1, UNREADABLE


class ProbeItem(pytest.Item):
    """One trial."""

    trial: Trial
    file: ProbeFile
    eval_session: Session
    judged: Judged | None
    reported: Mapping[str, Literal[1]]

    @property
    def ihook(self) -> HookRelay:
        return self.file.hooks or super().ihook

    @cached_property
    def location(self) -> tuple[str, int | None, str]:
        if self.file.shown is None:
            self.file.shown = super().location[0]
        return self.file.shown, self.trial.probe.line - 1, self.name

    def iter_markers(self, name: str | None = None) -> Iterator[pytest.Mark]:
        """As pytest's own, the item's markers first and the session's last; six times for every item it is asked."""
        for node in (self, *self.file.nodes):
            for mark in node.own_markers:
                if name is None or mark.name == name:
                    yield mark

    @classmethod
    def of(cls, parent: ProbeFile, trial: Trial) -> ProbeItem:
        # Spelt out: pytest 9.2 takes brackets in a bare name for part of the name, and --lf then finds nothing.
        name = trial.name
        item: ProbeItem = cls.from_parent(parent, name=name, nodeid=f"{parent.nodeid}::{name}")
        item.trial = trial
        item.file = parent
        item.eval_session = parent.eval_session
        item.judged, item.reported = None, {}
        for word in (trial.probe.category, *trial.probe.tags):
            item.add_marker(marker_of(item.config, word))
        return item

    def setup(self) -> None:
        """Obtains and judges; whatever is broken is an ERROR, what nobody could score is skipped."""
        if self.config.getoption("setupplan", False):
            return
        self.judged = self.eval_session.judged(self.trial)
        record = self.judged.record
        self.user_properties[:] = _properties(record.target, record.outcome)
        if record.score is not None:
            self.user_properties.append(("evalkit_score", record.score))
        if record.outcome == "unscored":
            pytest.skip(f"unscored: {reason_text(record.reason)}")

    def runtest(self) -> None:
        """Asserts the verdict, no more."""
        if self.judged is not None and self.judged.record.outcome == "fail":
            raise ProbeFailed(self.judged)

    def teardown(self) -> None:
        self.judged = None

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str | TerminalRepr:
        return self._told(excinfo.value) or super().repr_failure(excinfo)

    def _repr_failure_py(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What pytest shows of a setup: without this it lays out a traceback first, a tenth of a second a trial."""
        return self._told(excinfo.value) or super()._repr_failure_py(excinfo, style)

    def same_keywords(self, keywords: Mapping[str, Literal[1]]) -> Mapping[str, Literal[1]]:
        """Those of the report before, if they are equal: pytest keeps three reports an item, each with its own."""
        if keywords != self.reported:
            self.reported = keywords
        return self.reported

    def _told(self, error: BaseException) -> str | None:
        """What an error of ours has to say; None of another's."""
        if isinstance(error, ProbeFailed):
            return "\n".join(failure_lines(self.trial, error.judged, self.nodeid))
        if isinstance(error, EvalkitError):
            probe = self.trial.probe
            return f"{probe.file}:{probe.line}: {probe.id} on {self.trial.target.label}\n{error_text(error)}"
        return None

    def reportinfo(self) -> tuple[Any, int | None, str]:
        return self.path, self.trial.probe.line - 1, self.name


@lru_cache(maxsize=1024)
def _properties(target: str, outcome: str) -> tuple[tuple[str, str], ...]:
    """Of all reports that have the same."""
    return ("evalkit_target", target), ("evalkit_verdict", outcome)


def marker_of(config: pytest.Config, name: str) -> pytest.MarkDecorator:
    """The marker of a category or tag, so that ``-m name`` works, under --strict-markers too."""
    known = config.stash.setdefault(_MARKERS, {})
    if name not in known:
        config.addinivalue_line("markers", f"{name}: probes of this category or tag")
        known[name] = getattr(pytest.mark, name)
    return known[name]


_MARKERS: pytest.StashKey[dict[str, pytest.MarkDecorator]] = pytest.StashKey()
