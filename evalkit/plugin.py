"""The pytest plugin: what every run pays for, and how the rest is called in when a probe turns up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evalkit.controller import NAME, Controller
from evalkit.options import add_options, is_named
from evalkit.python_tests import evalkit_generate, evalkit_host, evalkit_judge, evalkit_transcript

__all__ = ["evalkit_generate", "evalkit_host", "evalkit_judge", "evalkit_transcript"]


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "probe(prompt, system=None, **decoding): plans the prompt for evalkit_transcript"
    )
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Controller(config), NAME)
    if config.getoption("evalkit_preflight"):
        from evalkit import preflighting

        config.pluginmanager.register(preflighting.Preflight(config), preflighting.NAME)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A YAML file of a suite that the command line names."""
    if file_path.suffix not in (".yaml", ".yml") or "suites" not in file_path.parts:
        return None
    if not is_named(parent.config, file_path):
        return None
    from evalkit.running import run_of

    return run_of(parent.config).collect(file_path, parent)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for ``evalkit_target`` runs once for each target of the run."""
    if "evalkit_target" in metafunc.fixturenames:
        from evalkit.running import run_of

        targets = run_of(metafunc.config).session.targets
        metafunc.parametrize("evalkit_target", targets, ids=[target.label for target in targets])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Between pytest's tracebacks and its short summary."""
    controller = config.pluginmanager.getplugin(NAME)
    if controller is not None:
        controller.print_summary(terminalreporter)
