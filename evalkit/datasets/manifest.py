"""What a dataset's manifest.json says: where it is from, how it was chosen, what was left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from evalkit import __version__
from evalkit.datasets.candidate import Candidate
from evalkit.datasets.selecting import Selection, Wanted
from evalkit.datasets.splitting import Split, cluster_count
from evalkit.measured import Measured
from evalkit.reporting.summary import DEMO_STAMP
from evalkit.review import Label

FORMAT = 1
_FOUND = ("only_judge", "special_tokens")
"""What of ``Wanted`` nobody chose."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The run that a dataset is of, and how its targets' answers came to be.

    ``started`` is ISO 8601 in UTC. ``command`` is what ran it, ``made_by`` what makes the dataset. ``engines`` are
    what is known of what answered, by target; ``weights`` the digests of its weights and adapters.
    """

    run: str
    started: str
    command: tuple[str, ...]
    made_by: tuple[str, ...]
    engines: Mapping[str, Sequence[Mapping[str, str]]]
    weights: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Made:
    """Everything that a dataset was made from and of."""

    origin: Origin
    candidates: tuple[Candidate, ...]
    labels: Mapping[str, Label]
    wanted: Wanted
    selection: Selection
    split: Split
    share: float
    seed: int

    @property
    def is_demo(self) -> bool:
        return any(candidate.record.is_demo for candidate in self.candidates)

    @property
    def keep_rate(self) -> float:
        return len(self.selection.kept) / len(self.candidates)

    @property
    def mean_score(self) -> float | None:
        """Of what is kept and has a score by the one judge that decides what is best; None where there is none."""
        judge = self.wanted.ranking_judge
        return None if judge is None else _mean(_scores(self.selection.kept, judge))


def manifest(made: Made, files: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Plain values, ready for JSON; the same run, labels and command give the same."""
    sides = {"train": made.split.train, "valid": made.split.valid}
    wanted = {name: value for name, value in asdict(made.wanted).items() if name not in _FOUND}
    return {
        "format": FORMAT,
        "evalkit": __version__,
        "stamp": DEMO_STAMP if made.is_demo else "",
        "run": made.origin.run,
        "started": made.origin.started,
        "command": list(made.origin.command),
        "made_by": list(made.origin.made_by),
        "settings": {**wanted, "min_scores": dict(made.wanted.min_scores), "validation": made.share, "seed": made.seed},
        "generated": len(made.candidates),
        "approved": made.selection.approved,
        "kept": len(made.selection.kept),
        "keep_rate": made.keep_rate,
        "left_out": dict(sorted(made.selection.left_out.items(), key=lambda item: (-item[1], item[0]))),
        "score": {"judge": made.wanted.ranking_judge, "mean": made.mean_score},
        "split": {
            side: {"transcripts": len(members), "clusters": cluster_count(members)} for side, members in sides.items()
        },
        "judges": _judges(made.candidates),
        "labels": _labels(made),
        "targets": _targets(made),
        "probes": _probes(made),
        "files": {name: dict(facts) for name, facts in files.items()},
    }


def _judges(candidates: Iterable[Candidate]) -> dict[str, list[str]]:
    """Every judge's hashes: several where probes give it settings of their own."""
    found: dict[str, set[str]] = {}
    for candidate in candidates:
        measured = Measured.of(candidate.record)
        for judge, value in (*measured.judges.items(), *measured.optional_judges.items()):
            found.setdefault(judge, set()).add(value)
    return {judge: sorted(found[judge]) for judge in sorted(found)}


def _labels(made: Made) -> dict[str, Any]:
    """How many of the kept transcripts people labelled, and who."""
    own = [made.labels[item.text_hash] for item in made.selection.kept if item.text_hash in made.labels]
    return {"kept_labelled": len(own), "reviewers": sorted({label.reviewer for label in own})}


def _targets(made: Made) -> dict[str, dict[str, Any]]:
    names = sorted({candidate.record.target for candidate in made.candidates})
    return {
        name: {
            "generated": sum(candidate.record.target == name for candidate in made.candidates),
            "kept": sum(candidate.record.target == name for candidate in made.selection.kept),
            "weights": dict(made.origin.weights.get(name, {})),
            "engines": [dict(sorted(facts.items())) for facts in made.origin.engines.get(name, ())],
        }
        for name in names
    }


def _probes(made: Made) -> dict[str, dict[str, Any]]:
    """Of each probe how many answers, how many are kept, and the best score of either."""
    judge = made.wanted.ranking_judge
    found: dict[str, dict[str, Any]] = {}
    for column, items in (("generated", made.candidates), ("kept", made.selection.kept)):
        groups: dict[str, list[Candidate]] = {}
        for item in items:
            groups.setdefault(item.probe, []).append(item)
        for probe, own in groups.items():
            row = found.setdefault(probe, {"generated": 0, "best_generated": None, "kept": 0, "best_kept": None})
            row[column] = len(own)
            row[f"best_{column}"] = max(_scores(own, judge), default=None)
    return {probe: found[probe] for probe in sorted(found)}


def _scores(candidates: Iterable[Candidate], judge: str | None) -> list[float]:
    return [score for candidate in candidates if (score := candidate.score(judge)) is not None]


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
