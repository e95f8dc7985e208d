"""Formulas for rates, differences and scores, and how sure one can be of them."""

from __future__ import annotations

from evalkit.stats.clustered import (
    ClusterMean,
    cluster_bootstrap_interval,
    cluster_difference_interval,
    cluster_interval,
)  # fmt: skip
from evalkit.stats.multiple import holm
from evalkit.stats.paired import mcnemar_chi_square, mcnemar_p, tango_interval
from evalkit.stats.permutation import sign_flip_p
from evalkit.stats.power import minimum_detectable_difference, pairs_needed
from evalkit.stats.rates import Interval, clopper_pearson_interval, percent, quantile, wilson_interval
from evalkit.stats.repeats import TwoLevelMean, fleiss_kappa, flip_rate, pass_at_k, pass_hat_k, two_level_mean
from evalkit.stats.scores import PairedScores, mean_interval, paired_score_test, sign_test_p

__all__ = [
    "ClusterMean", "Interval", "PairedScores", "TwoLevelMean", "clopper_pearson_interval",
    "cluster_bootstrap_interval", "cluster_difference_interval", "cluster_interval", "fleiss_kappa", "flip_rate",
    "holm", "mcnemar_chi_square", "mcnemar_p", "mean_interval", "minimum_detectable_difference", "paired_score_test",
    "pairs_needed", "pass_at_k", "pass_hat_k", "percent", "quantile", "sign_flip_p", "sign_test_p", "tango_interval",
    "two_level_mean", "wilson_interval",
]  # fmt: skip
