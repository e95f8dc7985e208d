"""What the command line says of a run: the options, and which suites it names."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.workspace import Workspace, builtin_root

if TYPE_CHECKING:
    from evalkit.session import Options

RUN_NAME = "evalkit-run"
"""Under which name a process's own part of a run is a plugin."""


def add_options(parser: pytest.Parser) -> None:
    """Every option starts with --eval-, every dest and ini key with evalkit: the short names are the users' own."""
    add = parser.getgroup("evalkit", "evalkit: probes of model behaviour (YAML files under suites/)").addoption
    many: dict[str, Any] = {"action": "append", "default": [], "metavar": "NAME"}
    add("--eval-target", dest="evalkit_target", help="target: a label, a name or a glob", **many)
    add("--eval-model", dest="evalkit_model", help="model: a name, a hub id or a folder", **many)
    add("--eval-adapter", dest="evalkit_adapter", help="adapter: a name, hub id, folder or glob, or none", **many)
    add("--eval-quant", dest="evalkit_quant", help="quantisation: fp32, bf16, fp16, nf4, fp4, int8 or a name", **many)
    add("--eval-condition", dest="evalkit_condition", help="condition: a name, or NAME=FILE", **many)
    add("--eval-decoding", dest="evalkit_decoding", help="decoding: a name, or temperature=0.8,top_p=0.9", **many)
    add("--eval-engine", dest="evalkit_engine", metavar="NAME", help="engine: local, replay, replay=FILE or a name")
    add(
        "--eval-one-by-one", dest="evalkit_one_by_one", action="store_true",
        help="local models answer every request alone, never in batches",
    )  # fmt: skip
    add("--eval-samples", dest="evalkit_samples", type=_positive, metavar="N", help="trials of a probe on each target")
    add("--eval-plan", dest="evalkit_plan", metavar="NAME", help="a sample plan of suite.yaml (default: every probe)")
    add(
        "--eval-exclude", dest="evalkit_exclude", action="append", default=[], metavar="FILE",
        help="leave out the probes of this list (see evalkit check --train)",
    )  # fmt: skip
    add("--eval-limit", dest="evalkit_limit", type=_positive, metavar="N", help="at most N probes of each suite")
    add("--eval-seed", dest="evalkit_seed", type=int, default=0, metavar="N", help="seed of sampled decodings (0)")
    add("--eval-fresh", dest="evalkit_fresh", action="store_true", help="generate anew; stored answers stay unused")
    add("--eval-record", dest="evalkit_record", metavar="FILE", help="write the answers as a recording for replay")
    add(
        "--eval-gates", dest="evalkit_gates", action="append", default=[], metavar="FILE",
        help="gates in FILE hold beside those of the workspace; none: no gates",
    )  # fmt: skip
    add(
        "--eval-baseline", dest="evalkit_baseline", metavar="NAME",
        help="the baseline that gates compare with: a name or a file (main)",
    )  # fmt: skip
    add(
        "--eval-max-usd", dest="evalkit_max_usd", type=_dollars, default=5.0, metavar="USD",
        help="the most that calls to servers may cost in this run (5)",
    )  # fmt: skip
    add(
        "--eval-max-unscored", dest="evalkit_max_unscored", type=_share, metavar="SHARE",
        help="fail a suite with a larger share unscored (0.2, or its own)",
    )  # fmt: skip
    add(
        "--eval-preflight", dest="evalkit_preflight", action="store_true",
        help="only check the targets, each check a test, and ask them nothing",
    )  # fmt: skip
    add(
        "--eval-noise", dest="evalkit_noise", type=_positive, metavar="N",
        help="at the end ask N probes again in other batches, and say how many verdicts flip by themselves",
    )  # fmt: skip
    add(
        "--eval-strict-files", dest="evalkit_strict_files", action="store_true",
        help="where a probe file cannot be read, say so and run nothing",
    )  # fmt: skip
    add(
        "--eval-when-busy", dest="evalkit_when_busy", choices=("wait", "share"),
        help="while another run of yours has weights on the device: wait (usual on CUDA) or share (usual on CPU)",
    )  # fmt: skip
    add("--eval-out", dest="evalkit_out", metavar="FOLDER", help="where reports go (reports/out in the workspace)")
    _add_settings(parser)


