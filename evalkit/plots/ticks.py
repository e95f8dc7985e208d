"""Round numbers along an axis."""

from __future__ import annotations

from evalkit.plots.rows import Axis


def axis_of(low: float, high: float, most: int = 5) -> Axis:
    """An axis that holds both numbers, with a little room beside them and about ``most`` round ticks."""
    from matplotlib.ticker import MaxNLocator

    if high <= low:
        low, high = low - 0.5, high + 0.5
    room = (high - low) * 0.04
    ticks = [float(value) for value in MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)]
    ends = (low - room, high + room)
    return Axis(*ends, tuple((value, tick_words(value)) for value in ticks if ends[0] <= value <= ends[1]))


def tick_words(value: float) -> str:
    return f"{round(value, 10):g}".replace("-", "−")
