"""Why labels do not say what the corrected rate is, and the command that mends it."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.reviewing.cells import ANYWAY, Cell
from evalkit.reviewing.draws import UNQUEUED
from evalkit.reviewing.population import PopulationTrial

MAX_UNREAD = 0.1
"""The largest share of trials in strata of which nobody read any; beyond it a rate would be mostly a guess."""
NAMES = {"pass": ("pass", "passes", "raise"), "fail": ("failure", "failures", "lower")}


def why_no_rate(trials: Sequence[PopulationTrial], cells: Sequence[Cell]) -> str:
    """Why nothing says what the corrected rate is; empty where the labels do, or all but few trials are spoken for."""
    if not cells:
        return "no trial was scored or reviewed"
    blank = [cell for cell in cells if not cell.truths]
    total = sum(len(cell.trials) for cell in cells)
    if sum(len(cell.trials) for cell in blank) <= MAX_UNREAD * total:
        return ""
    return one_sided(trials, cells) or _blank(blank, total)


def one_sided(trials: Sequence[PopulationTrial], cells: Sequence[Cell]) -> str:
    """What is missing where none of the passes, or none of the failures, was drawn and read; empty otherwise."""
    return " and ".join(unread(trials, cells, outcome) for outcome in unread_outcomes(trials, cells))


def way_out(trials: Sequence[PopulationTrial], cells: Sequence[Cell], run: str) -> str:
    """What to do where there is no corrected rate: a sentence that ends in a command."""
    if unread_outcomes(trials, cells):
        return f"Have passes and failures drawn: {draw(run)}"
    return f"Have answers of the whole run drawn: {draw(run)}"


def draw(run: str) -> str:
    """The command that queues answers of the whole run."""
    return f"evalkit review {run} --budget N"


def unread_outcomes(trials: Sequence[PopulationTrial], cells: Sequence[Cell]) -> list[str]:
    return [outcome for outcome in NAMES if count_of(trials, outcome) and not _is_sampled(cells, outcome)]


def unread(trials: Sequence[PopulationTrial], cells: Sequence[Cell], outcome: str) -> str:
    """What is missing of passes, or of failures."""
    count, read = count_of(trials, outcome), read_of(cells, outcome)
    one, many, _ = NAMES[outcome]
    if read:
        return f"the {read} reviewed of {count} {many} {'was' if read == 1 else 'were'} picked, not drawn"
    return f"the only {one} was not reviewed" if count == 1 else f"none of the {count} {many} was reviewed"


def read_of(cells: Sequence[Cell], outcome: str) -> int:
    """How many trials of this outcome have a label that decides."""
    return sum(trial.text_hash in cell.truths for cell in cells if cell.outcome == outcome for trial in cell.trials)


def count_of(trials: Sequence[PopulationTrial], outcome: str) -> int:
    return sum(trial.outcome == outcome for trial in trials)


def unqueued_of(cells: Sequence[Cell]) -> int:
    """How many trials no queue could have chosen, and nobody read all the same."""
    return sum(len(cell.trials) for cell in cells if cell.name == UNQUEUED)


def _is_sampled(cells: Sequence[Cell], outcome: str) -> bool:
    """Whether any was read that speaks for others of this outcome, or all of them were."""
    own = [cell for cell in cells if cell.outcome == outcome]
    speaks = any(cell.truths and cell.name != ANYWAY for cell in own)
    return speaks or all(cell.name == ANYWAY for cell in own)


def _blank(blank: Sequence[Cell], total: int) -> str:
    """Where those are of which nobody read any."""
    unqueued = unqueued_of(blank)
    others = sum(len(cell.trials) for cell in blank) - unqueued
    parts = [f"{unqueued} of {total} trials were in no queue that labels come from"] if unqueued else []
    if others:
        head = f"{others} " if unqueued else f"{others} of {total} trials "
        parts.append(f"{head}{'is' if others == 1 else 'are'} in strata of which nobody read any")
    return " and ".join(parts)
