"""Which plots a run has, in the order of a report."""

from __future__ import annotations

from importlib.util import find_spec

from evalkit.errors import MissingPackage
from evalkit.plots.deltas import delta_plots
from evalkit.plots.plot import Plot
from evalkit.plots.rates import rate_plots
from evalkit.plots.scores import score_plots
from evalkit.plots.steps import step_plots
from evalkit.plots.trust import trust_plots
from evalkit.reporting.figure_nouns import RunFigures


def missing() -> str | None:
    """Why nothing can be drawn here, or None."""
    return None if find_spec("matplotlib") else str(MissingPackage("Drawing plots", "matplotlib", "report"))


def run_plots(figures: RunFigures) -> tuple[Plot, ...]:
    """The plots for which this run has figures; none where ``missing`` says why."""
    if missing():
        return ()
    return (
        *rate_plots(figures.rows),
        *delta_plots(figures.deltas, [row.category for row in figures.rows if row.category is not None]),
        *step_plots(figures.steps),
        *score_plots(figures.scores),
        *trust_plots(figures.trust),
    )
