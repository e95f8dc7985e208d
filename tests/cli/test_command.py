"""The command itself: verbs, exit statuses, and errors as sentences."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import evalkit as package
from evalkit.cli import check

if TYPE_CHECKING:
    from conftest import Command

HELP = """\
usage: evalkit [-h] [--version] VERB ...

pytest for model behaviour; run probes with pytest

positional arguments:
  VERB
    init      make a workspace here: suites/, judges/, fixtures/, reports/
    new       make a suite that passes at once: suites/SUITE with a first
              probe
    check     read suites, targets, gates and judges; print every mistake with
              its line
    list      list suites, judges, targets or runs
    import    make a suite of another tool's tests: lem, instrument-trap,
              promptfoo, csv, jsonl
    judge     judge the stored answers of a FILE.jsonl or of a RUN
    calibrate
              measure judges against labelled answers; trust is then shown
              beside their rates
    baseline  write a finished run to reports/baselines/NAME.json, to be
              committed
    compare   tell whether a run got worse than another, a baseline or another
              target
    gate      decide the gates of a run again, with no model
    report    make a report of a stored run: html, md, card, csv, parquet,
              jsonl
    stats     intervals and tests from raw counts, such as those of a
              published table
    review    have people judge a run's answers, and say what that does to its
              rates
    dataset   write a run's approved transcripts as training data, split by
              cluster
    doctor    say what is installed, which devices, keys, models and stored
              answers are here, and what hurts
    host      list the model hosts that run now: what is loaded, in flight,
              queued, paid

options:
  -h, --help  show this help message and exit
  --version   show program's version number and exit
"""


def test_help_names_every_verb(evalkit: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """``evalkit --help``, and the same on stderr with exit 2 where no verb is given."""
    monkeypatch.setenv("COLUMNS", "80")

    asked, bare = evalkit("--help"), evalkit()

    told, wanted = (text if sys.version_info < (3, 13) else " ".join(text.split()) for text in (asked.out, HELP))
    assert (asked.status, told, asked.err) == (0, wanted, "")  # Python 3.13 lays the same words out otherwise
    assert (bare.status, bare.out, bare.err) == (2, "", asked.out)


def test_an_unknown_verb_is_told_the_nearest(evalkit: Command) -> None:
    """Exit 2, a sentence, no usage dump."""
    near, far = evalkit("chek"), evalkit("fly")

    assert (near.status, near.out, near.err) == (2, "", "There is no verb 'chek'. Did you mean 'check'?\n")
    assert (far.status, far.err) == (
        2,
        "There is no verb 'fly'. Known: init, new, check, list, import, judge, calibrate, baseline, compare, gate, "
        "report, stats, review, dataset, doctor, host.\n",
    )


def test_an_unknown_option_is_refused(evalkit: Command) -> None:
    """argparse's own sentence; exit 2."""
    done = evalkit("check", "--jsn")

    assert done.status == 2
    assert done.err.endswith("evalkit: error: unrecognized arguments: --jsn\n")


@pytest.mark.parametrize("words", [["check"], ["list", "suites"]])
def test_where_no_workspace_is(evalkit: Command, tmp_path: Path, words: list[str]) -> None:
    """Exit 2, and what to do."""
    done = evalkit(*words)

    expected = f"{tmp_path}: there is no folder suites/ here. Make a workspace with: evalkit init\n"
    assert (done.status, done.out, done.err) == (2, "", expected)


def test_the_operating_systems_refusals_are_sentences(evalkit: Command, tmp_path: Path) -> None:
    """A folder that cannot be made is named with the reason, without a traceback."""
    (tmp_path / "file").touch()

    done = evalkit("init", "file/inside")

    assert (done.status, done.out, done.err) == (2, "", f"{tmp_path}/file/inside: Not a directory\n")


def test_ctrl_c_ends_quietly(evalkit: Command, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 130, as shells have it."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "read_selected", interrupted)

    done = evalkit("check")

    assert (done.status, done.out, done.err) == (130, "", "")


def test_a_reader_that_has_seen_enough(workspace: Path) -> None:
    """``evalkit list judges | head -0`` prints no traceback."""
    command = [sys.executable, "-m", "evalkit", "list", "judges"]
    with subprocess.Popen(command, cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()

    assert (process.returncode, said) == (0, b"")


def test_the_module_is_the_command(tmp_path: Path) -> None:
    """``python -m evalkit`` is the script, with its exit status."""
    command = [sys.executable, "-m", "evalkit"]
    version = subprocess.run([*command, "--version"], cwd=tmp_path, capture_output=True, text=True)
    refused = subprocess.run([*command, "fly"], cwd=tmp_path, capture_output=True, text=True)

    assert (version.returncode, version.stdout) == (0, f"evalkit {package.__version__}\n")
    assert (refused.returncode, refused.stderr) == (
        2,
        "There is no verb 'fly'. Known: init, new, check, list, import, judge, calibrate, baseline, compare, gate, "
        "report, stats, review, dataset, doctor, host.\n",
    )


def test_the_version_needs_no_verb() -> None:
    """None is imported to say it."""
    program = (
        "import sys; from evalkit.cli import main\ntry: main(['--version'])\nexcept SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith('evalkit.cli.')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == f"evalkit {package.__version__}\n[]\n"


def test_starting_it_loads_no_model_library() -> None:
    """The command answers at once: neither torch nor pydantic is imported to print its help."""
    program = (
        "import sys; from evalkit.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'torch', 'transformers', 'pydantic', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
