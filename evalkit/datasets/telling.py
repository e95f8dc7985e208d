"""What became of a run's answers, in lines for the terminal."""

from __future__ import annotations

import shlex
from pathlib import PurePath

from evalkit.datasets.formats import FORMATS
from evalkit.datasets.manifest import Made
from evalkit.datasets.splitting import cluster_count
from evalkit.datasets.writing import MANIFEST, TRAIN, Files
from evalkit.reporting.phrases import counted
from evalkit.reporting.safe_text import for_terminal
from evalkit.reporting.summary import DEMO_STAMP
from evalkit.stats import percent


def sentences(out: str, made: Made, files: Files) -> list[str]:
    """The files, how many answers are in them, and why the others are not."""
    sides = {"train": made.split.train, "valid": made.split.valid}
    written = [
        f"wrote {out}/{name}: {counted(facts['transcripts'], 'transcript')} of "
        f"{counted(cluster_count(sides[PurePath(name).stem]), 'cluster')}"
        for name, facts in files.items()
    ]
    lines = [*written, f"wrote {out}/{MANIFEST}", _kept(made), *_left_out(made), *_notes(made), _seen(out, files)]
    stamp = [DEMO_STAMP] if made.is_demo else []
    return [for_terminal(line) for line in (*stamp, *lines, *stamp)]


def _kept(made: Made) -> str:
    kept, generated = len(made.selection.kept), len(made.candidates)
    sentence = f"kept {kept} of {counted(generated, 'answer')} of run {made.origin.run} ({percent(made.keep_rate)})"
    if made.mean_score is None:
        return sentence
    return f"{sentence}, mean score {made.mean_score:.2f} by {made.wanted.ranking_judge}"


def _left_out(made: Made) -> list[str]:
    counts = sorted(made.selection.left_out.items(), key=lambda item: (-item[1], item[0]))
    width = max((len(str(count)) for _, count in counts), default=0)
    return ["left out:", *(f"  {count:>{width}}  {why}" for why, count in counts)] if counts else []


def _seen(out: str, files: Files) -> str:
    """That the probes are no test of a model that learned them, and how to leave them out."""
    train = next(name for name in files if name.startswith(TRAIN))
    if not train.endswith(FORMATS["chat"].suffix):
        return "note: a model trained on these knows their probes; measure it with others"
    command = shlex.join(["evalkit", "check", "--train", f"{out}/{train}", "--exclude"])
    return f"note: a model trained on these knows their probes; leave them out of its runs with: {command}"


def _notes(made: Made) -> list[str]:
    notes = []
    thinking = sum(candidate.has_thinking for candidate in made.selection.kept)
    if thinking and not made.wanted.with_thinking:
        notes.append(f"note: the thinking of {counted(thinking, 'answer')} was dropped; keep it with --thinking keep")
    scored = any(candidate.score(made.wanted.ranking_judge) is not None for candidate in made.selection.kept)
    if made.wanted.dedup == "best" and not scored and "another answer of the probe is kept" in made.selection.left_out:
        notes.append("note: no answer has a score, so the first of each probe is kept")
    if made.share and not made.split.valid:
        notes.append("note: nothing is held out for validation: there are too few transcripts or clusters")
    return notes
