"""The command ``evalkit``: one verb a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from evalkit import __version__
from evalkit.errors import EvalkitError

EXIT_OK, EXIT_BAD, EXIT_USAGE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one verb. Exit status: 0 ok, 1 the verdict is bad, 2 the command cannot be acted on."""
    from evalkit.cli import check, init, listing

    parser = argparse.ArgumentParser(prog="evalkit", description="pytest for model behaviour; run probes with pytest")
    parser.add_argument("--version", action="version", version=f"evalkit {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in (init, check, listing):
        verb.add_to(verbs)
    arguments = parser.parse_args(argv)
    try:
        status: int = arguments.act(arguments)
    except EvalkitError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    return status
