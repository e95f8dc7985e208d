"""Baselines: what a run measured as committed files that later runs are compared with."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from evalkit import __version__
from evalkit.errors import Problem, UnreadableFile, UsageError
from evalkit.identity import canonical
from evalkit.measured import Measured
from evalkit.store.measured_rows import mistake_in
from evalkit.workspace import Workspace

FORMAT = 2
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")


@dataclass(frozen=True, slots=True)
class Baseline:
    """One committed run.

    ``started`` is when it began, as ISO 8601 in UTC. ``engines`` are what is known of what answered, by target:
    provenance such as versions and device, several where its answers came from several.
    """

    run: str
    started: str
    command: tuple[str, ...]
    engines: Mapping[str, tuple[Mapping[str, str], ...]]
    trials: tuple[Measured, ...]


def baseline_file(workspace: Workspace, name: str) -> Path:
    """Where the baseline of this name is or would be.

    Raises:
        UsageError: it is no name of a file.
    """
    if not _NAME.match(name):
        raise UsageError(f"A baseline's name is made of letters, digits, '.', '_' and '-'; found {name!r}.")
    return workspace.root / "reports" / "baselines" / f"{name}.json"


def baseline_names(workspace: Workspace) -> list[str]:
    """The baselines of the workspace, sorted."""
    return sorted(file.stem for file in (workspace.root / "reports" / "baselines").glob("*.json"))


def read_baseline(workspace: Workspace, name: str) -> tuple[Measured, ...]:
    """What the baseline of this name measured.

    Raises:
        UsageError: there is none of this name.
        UnreadableFile: the file is not a baseline that this evalkit reads.
    """
    return load_baseline(workspace, baseline_file(workspace, name)).trials


def load_baseline(workspace: Workspace, file: Path) -> Baseline:
    """A baseline from its file.

    Raises:
        UsageError: there is no such file.
        UnreadableFile: it is not a baseline that this evalkit reads.
    """
    shown = workspace.shown(file)
    if not file.is_file():
        there = ", ".join(baseline_names(workspace))
        known = f" There are: {there}." if there else ""
        raise UsageError(
            f"There is no baseline {file.stem!r} ({shown}).{known} Write it with: evalkit baseline latest {file.stem}"
        )
    again = f"Write it again with: evalkit baseline RUN {file.stem}"
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise _refused(
            shown, f"is no JSON ({error.msg}). Restore it from version control. {again}", error.lineno
        ) from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise _refused(
            shown, f"is no JSON ({type(error).__name__}). Restore it from version control. {again}"
        ) from None
    found = data.get("format") if isinstance(data, dict) else None
    if found == 1:
        raise _refused(shown, f"is a baseline of format 1, which holds too little to compare with. {again}")
    if found != FORMAT:
        raise _refused(shown, f"expected a baseline of format {FORMAT}, found {found!r}. {again}")
    return _parsed(data, shown, again)


def write_baseline(workspace: Workspace, name: str, baseline: Baseline) -> Path:
    """Writes the file whole or not at all; the same run gives the same bytes, one trial a line."""
    file = baseline_file(workspace, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        unfinished.write_text(baseline_text(baseline), encoding="ascii")
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)
    return file


def baseline_text(baseline: Baseline) -> str:
    """The file's text: a head for people and diffs, then the trials, which are all that is compared."""
    trials = sorted(baseline.trials, key=lambda trial: trial.trial)
    head = {
        "format": FORMAT,
        "evalkit": __version__,
        "run": baseline.run,
        "started": baseline.started,
        "command": list(baseline.command),
        "suites": {suite: suite_hash(trials, suite) for suite in sorted({trial.suite for trial in trials})},
        "judges": _judge_hashes(trials),
        "engines": {
            target: {"fingerprint": _digest(facts), "facts": [dict(sorted(item.items())) for item in facts]}
            for target, facts in sorted(baseline.engines.items())
        },
    }
    lines = ",\n".join(json.dumps(trial.to_dict()) for trial in trials)
    return json.dumps(head, indent=1)[:-2] + f',\n "trials": [\n{lines}\n ]\n}}\n'


def suite_hash(trials: Iterable[Measured], suite: str) -> str:
    """The sha256 (hex) of a suite's sorted probe ids and hashes."""
    return _digest(sorted({(trial.probe, trial.probe_hash) for trial in trials if trial.suite == suite}))


def _judge_hashes(trials: Iterable[Measured]) -> dict[str, list[str]]:
    """Every judge's hashes: several where probes give it settings of their own."""
    found: dict[str, set[str]] = {}
    for trial in trials:
        for judge, value in (*trial.judges.items(), *trial.optional_judges.items()):
            found.setdefault(judge, set()).add(value)
    return {judge: sorted(found[judge]) for judge in sorted(found)}


def _digest(value: Any) -> str:
    return sha256(canonical(value).encode("ascii")).hexdigest()


def _refused(shown: str, message: str, line: int | None = None) -> UnreadableFile:
    return UnreadableFile([Problem(shown, message, line)])


def _parsed(data: Mapping[str, Any], shown: str, again: str) -> Baseline:
    for name, kind in (("run", str), ("started", str), ("command", list), ("engines", dict), ("trials", list)):
        if not isinstance(data.get(name), kind):
            raise _refused(shown, f"the key {name!r} is missing or no {_KINDS[kind]}. {again}")
    trials: dict[str, Measured] = {}
    for number, plain in enumerate(data["trials"], 1):
        mistake = mistake_in(plain)
        if mistake is None and plain["trial"] in trials:
            mistake = "is there twice, as a merge may leave it"
        if mistake is not None:
            named = plain.get("trial") if isinstance(plain, dict) else None
            raise _refused(shown, f"trial {number}{f' ({named})' if named else ''}: {mistake}. {again}")
        trials[plain["trial"]] = Measured.from_dict(plain)
    engines = {
        target: tuple(dict(item) for item in engine.get("facts", ())) for target, engine in data["engines"].items()
    }
    return Baseline(data["run"], data["started"], tuple(data["command"]), engines, tuple(trials.values()))


_KINDS = {str: "text", list: "list", dict: "mapping"}
