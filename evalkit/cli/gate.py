"""``evalkit gate``: decides the gates of what was measured already, with no model and no GPU."""

from __future__ import annotations

import argparse
from typing import Any


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser(
        "gate",
        help="decide the gates of a run again, with no model",
        description="Exit 0 when the gates hold, 1 when one is breached or cannot be decided, 2 when there is none.",
    )
    source = "a run, latest, previous, a baseline, a results.jsonl, or a FILE.jsonl of scores"
    parser.add_argument("source", metavar="RUN", help=source)
    parser.add_argument(
        "--gates", dest="files", action="append", default=[], metavar="FILE",
        help="gates in FILE, beside those of suite.yaml and of the workspace (again for more)",
    )  # fmt: skip
    parser.add_argument("--baseline", default="main", metavar="NAME", help="what gates compare with: a name or a file")
    parser.add_argument("--json", action="store_true", help="print the results as one line of JSON")
    parser.set_defaults(act=_run)


def _run(arguments: argparse.Namespace) -> int:
    from evalkit.cli import gate_run  # reads YAML and loads pydantic, which other verbs need not pay for

    return gate_run.run(arguments)
