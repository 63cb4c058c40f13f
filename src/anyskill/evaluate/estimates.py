"""Means with 95 % intervals over sentences and seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from statistics import fmean, stdev

import torch
from scipy.stats import t as student

LEVEL = 0.95
HOW = (
    "Means are over sentences, each first averaged over its seeds. Intervals (95 %) are Student's t over these "
    "averages, one a sentence, because seeds of one sentence resemble each other; with a single sentence they are over "
    "its seeds. One without width says that all went alike, not that nothing is uncertain. Differences are paired: "
    "only runs of the same sentence and seed are compared."
)
"""For readers of a table."""

DRAWS = 10_000  # of a bootstrap


@dataclass(frozen=True)
class Estimate:
    """A mean, and between what it may lie; without bounds where there was a single run."""

    mean: float
    low: float | None = None
    high: float | None = None


def estimate(values: Mapping[str, Sequence[float]], within: tuple[float, float] = (-inf, inf)) -> Estimate:
    """Mean over sentences with an interval, as ``HOW`` says.

    Args:
        values: Of each sentence, one a seed; none is empty.
        within: Where the mean can be at all, and so can the bounds.
    """
    means = [fmean(runs) for runs in values.values()]
    sample = means if len(means) > 1 else list(next(iter(values.values())))
    mean = fmean(sample)
    if len(sample) < 2:
        return Estimate(mean)
    half = float(student.ppf((1 + LEVEL) / 2, len(sample) - 1)) * stdev(sample) / len(sample) ** 0.5
    return Estimate(mean, max(mean - half, within[0]), min(mean + half, within[1]))


def ratio(above: Mapping[str, Sequence[float]], below: Mapping[str, Sequence[float]]) -> Estimate | None:
    """Ratio of two means over the sentences that both have; None where the lower mean is 0, or nothing is shared.

    The interval is the middle 95 % of the ratio when sentences are drawn with replacement (bootstrap).
    """
    shared = [name for name in above if name in below]
    pairs = torch.tensor([(fmean(above[name]), fmean(below[name])) for name in shared], dtype=torch.float64)
    if not shared or float(pairs[:, 1].sum()) == 0:
        return None
    mean = float(pairs[:, 0].mean() / pairs[:, 1].mean())
    if len(shared) < 2:
        return Estimate(mean)
    rows = torch.randint(len(pairs), (DRAWS, len(pairs)), generator=torch.Generator().manual_seed(0))
    means = pairs[rows].mean(1)
    means = means[means[:, 1] > 0]
    low, high = (means[:, 0] / means[:, 1]).quantile(
        torch.tensor([(1 - LEVEL) / 2, (1 + LEVEL) / 2], dtype=torch.float64)
    )
    return Estimate(mean, float(low), float(high))
