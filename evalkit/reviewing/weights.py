"""How many answers each labelled one speaks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalkit.review import Label
from evalkit.reviewing.cells import ANYWAY
from evalkit.reviewing.design import design_of
from evalkit.reviewing.draws import Draw
from evalkit.reviewing.population import PopulationTrial, settled
from evalkit.reviewing.refusals import one_sided, why_no_rate


def shares_read(
    population: Sequence[PopulationTrial], labels: Iterable[Label], draws: Sequence[Draw] = ()
) -> dict[str, float]:
    """By text with a label that decides, the share of its stratum and outcome that was read: 1 / its weight.

    A text that was read for another reason than the draw counts for itself alone. What the corrected rate of all of
    ``population`` leaves out has no share.
    """
    answered = [trial for trial in population if trial.outcome != "error"]
    found: dict[str, float] = {}
    for cell in design_of(answered, draws, settled(labels)).cells:
        texts = {trial.text_hash for trial in cell.trials}
        for text in cell.truths:
            found.setdefault(text, 1.0 if cell.name == ANYWAY else len(cell.truths) / len(texts))
    return found


def why_no_weights(population: Sequence[PopulationTrial], labels: Iterable[Label], draws: Sequence[Draw] = ()) -> str:
    """Why labels do not stand for all these trials; empty where they do.

    A rate may do without the few of one outcome; who asks how often a judge errs in it may not.
    """
    answered = [trial for trial in population if trial.outcome != "error"]
    design = design_of(answered, draws, settled(labels))
    return one_sided(design.trials, design.cells) or why_no_rate(design.trials, design.cells)
