"""What a reader must know of corrected rates before quoting them."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.reviewing.cells import ANYWAY, Cell
from evalkit.reviewing.population import PopulationTrial, Settled

MAX_UNREAD = 0.1
"""The largest share of trials in strata of which nobody read any; beyond it a rate would be mostly a guess."""
DRAW = "evalkit review RUN --budget N"
AGAIN = "evalkit review RUN --again"
DECIDE = "evalkit review disputes RUN --open"
NAMES = {"pass": ("pass", "passes", "raise"), "fail": ("failure", "failures", "lower")}


def why_no_rate(trials: Sequence[PopulationTrial], cells: Sequence[Cell]) -> str:
    """Why nothing says what the corrected rate is; empty where the labels do."""
    if not cells:
        return "no trial was scored or reviewed"
    unread = _unread_outcomes(trials, cells)
    if unread:
        return " and ".join(_unread(trials, cells, outcome) for outcome in unread)
    blank = sum(len(cell.trials) for cell in cells if not cell.truths)
    total = sum(len(cell.trials) for cell in cells)
    if blank > MAX_UNREAD * total:
        return f"{blank} of {total} trials are in strata of which nobody read any"
    return ""


def _unread_outcomes(trials: Sequence[PopulationTrial], cells: Sequence[Cell]) -> list[str]:
    return [outcome for outcome in NAMES if _count(trials, outcome) and not _is_sampled(cells, outcome)]


def _is_sampled(cells: Sequence[Cell], outcome: str) -> bool:
    """Whether any was read that speaks for others of this outcome, or all of them were."""
    own = [cell for cell in cells if cell.outcome == outcome]
    speaks = any(cell.truths and cell.name != ANYWAY for cell in own)
    return speaks or all(cell.name == ANYWAY for cell in own)


def _unread(trials: Sequence[PopulationTrial], cells: Sequence[Cell], outcome: str) -> str:
    count, read = _count(trials, outcome), _read(cells, outcome)
    one, many, _ = NAMES[outcome]
    if read:
        return f"the {read} reviewed of {count} {many} {'was' if read == 1 else 'were'} picked, not drawn"
    return f"the only {one} was not reviewed" if count == 1 else f"none of the {count} {many} was reviewed"


def _read(cells: Sequence[Cell], outcome: str) -> int:
    """How many trials of this outcome have a label that decides."""
    return sum(trial.text_hash in cell.truths for cell in cells if cell.outcome == outcome for trial in cell.trials)


def _count(trials: Sequence[PopulationTrial], outcome: str) -> int:
    return sum(trial.outcome == outcome for trial in trials)


def words_of_caution(
    trials: Sequence[PopulationTrial], cells: Sequence[Cell], said: Sequence[Settled]
) -> tuple[str, ...]:
    """Whole sentences, the gravest first."""
    return (*_one_sided(trials, cells), *_about_gaps(trials, cells), *_about_labels(said))


def _one_sided(trials: Sequence[PopulationTrial], cells: Sequence[Cell]) -> list[str]:
    if not any(cell.truths for cell in cells):
        return []
    found = []
    for outcome in _unread_outcomes(trials, cells):
        because = _unread(trials, cells, outcome)
        so = f"the labels could only {NAMES[outcome][2]} the reviewed rate"
        if _read(cells, outcome):
            so = "nothing says what the others are"
        found.append(f"{because[0].upper()}{because[1:]}, so {so}. Have passes and failures drawn: {DRAW}")
    return found


def _about_gaps(trials: Sequence[PopulationTrial], cells: Sequence[Cell]) -> list[str]:
    found = []
    unscored = _count(trials, "unscored")
    if unscored and not any(cell.outcome == "unscored" for cell in cells):
        was = "trial was not reviewed and is" if unscored == 1 else "trials were not reviewed and are"
        found.append(f"{unscored} unscored {was} in no rate. Have some read: {DRAW}")
    drawn = {trial.text_hash for cell in cells for trial in cell.trials if trial.inclusion is not None}
    left = drawn - {text for cell in cells for text in cell.truths}
    if left:
        have = "has" if len(left) == 1 else "have"
        found.append(
            f"{len(left)} of {_texts(len(drawn))} in the queue {have} no label that decides; "
            f"the others are taken to speak for them. Have the rest read: {DRAW}"
        )
    return found


def _about_labels(said: Sequence[Settled]) -> list[str]:
    found = []
    undecided = sum(one.truth is None and not one.is_open for one in said)
    if undecided:
        count = "as an unread one" if undecided == 1 else "as unread ones"
        found.append(
            f"{_texts(undecided)} labelled borderline or unsure {_counts(undecided)} {count}. "
            f"Have somebody else decide: {AGAIN}"
        )
    tied = sum(one.is_open for one in said)
    if tied:
        has = "has" if tied == 1 else "have"
        found.append(f"{_texts(tied)} {has} as many labels for as against; one more reviewer has to decide: {DECIDE}")
    seen = sum(label.blind is False for one in said for label in one.labels)
    total = sum(len(one.labels) for one in said)
    if seen:
        was = "was" if seen == 1 else "were"
        found.append(
            f"{seen} of {total} labels {was} given with the verdict in sight. Have somebody judge blind: {AGAIN}"
        )
    return found


def _texts(count: int) -> str:
    return "1 text" if count == 1 else f"{count} texts"


def _counts(count: int) -> str:
    return "counts" if count == 1 else "count"
