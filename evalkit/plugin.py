"""The pytest plugin: what every run pays for, and how the rest is called in when a probe turns up."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from evalkit.controller import NAME, Controller
from evalkit.options import add_options, is_named, names_a_suite
from evalkit.python_tests import evalkit_generate, evalkit_host, evalkit_judge, evalkit_transcript
from evalkit.reading.garbage import last_garbage_search, no_garbage_search

__all__ = ["evalkit_generate", "evalkit_host", "evalkit_judge", "evalkit_transcript"]

_AT_LAST = pytest.StashKey[ExitStack]()


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "probe(prompt, system=None, **decoding): plans the prompt for evalkit_transcript"
    )
    config.stash[_AT_LAST] = ExitStack()
    config.add_cleanup(config.stash[_AT_LAST].close)  # after pytest's own, which are added later
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Controller(config), NAME)
    if config.getoption("evalkit_preflight"):
        from evalkit import preflighting

        config.pluginmanager.register(preflighting.Preflight(config), preflighting.NAME)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What a run of suites imports and collects stays until its end: Python need not look for garbage among it."""
    if not names_a_suite(session.config):
        return (yield)
    with no_garbage_search():
        return (yield)


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


def pytest_unconfigure(config: pytest.Config) -> None:
    """Before pytest looks for garbage, which it does up to five times, so that what users' tests left comes to light.

    The plugins and conftest files that came after this one have let go by now of what they held.
    """
    if names_a_suite(config) and _AT_LAST in config.stash:
        config.stash[_AT_LAST].enter_context(last_garbage_search())
