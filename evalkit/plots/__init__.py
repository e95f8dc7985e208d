"""Plots of a run as inline SVG."""

from __future__ import annotations

from evalkit.plots.drawing import missing, run_plots
from evalkit.plots.palette import PLOT_CSS
from evalkit.plots.plot import Plot

__all__ = ["PLOT_CSS", "Plot", "missing", "run_plots"]
