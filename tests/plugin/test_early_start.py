"""What a run begins before its probes are collected, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.opening import kinds_to_load, kinds_to_prepare, runs_items
from evalkit.target import Engine, Model, Quantisation, Target
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Bench

LOCAL = Target(Model("one", "/model", True, "model"), Quantisation("fp32", "fp32"))
REPLAYED = Target(LOCAL.model, LOCAL.quantisation, engine=Engine("stored", "replay"))


@pytest.mark.parametrize(
    ("is_stored", "is_fresh", "kinds"),
    [(False, False, {"local", "replay"}), (True, True, {"local", "replay"}), (True, False, set())],
    ids=["first run", "fresh", "stored"],
)
def test_engines_get_ready_where_they_are_certain_to_load(
    tmp_path: Path, is_stored: bool, is_fresh: bool, kinds: set[str]
) -> None:
    """Where there are stored answers, nothing may be left to ask."""
    workspace = Workspace(tmp_path)
    if is_stored:
        workspace.state.mkdir()
        workspace.store_file.touch()
    config: Any = SimpleNamespace(getoption={"evalkit_fresh": is_fresh}.get)

    assert kinds_to_load(config, workspace, (LOCAL, REPLAYED, REPLAYED)) == kinds


@pytest.mark.parametrize(
    ("target", "is_alone", "kinds"),
    [(REPLAYED, True, {"replay", "judging"}), (REPLAYED, False, {"replay"}), (LOCAL, True, {"local"})],
    ids=["nothing to compute", "workers judge", "computes"],
)
def test_judging_gets_ready_where_a_host_will_have_time_for_it(
    tmp_path: Path, target: Target, is_alone: bool, kinds: set[str]
) -> None:
    """One process without workers whose host loads no weights; what loads them comes first."""
    config: Any = SimpleNamespace(getoption={"evalkit_fresh": False}.get)

    assert kinds_to_prepare(config, Workspace(tmp_path), (target,), is_alone=is_alone) == kinds


@pytest.mark.parametrize("arguments", [["-k", "lamp"], ["--eval-target", "three"]], ids=["nothing left", "a mistake"])
def test_a_run_without_a_trial_leaves_no_state(bench: Bench, workers: list[str], arguments: list[str]) -> None:
    """Its host had started meanwhile, or was not even begun."""
    bench.suite("What does the kettle cost?")

    bench.run("suites/small", *workers, *arguments)

    assert not (bench.root / ".evalkit").exists()


def test_a_folder_of_that_name_elsewhere_begins_no_host(bench: Bench) -> None:
    """Python tests of suites are none of the workspace's suites."""
    bench.write("tests/suites/test_it.py", "def test_it():\n    assert True\n")

    bench.run("tests/suites").assert_outcomes(passed=1)

    assert not (bench.root / ".evalkit").exists()
    config: Any = SimpleNamespace(
        args=["tests/suites"], invocation_params=SimpleNamespace(dir=bench.root),
        option=SimpleNamespace(collectonly=False), getoption=lambda name, default=None: default,
    )  # fmt: skip
    assert not runs_items(config, Workspace(bench.root))
    config.args = ["suites/small"]
    assert runs_items(config, Workspace(bench.root))


def test_the_search_for_garbage_goes_on_after_collection(bench: Bench, workers: list[str]) -> None:
    """Whatever else runs in the process finds it on, and everything within its reach."""
    bench.suite("What does the kettle cost?")
    bench.write(
        "suites/test_garbage.py",
        "import gc\n\ndef test_it():\n    assert gc.isenabled() and gc.get_freeze_count() < 1_000\n",
    )

    bench.run("suites", *workers).assert_outcomes(passed=2)
