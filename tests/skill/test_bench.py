"""``anyskill bench skill``: rates of whole iterations beside bare physics, and shares that make up their time."""

import pytest

from anyskill.bench import run_cases
from anyskill.skill import bench


def test_rates_and_what_they_are_made_of() -> None:
    results = {result.case: result for result in run_cases(bench.cases(quick=True), seconds=0.1)}
    assert [name for name in results if ":" not in name] == ["fast", "paper"]
    for name in ("fast", "paper"):
        shares = [result.value for case, result in results.items() if result.unit == "% of the time" and name in case]
        assert len(shares) == 3 and min(shares) > 0 and sum(shares) == pytest.approx(100)
        ratio = results[name].ratio
        assert results[name].unit == "control steps/s"
        assert ratio is None or 0 < ratio < 1
    assert results["paper: size"].value > 5 * results["fast: size"].value
