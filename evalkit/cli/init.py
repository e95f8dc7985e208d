"""``evalkit init``: a workspace that works at once."""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
from pathlib import Path
from typing import Any

from evalkit.cli.places import absolute
from evalkit.errors import UsageError
from evalkit.workspace import builtin_root

COPIED_SUITE = "suites/instrument_trap"
NEXT = "pytest suites/instrument_trap --eval-plan smoke -n 4"

_TARGETS = """\
# What is tested. The demo model stands in until you name your own; its numbers mean nothing.
include: [fixtures/demo/targets.yaml]
conditions:
  authority: {file: fixtures/conditions/authority.txt}
  medium: {file: fixtures/conditions/medium.txt}

# models:
#   mine: {path: ../out/merged}              # or {hub: org/name, revision: …}
# adapters:
#   step300: {path: ../out/checkpoint-300}
# default:
#   - mine+step300:nf4:naked:greedy
"""
_FIRST = """\
# A suite of its own: any YAML file here is collected. All keys: docs/probes.md of evalkit.
probes:
  - prompt: Which three colours does the flag of Italy have?
    expect: {contains: [green, white, red]}
"""
_IGNORED = (".evalkit/", "reports/out/", "reports/review/")


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("init", help="make a workspace here: suites/, judges/, fixtures/, reports/")
    parser.add_argument("folder", nargs="?", default=".", help="where (default: here)")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes what is not there yet; nothing of the user's is overwritten."""
    root = absolute(Path(arguments.folder))
    if root.exists() and not root.is_dir():
        raise UsageError(f"{arguments.folder}: is a file. Name a folder.")
    written = [
        *_copied_suite(root),
        *_written(root, "suites/first_steps.yaml", _FIRST),
        *_written(root, "fixtures/targets.yaml", _TARGETS),
        *_ignored(root),
    ]
    for folder in ("judges", "reports/baselines"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    if arguments.json:
        print(json.dumps({"workspace": str(root), "written": written, "next": NEXT}))
        return 0
    for name in written:
        print(f"wrote {name}")
    where = "" if root == Path.cwd() else f"cd {shlex.quote(arguments.folder)} && "
    print(f"Workspace ready. Now run: {where}{NEXT}")
    return 0


def _copied_suite(root: Path) -> list[str]:
    if (root / COPIED_SUITE).exists():
        return []
    shutil.copytree(builtin_root() / COPIED_SUITE, root / COPIED_SUITE)
    return [f"{COPIED_SUITE}/"]


def _written(root: Path, name: str, text: str) -> list[str]:
    file = root / name
    if file.exists():
        return []
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return [name]


def _ignored(root: Path) -> list[str]:
    """Adds to .gitignore what a run leaves behind; the lines there stay as they are."""
    file = root / ".gitignore"
    found = file.read_bytes() if file.exists() else b""
    present = {line.strip() for line in found.splitlines()}
    missing = [line for line in _IGNORED if line.encode() not in present]
    if not missing:
        return []
    with file.open("ab") as out:
        start = "\n" if found and not found.endswith(b"\n") else ""
        out.write((start + "".join(f"{line}\n" for line in missing)).encode())
    return [".gitignore"]
