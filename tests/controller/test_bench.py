"""``anyskill bench pretrain``: rates of whole iterations, and shares of phases that make up all of their time."""

import pytest

from anyskill.bench import run_cases
from anyskill.controller import bench
from anyskill.motion.dataset import Dataset, Motion
from tests.controller.made_up import arm_clip


def test_rates_and_what_they_are_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = Dataset((Motion(arm_clip("right arm", 7, -1.5)), Motion(arm_clip("left arm", 11, -1.5))))
    monkeypatch.setattr(bench, "authored_dataset", lambda: dataset)
    results = {result.case: result for result in run_cases(bench.cases(quick=True), seconds=0.1)}
    trainers = [name for name in results if ":" not in name]
    assert trainers[:4] == ["CALM, fast", "teacher", "teacher of rising", "student"]
    for name in trainers:
        shares = [r.value for case, r in results.items() if case.startswith(f"{name}:") and r.unit == "% of the time"]
        assert results[f"{name}: size"].value > 1e5
        assert sum(shares) == pytest.approx(100)
        assert min(shares) > 0
        assert results[name].ratio is None or 0 < results[name].ratio < 1
