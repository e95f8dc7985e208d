"""What is settled before any worker starts: targets and sample plans that cannot be are said once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evalkit.errors import EvalkitError, UsageError
from evalkit.host.messages import Run
from evalkit.options import RUN_NAME, named_suites, options_of
from evalkit.reading.suite_file import read_suite_file
from evalkit.sampling_plan import named_plan
from evalkit.session import Session
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from evalkit.host.address import Address
    from evalkit.ledger import Ledger
    from evalkit.running import PytestRun
    from evalkit.target import Target


def reading_session(config: pytest.Config, ledger: Ledger) -> Session:
    """A session that reads suites and targets: that of the items in this process, else one that can reach no host."""
    running: PytestRun | None = config.pluginmanager.getplugin(RUN_NAME)
    if running is not None:
        return running.session

    def nowhere() -> Address:
        raise UsageError("the controller asks no model")

    run = Run(ledger.run_id, str(ledger.workspace.root))
    return Session(ledger.workspace, options_of(config), run, nowhere)


def check_command_line(config: pytest.Config, ledger: Ledger) -> tuple[Target, ...]:
    """The run's targets; a mistake in one, or in the sample plan, is a sentence and exit status 4."""
    try:
        session = reading_session(config, ledger)
        targets, _ = session.targets, session.leaving_out.lists
        plan = config.getoption("evalkit_plan")
        for suite in _suites(config, ledger.workspace) if plan else ():
            settings = read_suite_file(suite, ledger.workspace, None).settings
            named_plan(suite.stem if suite.is_file() else suite.name, settings.plans, plan)
    except EvalkitError as error:
        raise pytest.UsageError(str(error)) from None
    return targets


def runs_items(config: pytest.Config, workspace: Workspace) -> bool:
    """Whether suites of the workspace are collected and going to be run."""
    places = (part for place in named_suites(config) for part in (place, *place.parents))
    is_run = not (config.option.collectonly or config.getoption("setupplan", False))
    return is_run and workspace.suites in places


def kinds_to_prepare(
    config: pytest.Config, workspace: Workspace, targets: Iterable[Target], *, is_alone: bool
) -> set[str]:
    """What a host is told to make ready: engines, or what judges ahead of one process that is ``is_alone``."""
    kinds = kinds_to_load(config, workspace, targets)
    return {*kinds, "judging"} if is_alone and "local" not in kinds else kinds


def kinds_to_load(config: pytest.Config, workspace: Workspace, targets: Iterable[Target]) -> set[str]:
    """The kinds of engines that are going to load weights here, as far as it is certain before anything is collected.

    Where answers are stored already nothing may be left to ask.
    """
    if workspace.store_file.exists() and not config.getoption("evalkit_fresh"):
        return set()
    return {target.engine.kind for target in targets}


def _suites(config: pytest.Config, workspace: Workspace) -> list[Path]:
    """The suites that the command line names, itself or by a folder or a file of them."""
    found: dict[Path, None] = {}
    for place in named_suites(config):
        if place == workspace.suites and place.is_dir():
            found.update(dict.fromkeys(map(workspace.suite_of, workspace.probe_files(place))))
        elif place.is_relative_to(workspace.suites) and place.exists():
            found[workspace.suite_of(place)] = None
    return list(found)