def _add_settings(parser: pytest.Parser) -> None:
    """What stands in pytest's configuration file."""
    which = "which suites are collected: named (default), those the command line names; always, all that pytest meets"
    parser.addini("evalkit_collect", which, default="named")
    often = "seconds between lines of progress where output goes to no terminal; 0: none (default: 30, growing)"
    parser.addini("evalkit_progress_interval", often, default="")


def expand_adapters(config: pytest.Config) -> None:
    """Puts the folders that are there now in the place of each pattern of --eval-adapter.

    For the process the user started, which tells its workers: every one must see the same list.

    Raises:
        UsageError: a pattern matches no adapter.
    """
    from evalkit.reading.checkpoints import expanded
    from evalkit.reading.places import Place

    roots = (Path.cwd(), workspace_of(config).root, builtin_root())
    place = Place("--eval-adapter")
    given = config.getoption("evalkit_adapter")
    config.option.evalkit_adapter = [folder for text in given for folder in expanded(text, roots, place)]


def options_of(config: pytest.Config) -> Options:
    """The --eval- options as the session wants them."""
    from evalkit.reading.targets import TargetChoice
    from evalkit.session import Options

    option = config.getoption
    choice = TargetChoice(
        targets=tuple(option("evalkit_target")),
        models=tuple(option("evalkit_model")),
        adapters=tuple(option("evalkit_adapter")),
        quantisations=tuple(option("evalkit_quant")),
        conditions=tuple(option("evalkit_condition")),
        decodings=tuple(option("evalkit_decoding")),
        engine=option("evalkit_engine"),
        one_by_one=option("evalkit_one_by_one"),
    )
    return Options(
        choice,
        samples=option("evalkit_samples"),
        limit=option("evalkit_limit"),
        seed=option("evalkit_seed"),
        plan=option("evalkit_plan"),
        exclude=tuple(config.invocation_params.dir / name for name in option("evalkit_exclude")),
    )


def is_named(config: pytest.Config, path: Path) -> bool:
    """Whether the command line names the suite ``path`` is in, or ``evalkit_collect = always`` names them all."""
    if config.getini("evalkit_collect") == "always":
        return True
    return any(path.is_relative_to(place) for place in named_suites(config))


def names_a_suite(config: pytest.Config) -> bool:
    """Whether the command line names a suite, a file of one, or a folder of suites."""
    return bool(named_suites(config))


def named_suites(config: pytest.Config) -> list[Path]:
    """The arguments of the command line that lie in a folder suites/, without node ids."""
    base = config.invocation_params.dir
    places = (Path(os.path.normpath(base / str(argument).split("::")[0])) for argument in config.args)
    return [place for place in places if "suites" in place.parts]


def workspace_of(config: pytest.Config) -> Workspace:
    """The workspace of the first suite the command line names, else the root folder's."""
    base = config.invocation_params.dir
    for argument in config.args:
        found = Workspace.of(base / str(argument).split("::")[0])
        if found is not None:
            return found
    return Workspace(config.rootpath)


def progress_interval_s(config: pytest.Config) -> float | None:
    """What the ini file says of lines of progress; None where it says nothing.

    Raises:
        UsageError: it is no number of seconds.
    """
    text = str(config.getini("evalkit_progress_interval")).strip()
    try:
        seconds = float(text) if text else None
    except ValueError:
        seconds = -1.0
    if seconds is not None and not 0 <= seconds < float("inf"):
        raise pytest.UsageError(
            f"evalkit_progress_interval: expected seconds, such as 60, or 0 for no lines of progress; found {text!r}"
        )
    return seconds


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 up; found {text!r}")
    return number


def _dollars(text: str) -> float:
    try:
        amount = float(text.removeprefix("$"))
    except ValueError:
        amount = -1.0
    if not 0 <= amount < float("inf"):
        raise argparse.ArgumentTypeError(f"expected an amount in US dollars, such as 2.50; found {text!r}")
    return amount


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to 1, such as 0.2; found {text!r}")
    return share
