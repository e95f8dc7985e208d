"""How many answers each labelled one speaks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalkit.review import Label
from evalkit.reviewing.cells import ANYWAY, cells_of
from evalkit.reviewing.population import PopulationTrial, settled


def shares_read(population: Sequence[PopulationTrial], labels: Iterable[Label]) -> dict[str, float]:
    """By text with a label that decides, the share of its stratum and outcome that was read: 1 / its weight.

    A text that was read for another reason than the draw counts for itself alone.
    """
    answered = [trial for trial in population if trial.outcome != "error"]
    found: dict[str, float] = {}
    for cell in cells_of(answered, settled(labels)):
        texts = {trial.text_hash for trial in cell.trials}
        for text in cell.truths:
            found.setdefault(text, 1.0 if cell.name == ANYWAY else len(cell.truths) / len(texts))
    return found
