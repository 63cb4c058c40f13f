"""Means and intervals, against values worked out by hand or by scipy."""

import pytest
import torch
from scipy import stats

from anyskill.evaluate.estimates import Estimate, estimate, ratio


def test_an_interval_is_students_t_over_the_means_of_sentences() -> None:
    values = {"a": [0.0, 2.0], "b": [2.0, 2.0, 2.0], "c": [3.0]}  # means 1, 2, 3: standard error 1/√3
    found = estimate(values)
    assert found.mean == pytest.approx(2.0)
    assert found.high == pytest.approx(2.0 + 4.302653 / 3**0.5, abs=1e-6)  # t of 2 degrees of freedom, from a table
    assert found.low == pytest.approx(2.0 - 4.302653 / 3**0.5, abs=1e-6)


def test_with_a_single_sentence_it_is_over_seeds() -> None:
    runs = [0.2, 0.4, 0.9]
    low, high = stats.t.interval(0.95, 2, loc=0.5, scale=stats.sem(runs))
    found = estimate({"a": runs})
    assert (found.mean, found.low, found.high) == pytest.approx((0.5, low, high))


def test_seeds_of_one_sentence_do_not_narrow_it() -> None:
    once = estimate({"a": [0.25], "b": [0.5], "c": [1.0]})
    assert estimate({"a": [0.25] * 8, "b": [0.5] * 8, "c": [1.0] * 8}) == once


def test_shares_stay_shares_and_a_single_run_has_no_interval() -> None:
    found = estimate({"a": [1.0], "b": [0.6]}, (0.0, 1.0))
    assert found.high == 1.0
    assert found.low == 0.0
    assert estimate({"a": [0.7]}) == Estimate(0.7)


def test_it_holds_the_truth_19_times_of_20() -> None:
    """Sentences differ, and their seeds resemble each other: the very case that pooling all runs gets wrong."""
    draws = torch.Generator().manual_seed(0)
    hits = 0
    for _ in range(1000):
        own = torch.randn(8, 1, generator=draws)
        runs = own + 0.1 * torch.randn(8, 3, generator=draws)
        found = estimate({str(row): values for row, values in enumerate(runs.tolist())})
        hits += found.low <= 0.0 <= found.high
    assert 930 <= hits <= 970


def test_a_ratio_is_over_shared_sentences() -> None:
    found = ratio({"a": [0.4], "b": [0.2, 0.4], "x": [0.0]}, {"a": [0.8], "b": [0.6], "y": [1.0]})
    assert found is not None
    assert found.mean == pytest.approx((0.4 + 0.3) / (0.8 + 0.6))
    assert found.low is not None
    assert found.high is not None
    assert 0.5 - 1e-9 <= found.low <= found.mean <= found.high <= 0.5 + 1e-9


def test_a_ratios_interval_is_that_of_resampling() -> None:
    above = {str(n): [value] for n, value in enumerate([0.0, 1.0] * 10)}
    found = ratio(above, {name: [1.0] for name in above})
    assert found is not None
    binomial = stats.binom(20, 0.5)  # of 20 draws, how many are a 1
    assert (found.low, found.high) == pytest.approx((binomial.ppf(0.025) / 20, binomial.ppf(0.975) / 20))


def test_there_is_no_ratio_to_nothing() -> None:
    assert ratio({"a": [0.5]}, {"b": [0.5]}) is None
    assert ratio({"a": [0.5]}, {"a": [0.0]}) is None
    assert ratio({"a": [0.25]}, {"a": [0.5]}) == Estimate(0.5)
