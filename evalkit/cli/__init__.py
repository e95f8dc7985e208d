"""The command ``evalkit``: one verb a file."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module

from evalkit import __version__
from evalkit.errors import EvalkitError

_MODULES = {
    "init": "init", "new": "new", "check": "check", "list": "listing", "import": "import_", "judge": "judge",
    "calibrate": "calibrate", "baseline": "baseline", "compare": "compare", "gate": "gate", "report": "report",
    "stats": "stats", "review": "review", "dataset": "dataset", "doctor": "doctor", "host": "host",
}  # fmt: skip
"""The verbs in the order of ``evalkit --help``, each with its module; only the one that is called is imported."""

EXIT_OK, EXIT_USAGE, EXIT_INTERRUPTED = 0, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one verb. Exit status: 0 ok, 1 the verdict is bad, 2 the command cannot be acted on."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="evalkit", description="pytest for model behaviour; run probes with pytest")
    parser.add_argument("--version", action="version", version=f"evalkit {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for module in _needed(words):
        import_module(f"evalkit.cli.{module}").add_to(verbs)
    if not words:
        parser.print_help(sys.stderr)
        return EXIT_USAGE
    if not words[0].startswith("-") and words[0] not in verbs.choices:
        from evalkit.reading.suggestions import did_you_mean

        return _refuse(f"There is no verb {words[0]!r}. {did_you_mean(words[0], verbs.choices)}")
    if words[0] == "review":
        from evalkit.cli.review import spelled_out

        words = spelled_out(words)
    return _act(parser.parse_args(words))


def _needed(words: Sequence[str]) -> Iterable[str]:
    """The modules of the verbs that the words are about: one, none, or all where they are listed or guessed among."""
    if words[:1] == ["--version"]:
        return ()
    one = _MODULES.get(words[0]) if words else None
    return _MODULES.values() if one is None else (one,)


def _act(arguments: argparse.Namespace) -> int:
    """The verb's exit status; what it cannot do is a sentence, never a traceback."""
    try:
        status: int = arguments.act(arguments)
        sys.stdout.flush()
    except EvalkitError as error:
        return _refuse(str(error))
    except BrokenPipeError:  # the reader, such as head, has seen enough; Python must not flush again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except OSError as error:
        return _refuse(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return status


def _refuse(sentence: str) -> int:
    """Says why, in as many lines as were meant; what was quoted of a file or an answer is made harmless."""
    from evalkit.reporting.safe_text import for_terminal

    print("\n".join(for_terminal(line) for line in sentence.split("\n")), file=sys.stderr)
    return EXIT_USAGE
