"""What is compared: one number of each trial, with the one definition of which trials it leaves out."""

from __future__ import annotations

from typing import Literal, get_args

from evalkit.measured import Measured

Metric = Literal[
    "pass_rate", "collapse_rate", "fabrication_rate", "over_refusal_rate", "unscored_rate", "error_rate", "mean_score",
]  # fmt: skip
METRICS: tuple[Metric, ...] = get_args(Metric)
MORE_IS_WORSE = frozenset(METRICS) - {"pass_rate", "mean_score"}
RATE_MARGIN = 0.03
SCORE_MARGIN = 0.5
"""Half a point of score: what ``score_deltas`` calls a change of a probe's score."""


def words_of(metric: Metric) -> str:
    """``over-refusal rate``."""
    return "over-refusal rate" if metric == "over_refusal_rate" else metric.replace("_", " ")


def default_margin(metric: Metric) -> float:
    """Three points of a rate, half a point of a score."""
    return SCORE_MARGIN if metric == "mean_score" else RATE_MARGIN


def value_of(trial: Measured, metric: Metric, judge: str | None = None) -> float | None:
    """The trial's number, None where the metric leaves it out.

    Passes divide by scored trials; collapses, fabrications, over-refusals and unscored ones by those that were
    answered; errors by all. A score is ``judge``'s, or the first that a required judge gave.
    """
    if metric == "error_rate":
        return float(trial.outcome == "error")
    if metric == "pass_rate":
        return float(trial.outcome == "pass") if trial.outcome in ("pass", "fail") else None
    if metric == "mean_score":
        name = scoring_judge(trial, judge)
        return None if name is None else trial.scores[name]
    if trial.outcome == "error":
        return None
    if metric == "unscored_rate":
        return float(trial.outcome == "unscored")
    claims = {
        "collapse_rate": trial.collapsed,
        "fabrication_rate": trial.fabricated,
        "over_refusal_rate": trial.over_refusal,
    }
    return float(claims[metric])


def scoring_judge(trial: Measured, judge: str | None) -> str | None:
    """Whose score counts for this trial: ``judge``'s, or that of the first required one; None where it has none."""
    if judge is not None:
        return judge if judge in trial.scores else None
    return next((name for name in trial.scores if name in trial.judges), None)


def judges_of(trial: Measured, metric: Metric, judge: str | None = None) -> dict[str, str]:
    """The hashes of the judges that this trial's number depends on."""
    if metric == "error_rate" or value_of(trial, metric, judge) is None:
        return {}
    if metric == "mean_score":
        name = scoring_judge(trial, judge)
        return {} if name is None else {name: trial.judges.get(name, trial.optional_judges.get(name, ""))}
    return dict(trial.judges)
