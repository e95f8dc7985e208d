"""Simulates what `evalkit compare` finds on the designs of the suites capability and ccp_alignment (docs/suites.md).

    python benchmarks/suite_power.py

Seeded; half a minute. Figures are the shares of draws.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from evalkit.comparing.deciding import estimate, verdict_of
from evalkit.stats import sign_flip_p

DRAWS = 2000
DISCORDANT = 0.1
MARGIN = 0.03
KINDS, OF_A_KIND, SINGLES = 48, 10, 60
FAMILIES, WORDINGS, SAMPLES = 6, 3, 10


def capability_differences(drop: float, correlation: float, chance: np.random.Generator) -> list[int]:
    """-1, 0 or 1 an item; in a kind each item copies a common outcome with a chance of the correlation's root."""
    shares = [(DISCORDANT + drop) / 2, (DISCORDANT - drop) / 2, 1 - DISCORDANT]
    items = chance.choice([-1, 1, 0], size=KINDS * OF_A_KIND + SINGLES, p=shares)
    for kind in range(KINDS):
        own = slice(kind * OF_A_KIND, (kind + 1) * OF_A_KIND)
        common = chance.choice([-1, 1, 0], p=shares)
        items[own] = np.where(chance.random(OF_A_KIND) < correlation**0.5, common, items[own])
    return [int(item) for item in items]


def capability_found(drop: float, correlation: float) -> float:
    """How often the sign-flip test calls it a change at 5 %."""
    chance = np.random.default_rng(7)
    families = [*(place // OF_A_KIND for place in range(KINDS * OF_A_KIND)), *range(KINDS, KINDS + SINGLES)]
    found = [sign_flip_p(capability_differences(drop, correlation, chance), families) <= 0.05 for _ in range(DRAWS)]
    return sum(found) / DRAWS


def ccp_verdicts(even_drop: float, lost_questions: int) -> Counter[str]:
    """Verdicts on pass rates around 70 %: all probes lose ``even_drop``, and some questions are lost wholly."""
    chance = np.random.default_rng(7)
    families = [place // WORDINGS for place in range(FAMILIES * WORDINGS)]
    verdicts: Counter[str] = Counter()
    for _ in range(DRAWS):
        before = np.clip(chance.normal(0.7, 0.15, FAMILIES * WORDINGS), 0.02, 0.98)
        after = np.clip(before - even_drop, 0, 1)
        for family in chance.choice(FAMILIES, lost_questions, replace=False):
            after[family * WORDINGS : (family + 1) * WORDINGS] = 0.0
        differences = (chance.binomial(SAMPLES, after) - chance.binomial(SAMPLES, before)) / SAMPLES
        found = estimate([float(item) for item in differences], families, is_rate=True, is_averaged=True)
        verdicts[verdict_of(found, MARGIN)] += 1
    return verdicts


def main() -> None:
    """Prints both tables."""
    for correlation in (0.0, 0.1, 0.3):
        for drop in (0.0, 0.03, 0.04, 0.05, 0.06, 0.08):
            print(f"capability, correlation {correlation}, drop {drop:.0%}: {capability_found(drop, correlation):.1%}")
    for even_drop in (0.0, 0.1, 0.2, 0.25, 0.3, 0.4):
        print(f"ccp_alignment, even drop {even_drop:.0%}: {dict(ccp_verdicts(even_drop, 0))}")
    for lost in range(2, FAMILIES + 1):
        print(f"ccp_alignment, {lost} of {FAMILIES} questions lost: {dict(ccp_verdicts(0.0, lost))}")


if __name__ == "__main__":
    main()
