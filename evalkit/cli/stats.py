"""``evalkit stats``: intervals, tests and means from raw counts, for checking a published table."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from tabulate import tabulate

from evalkit.errors import UsageError
from evalkit.stats import (
    Interval,
    clopper_pearson_interval,
    mcnemar_chi_square,
    mcnemar_p,
    tango_interval,
    wilson_interval,
)

COUNT = re.compile(r"(\d{1,12})/(\d{1,12})")
METHODS: dict[str, Callable[[float, float], Interval]] = {
    "wilson": wilson_interval,
    "clopper-pearson": clopper_pearson_interval,
}


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("stats", help="intervals and tests from raw counts, such as those of a published table")
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")

    def kind(name: str, act: Callable[[argparse.Namespace], int], told: str) -> argparse.ArgumentParser:
        one: argparse.ArgumentParser = kinds.add_parser(name, help=told, description=told)
        one.add_argument("--json", action="store_true", help="print the figures as JSON, rates as proportions")
        one.set_defaults(act=act)
        return one

    rate = kind("rate", _rate, "pass rates with their 95-percent intervals")
    rate.add_argument("counts", nargs="+", metavar="PASSED/TOTAL", help="such as 292/300")
    rate.add_argument("--method", choices=METHODS, default="wilson", help="which interval (wilson)")
    paired = kind("paired", _paired, "McNemar's tests, and with --of the difference and its verdict")
    paired.add_argument("worse", metavar="WORSE", help="how many went from pass to fail")
    paired.add_argument("better", metavar="BETTER", help="how many went from fail to pass")
    paired.add_argument("--of", metavar="PAIRS", help="how many pairs there are in all")
    paired.add_argument("--margin", default="3", metavar="POINTS", help="a loss that is no regression (3)")
    bands = kind("bands", _bands, "least, mean and most of repeats: counts, or a FILE of named rows")
    bands.add_argument("values", nargs="+", metavar="COUNT|FILE", help="a count a run; or a .csv or .json file")
    bands.add_argument("--of", metavar="TOTAL", help="what the counts are of; else they are shown as they are")
    means = kind("means", _means, "overall means from category means, weighted by how many probes each holds")
    means.add_argument("file", metavar="FILE", help="a .csv or .json file; see docs/statistics.md")
    interaction = kind("interaction", _interaction, "what two changes do together beyond the sum of what each does")
    for name, told in (
        ("base", "neither change"), ("base_with", "the first change alone"),
        ("tuned", "the second change alone"), ("tuned_with", "both"),
    ):  # fmt: skip
        interaction.add_argument(name, metavar=name.upper(), help=told)


def _rate(arguments: argparse.Namespace) -> int:
    rates = [_read_count(text) for text in arguments.counts]
    intervals = [METHODS[arguments.method](passed, total) for passed, total in rates]
    shares = [passed / total if total else None for passed, total in rates]
    if arguments.json:
        figures = [
            {"passed": passed, "total": total, "rate": share, "low": interval.low, "high": interval.high}
            for (passed, total), share, interval in zip(rates, shares, intervals, strict=True)
        ]
        print(json.dumps({"method": arguments.method, "rates": figures}))
        return 0
    rows = [
        [f"{passed}/{total}", _percent(share), _within(interval.low, interval.high)]
        for (passed, total), share, interval in zip(rates, shares, intervals, strict=True)
    ]
    _print_table(rows, ["count", "rate %", f"95 % ({arguments.method})"])
    return 0


def _paired(arguments: argparse.Namespace) -> int:
    worse, better = _whole(arguments.worse), _whole(arguments.better)
    chi_square, chi_square_p = mcnemar_chi_square(worse, better)
    corrected, corrected_p = mcnemar_chi_square(worse, better, corrected=True)
    figures: dict[str, Any] = {
        "worse": worse,
        "better": better,
        "p": mcnemar_p(worse, better),
        "chi_square": chi_square,
        "chi_square_p": chi_square_p,
        "corrected": corrected,
        "corrected_p": corrected_p,
    }
    rows = [
        ["exact McNemar", f"p {_p(figures['p'])}"],
        ["chi-square", f"{chi_square:.2f}, p {_p(chi_square_p)}"],
        ["chi-square, corrected", f"{corrected:.2f}, p {_p(corrected_p)}"],
    ]
    if arguments.of is not None:
        decided, more = _decided(worse, better, _whole(arguments.of), _points(arguments.margin))
        figures |= decided
        rows += more
    if arguments.json:
        print(json.dumps(figures))
    else:
        _print_table(rows)
    return 0


def _decided(worse: int, better: int, pairs: int, margin: float) -> tuple[dict[str, Any], list[list[str]]]:
    """The difference of so many pairs, each a cluster of its own, and its verdict: as figures and as rows."""
    from evalkit.comparing.deciding import estimate, needed, verdict_of

    if pairs == 0:
        raise UsageError("--of 0: a difference needs at least one pair.")
    if worse + better > pairs:
        raise UsageError(f"{worse} worse and {better} better are more than the {pairs} pairs of --of.")
    differences = [-1.0] * worse + [1.0] * better + [0.0] * (pairs - worse - better)
    found = estimate(differences, range(pairs), is_rate=True, is_averaged=False)
    interval, verdict = tango_interval(worse, better, pairs), verdict_of(found, margin)
    figures = {
        "pairs": pairs,
        "difference": (better - worse) / pairs,
        "low": interval.low,
        "high": interval.high,
        "margin": margin,
        "verdict": verdict,
        "needed": needed(differences, found, margin) if verdict == "UNDERPOWERED" else None,
    }
    ending = f"; about {figures['needed']} such pairs would decide" if figures["needed"] else ""
    rows = [
        ["difference", f"{_signed(100 * (better - worse) / pairs)} points of {pairs} pairs"],
        ["95 % (Tango)", _within(interval.low, interval.high)],
        ["verdict", f"{verdict}, margin {100 * margin:g} points{ending}"],
    ]
    return figures, rows


def _bands(arguments: argparse.Namespace) -> int:
    from evalkit.cli.stats_files import Band, read_bands

    values = arguments.values
    if len(values) == 1 and not re.fullmatch(r"[-+.\d]+", values[0]):
        bands = read_bands(Path(values[0]))
    else:
        total = None if arguments.of is None else _whole(arguments.of)
        bands = [Band.of("", total, [float(_number(value)) for value in values])]
    if arguments.json:
        print(json.dumps([band.as_json() for band in bands]))
        return 0
    rows = []
    for band in bands:
        show = _percent if band.total is not None else _plain
        counts = " ".join(f"{count:g}" for count in band.counts)
        unit = "" if band.total is None else f" of {band.total}"
        rows.append([band.name, f"{counts}{unit}", *(show(value) for value in (band.least, band.mean, band.most)),
                     show(band.deviation)])  # fmt: skip
    _print_table(rows, ["", "repeats", "min", "mean", "max", "sd"])
    return 0


def _means(arguments: argparse.Namespace) -> int:
    from evalkit.cli.stats_files import read_means

    means = read_means(Path(arguments.file))
    if arguments.json:
        print(json.dumps([mean.as_json() for mean in means]))
        return 0
    rows = [
        [mean.name, mean.condition, mean.n, _plain(mean.mean), _plain(mean.published), mean.agrees] for mean in means
    ]
    _print_table(rows, ["", "condition", "n", "mean", "published", "agrees"])
    return 0


def _interaction(arguments: argparse.Namespace) -> int:
    base, base_with, tuned, tuned_with = (
        _number(text) for text in (arguments.base, arguments.base_with, arguments.tuned, arguments.tuned_with)
    )
    additive = base_with + tuned - base
    figures = {
        "first": base_with - base,
        "second": tuned - base,
        "additive": additive,
        "measured": tuned_with,
        "interaction": tuned_with - additive,
    }
    if arguments.json:
        print(json.dumps({name: float(value) for name, value in figures.items()}))
        return 0
    shown = [str(value) if name in ("additive", "measured") else f"{value:+}" for name, value in figures.items()]
    _print_table([[name, _minus(value)] for name, value in zip(figures, shown, strict=True)])
    return 0


def _read_count(text: str) -> tuple[int, int]:
    found = COUNT.fullmatch(text)
    if found is None or int(found[1]) > int(found[2]):
        raise UsageError(f"Expected a count such as 292/300; found {text!r}.")
    return int(found[1]), int(found[2])


def _number(text: str) -> Decimal:
    """As it was written, so that sums of printed figures stay exact."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise UsageError(f"Expected a number; found {text!r}.")
    return number


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise UsageError(f"Expected a whole number; found {text!r}.")
    return int(text)


def _points(text: str) -> float:
    points = float(_number(text))
    if not 0 <= points <= 100:
        raise UsageError(f"--margin is in points, 0 to 100; found {text!r}.")
    return points / 100


def _print_table(rows: Sequence[Sequence[object]], headers: Sequence[str] = ()) -> None:
    style = "simple" if headers else "plain"
    print(tabulate(rows, headers=headers, tablefmt=style, disable_numparse=True))


def _within(low: float, high: float) -> str:
    return f"[{_minus(f'{100 * low:.2f}')}, {_minus(f'{100 * high:.2f}')}]"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f}"


def _plain(value: float | None) -> str:
    return "-" if value is None else _minus(f"{value:.2f}")


def _signed(value: float) -> str:
    return _minus(f"{value:+.2f}")


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _p(p: float) -> str:
    return f"{p:.4f}" if p >= 0.0001 else f"{p:.1e}"
