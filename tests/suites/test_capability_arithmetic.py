"""Every generated answer of suites/capability, arithmetic: worked out again from the words of its prompt alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from math import gcd

import pytest

from evalkit.probe import Probe
from evalkit.verdict import Verdict

Generated = Callable[[str], Iterator[tuple[Probe, Callable[[str], Verdict]]]]


def whole(text: str) -> list[int]:
    """The whole numbers of a text, in order."""
    return [int(found) for found in re.findall(r"(?<![\d.])\d+(?![\d.]*\d)", text)]


def _sum(t: str) -> object:
    a, b, c = whole(t)
    return a + b - c


def _change(t: str) -> object:
    price = Fraction(re.findall(r"\d+\.\d\d", t)[0])
    count, paid = whole(t.replace(re.findall(r"\d+\.\d\d", t)[0], ""))
    return f"{float(paid - count * price):.2f}"


def _fraction(t: str) -> object:
    part = Fraction(re.findall(r"\d+/\d+", t)[0])
    (total,) = whole(re.sub(r"\d+/\d+", "", t))
    return total * (1 - part) if "still" in t else total * part


def _units(t: str) -> object:
    a, b = whole(t)
    sizes = {"hours": {"minutes": 60}, "metres": {"centimetres": 100}, "days": {"hours": 24}, "weeks": {"days": 7},
             "kilograms": {"grams": 1000}, "minutes": {"seconds": 60}}  # fmt: skip
    big, small = re.findall(r"\d+ (\w+)", t)
    return a * sizes[big][small] + b


def _rate(t: str) -> object:
    speed, hours, *minutes = whole(t)
    return speed * Fraction(hours * 60 + sum(minutes), 60)


def _sequence(t: str) -> object:
    """The next one by constant ratio, else by differences until they are constant."""
    terms = whole(t)
    if len({Fraction(b, a) for a, b in pairwise(terms)}) == 1:
        return terms[-1] * terms[1] // terms[0]
    rows = [terms]
    while len(set(rows[-1])) > 1:
        rows.append([b - a for a, b in pairwise(rows[-1])])
    return sum(row[-1] for row in rows)


def _divisors(t: str) -> object:
    a, b = whole(t)
    is_multiple = "multiple" in t or "blink" in t
    return a * b // gcd(a, b) if is_multiple else max(n for n in range(1, a + 1) if a % n == b % n == 0)


SOLVERS: dict[str, Callable[[str], object]] = {
    "sum": _sum,
    "product": lambda t: whole(t)[0] * whole(t)[1],
    "remainder": lambda t: whole(t)[0] - whole(t)[1] * (whole(t)[0] // whole(t)[1]),
    "precedence": lambda t: eval(re.findall(r"[\d(][\d +*()-]*[\d)]", t)[0]),
    "percentage": lambda t: Fraction(whole(t)[0], 100) * whole(t)[1],
    "change": _change,
    "average": lambda t: Fraction(sum(whole(t)), len(whole(t))),
    "fraction": _fraction,
    "units": _units,
    "rate": _rate,
    "sequence": _sequence,
    "divisors": _divisors,
}


@pytest.mark.parametrize("kind", sorted(SOLVERS))
def test_the_second_reckoning_agrees(kind: str, generated: Generated) -> None:
    """Ten prompts of a kind are solved from their own words by other means; each probe's assertion takes the result."""
    for probe, judge in generated(kind):
        found = SOLVERS[kind](probe.prompt)

        verdict = judge(f"The answer is {found}.")
        assert verdict.outcome == "pass", (probe.id, probe.prompt, found, verdict.reason)
