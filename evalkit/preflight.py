"""What is looked at before a target is asked anything, and what was found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from evalkit.target import Condition, Decoding, Target

Check = Literal["base", "modules", "lora_b", "tokens", "template", "ends", "system", "logits"]
Level = Literal["pass", "warn", "fail", "skip"]
OF_ADAPTERS: tuple[Check, ...] = ("base", "modules", "lora_b")
OF_MODELS: tuple[Check, ...] = ("tokens", "template", "ends", "system")
NEEDS_WEIGHTS: Check = "logits"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to, in one sentence that also says what to do.

    ``warn`` is told and goes on, ``fail`` leaves the target unasked, ``skip`` could not be or need not be looked at.
    ``is_final`` false: the check itself broke, so another run should try again.
    """

    check: Check
    level: Level
    sentence: str
    is_final: bool = True


def checks_of(target: Target) -> tuple[Check, ...]:
    """The checks that a target goes through, in their order."""
    return (*OF_ADAPTERS, *OF_MODELS, NEEDS_WEIGHTS) if target.adapters else OF_MODELS


def inspected(target: Target) -> Target:
    """The target without all that the checks do not look at: targets that are equal then are checked once."""
    return replace(
        target, condition=Condition("naked"), decoding_name="greedy", decoding=Decoding(stop=target.decoding.stop),
        role="subject",
    )  # fmt: skip


def weights_label(target: Target) -> str:
    """``demo+steady:nf4``: the target's label without condition and decoding."""
    return inspected(target).label.removesuffix(":naked:greedy")


def named(targets: Iterable[Target]) -> dict[str, Target]:
    """What is to be looked at for these targets, each once, under names that differ."""
    found: dict[str, Target] = {}
    for subject in dict.fromkeys(inspected(target) for target in targets):
        label, count = weights_label(subject), 1
        name = label
        while name in found:
            count += 1
            name = f"{label}~{count}"
        found[name] = subject
    return found


def failures(findings: Iterable[Finding]) -> tuple[str, ...]:
    """The sentences for which a target must not be asked."""
    return tuple(finding.sentence for finding in findings if finding.level == "fail")
