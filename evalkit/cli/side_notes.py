"""What a reader of a comparison must know of its sides: demo model, other engines, the noise floor."""

from __future__ import annotations

from evalkit.cli.sides import Group, Source
from evalkit.comparing import Comparison
from evalkit.comparing.sentences import signed
from evalkit.reporting.summary import DEMO_STAMP
from evalkit.stats import percent


def group_notes(group: Group) -> list[str]:
    """Notes on all sides of a group."""
    notes = [DEMO_STAMP] if any(trial.is_demo for side in group.sides for trial in side.trials) else []
    first, before = group.sides[0], _facts(group.sources[0], group.sides[0].trials[0].target)
    for side, source in zip(group.sides[1:], group.sources[1:], strict=True):
        after = _facts(source, side.trials[0].target)
        for name in sorted(before.keys() & after.keys()):
            if before[name] != after[name]:
                where = "" if first.name == side.name else f" ({side.name})"
                notes.append(f"answered by another engine: {name} {before[name]} before, {after[name]} after{where}")
    return notes


def noise_note(group: Group, found: Comparison) -> list[str]:
    """Whether a change of the pass rate is no larger than what the set-up does by itself, where that was measured."""
    shown = found.shown
    floors = [source.noise for source in group.sources if source.noise is not None and source.noise.rate is not None]
    if found.metric != "pass_rate" or shown.delta is None or not floors:
        return []
    worst = max(floors, key=lambda floor: floor.rate or 0.0)
    flips = f"{percent(worst.rate)} of verdicts flip by themselves ({worst.flips} of {worst.trials} asked again)"
    if not worst.rate or abs(shown.delta) > worst.rate:
        return [f"noise floor: {flips}"]
    return [f"the change of {signed('pass_rate', shown.delta)} points is below the noise floor: {flips}"]


def _facts(source: Source, target: str) -> dict[str, str]:
    """What is known of a target's engine; several values of a fact are joined."""
    found: dict[str, dict[str, None]] = {}
    for facts in source.engines.get(target, ()):
        for name, value in facts.items():
            found.setdefault(name, {})[value] = None
    return {name: " and ".join(values) for name, values in found.items()}
