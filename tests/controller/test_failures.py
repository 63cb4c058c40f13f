"""How soon clips are lost."""

import math

import pytest
import torch

from anyskill.controller.failures import FailureRates
from tests.controller.made_up import library


def test_failure_rates_count_time_and_not_attempts() -> None:
    """Lost every 30 steps or every 120 steps: the chance to be lost within 60 differs, however attempts end."""
    rates, clip = FailureRates(library()), torch.tensor([0, 1]).repeat_interleave(8)
    nobody = torch.zeros(16, dtype=torch.bool)
    for _ in range(40):
        for step in range(1, 121):
            failed = clip.eq(0) & (step % 30 == 0) | (step == 120)
            rates.note(clip, failed, failed)
    assert rates.rate[:2].tolist() == pytest.approx([1 - math.exp(-2), 1 - math.exp(-0.5)], abs=1e-3)
    for _ in range(2000):
        rates.note(clip, nobody, ~nobody)
    assert rates.rate[:2].max() < 1e-3
    assert rates.rate[2] == pytest.approx(1 - math.exp(-0.7))
