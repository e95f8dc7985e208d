"""The pytest plugin: options and hooks, each handed over to the run."""

from __future__ import annotations

import argparse
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.python_tests import evalkit_generate, evalkit_host, evalkit_judge, evalkit_transcript

if TYPE_CHECKING:
    from evalkit.controller import Controller
    from evalkit.running import PytestRun

__all__ = ["evalkit_generate", "evalkit_host", "evalkit_judge", "evalkit_transcript"]

RUN: pytest.StashKey[PytestRun] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("evalkit", "evalkit: probes of model behaviour (YAML files under suites/)")
    add = group.addoption
    many: dict[str, Any] = {"action": "append", "default": [], "metavar": "NAME"}
    add("--eval-target", dest="evalkit_target", help="target: a label, a name or a glob", **many)
    add("--eval-model", dest="evalkit_model", help="model: a name, a hub id or a folder", **many)
    add("--eval-adapter", dest="evalkit_adapter", help="adapter: a name, a hub id, a folder, or none", **many)
    add("--eval-quant", dest="evalkit_quant", help="quantisation: fp32, bf16, fp16, nf4, fp4, int8 or a name", **many)
    add("--eval-condition", dest="evalkit_condition", help="condition: a name, or NAME=FILE", **many)
    add("--eval-decoding", dest="evalkit_decoding", help="decoding: a name, or temperature=0.8,top_p=0.9", **many)
    add("--eval-engine", dest="evalkit_engine", metavar="NAME", help="engine: local, replay, replay=FILE or a name")
    add("--eval-samples", dest="evalkit_samples", type=_positive, metavar="N", help="trials of a probe on each target")
    add("--eval-limit", dest="evalkit_limit", type=_positive, metavar="N", help="at most N probes of each suite")
    add("--eval-seed", dest="evalkit_seed", type=int, default=0, metavar="N", help="seed of sampled decodings (0)")
    add("--eval-fresh", dest="evalkit_fresh", action="store_true", help="generate anew; stored answers stay unused")
    add("--eval-record", dest="evalkit_record", metavar="FILE", help="write the answers as a recording for replay")
    add(
        "--eval-gates", dest="evalkit_gates", action="append", default=[], metavar="FILE",
        help="gates in FILE hold beside those of the workspace; none: no gates",
    )  # fmt: skip
    add(
        "--eval-max-unscored", dest="evalkit_max_unscored", type=_share, metavar="SHARE",
        help="fail a suite with a larger share unscored (0.2, or its own)",
    )  # fmt: skip
    add(
        "--eval-strict-files", dest="evalkit_strict_files", action="store_true",
        help="where a probe file cannot be read, say so and run nothing",
    )  # fmt: skip
    add("--eval-out", dest="evalkit_out", metavar="FOLDER", help="where reports go (reports/out in the workspace)")
    which = "which suites are collected: named (default), those the command line names; always, all that pytest meets"
    parser.addini("evalkit_collect", which, default="named")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "probe(prompt, system=None, **decoding): plans the prompt for evalkit_transcript"
    )
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(ControllerHooks(config), "evalkit-controller")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix not in (".yaml", ".yml") or "suites" not in file_path.parts:
        return None
    from evalkit.controller import is_named

    return run_of(parent.config).collect(file_path, parent) if is_named(parent.config, file_path) else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "evalkit_target" in metafunc.fixturenames:
        targets = run_of(metafunc.config).session.targets
        metafunc.parametrize("evalkit_target", targets, ids=[target.label for target in targets])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if RUN in config.stash:
        run_of(config).keep_only_unreadable(items)


def pytest_collection_finish(session: pytest.Session) -> None:
    if RUN in session.config.stash:
        run_of(session.config).submit(session.items)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Waits for the item's answers where no timeout of another plugin counts it."""
    run = item.config.stash.get(RUN, None)
    if run is not None:
        run.obtain(item)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    run = item.config.stash.get(RUN, None)
    if run is not None:
        run.complete(item, call, report)
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Between pytest's tracebacks and its short summary."""
    hooks = config.pluginmanager.getplugin("evalkit-controller")
    if hooks is not None:
        hooks.print_summary(terminalreporter)


def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(RUN, None)
    if run is not None:
        run.close()


def run_of(config: pytest.Config) -> PytestRun:
    """This process's run, made when the first probe or fixture needs it."""
    if RUN not in config.stash:
        from evalkit.running import PytestRun

        config.stash[RUN] = PytestRun(config)
    return config.stash[RUN]


class ControllerHooks:
    """Hooks of the process the user started: with -n it runs no item itself."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @property
    def _controller(self) -> Controller | None:
        from evalkit.controller import CONTROLLER

        return self._config.stash.get(CONTROLLER, None)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """A target that cannot be is said once, before any worker starts."""
        from evalkit.controller import names_a_suite

        if names_a_suite(self._config):
            from evalkit.closing import check_targets

            check_targets(self._config)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tells a new xdist worker where the host is; the host starts only if a worker calls."""
        from evalkit.controller import controller_of

        node.workerinput["evalkit"] = controller_of(self._config).worker_input()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        counts = getattr(node, "workeroutput", {}).get("evalkit")
        if counts and self._controller is not None:
            self._controller.count(counts)

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        if self._controller is not None:
            self._controller.crashed(crashitem, report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        """Before pytest writes the name of the next file or item."""
        if self._controller is not None:
            self._controller.clear_status()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if self._controller is not None:
            self._controller.log_report(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._controller is not None:
            self._controller.finish(session)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None, None, None]:
        closing = self._controller.closing if self._controller is not None else None
        if closing is None:
            return (yield)
        closing.hide_most(terminalreporter)
        try:
            return (yield)
        finally:
            closing.restore(terminalreporter)

    def print_summary(self, reporter: Any) -> None:
        if self._controller is not None and self._controller.closing is not None:
            self._controller.closing.print(reporter)

    def pytest_unconfigure(self) -> None:
        if self._controller is not None:
            self._controller.close()


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 up; found {text!r}")
    return number


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to 1, such as 0.2; found {text!r}")
    return share
