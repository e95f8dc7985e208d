"""The plots' colours by what they mean, in light and dark, and the style sheet that themes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Dashes = tuple[float, tuple[float, ...] | None]
Colour = Literal["paper", "ink", "muted", "grid", "band", "good", "bad", "s1", "s2", "s3", "s4", "s5", "s6"]

LIGHT: Mapping[Colour, str] = {
    "paper": "#ffffff", "ink": "#1f2328", "muted": "#57606a", "grid": "#d8dee4",
    "band": "#eef1f4", "good": "#006d51", "bad": "#b54a00",
    "s1": "#0072b2", "s2": "#d55e00", "s3": "#00855f", "s4": "#a64d79", "s5": "#8a6d00", "s6": "#444c56",
}  # fmt: skip
DARK: Mapping[Colour, str] = {
    "paper": "#0d1117", "ink": "#e6edf3", "muted": "#a3adb8", "grid": "#3a424c",
    "band": "#222a33", "good": "#2dc59b", "bad": "#f28a3d",
    "s1": "#56b4e9", "s2": "#f0863a", "s3": "#2dc59b", "s4": "#e39ac4", "s5": "#f0e442", "s6": "#c3ccd5",
}  # fmt: skip
"""Okabe and Ito (2008), "Color Universal Design", made darker or lighter until each stands out by 3:1 (text 4.5:1)."""

SERIES: tuple[Colour, ...] = ("s1", "s2", "s3", "s4", "s5", "s6")
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES: tuple[Dashes, ...] = (
    (0, None), (0, (6, 2)), (0, (2, 2)), (0, (8, 2, 2, 2)), (0, (4, 1)), (0, (1, 1.5)),
)  # fmt: skip


def _variables(colours: Mapping[Colour, str]) -> str:
    return "".join(f"--plot-{name}:{value};" for name, value in colours.items())


def _rules() -> str:
    return "".join(
        f".plot .f-{name}{{fill:var(--plot-{name})}}.plot .k-{name}{{stroke:var(--plot-{name})}}" for name in LIGHT
    )


PLOT_CSS = (
    f".plot{{{_variables(LIGHT)}display:block;width:100%;height:auto;font-family:inherit}}"
    f"@media (prefers-color-scheme:dark){{.plot{{{_variables(DARK)}}}}}"
    f"[data-theme=light] .plot{{{_variables(LIGHT)}}}[data-theme=dark] .plot{{{_variables(DARK)}}}"
    f"@media print{{.plot,[data-theme] .plot{{{_variables(LIGHT)}}}}}"
    ".plot-wide{max-width:720px}.plot-narrow{max-width:360px;display:none}"
    "@media (max-width:640px){.plot-wide{display:none}.plot-narrow{display:block}}"
    f"{_rules()}"
)
"""What a page puts into its style sheet. It may set the variables ``--plot-…`` on ``.plot`` itself afterwards."""
