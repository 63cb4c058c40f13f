"""Numbers worked out by hand."""

import math

import pytest
import torch

from anyskill.learning.losses import clipped_surrogate, masked_mean, out_of_bounds, standardized


@pytest.mark.parametrize(
    ("ratio", "advantage", "expected", "gradient"),
    [
        (1.1, 2.0, -2.2, True),  # inside the interval
        (1.5, 2.0, -2.4, False),  # good and already more likely: clipped at 1.2
        (0.5, 2.0, -1.0, True),  # good but less likely: must come back
        (1.5, -2.0, 3.0, True),  # bad and more likely: must go
        (0.5, -2.0, 1.6, False),  # bad and already less likely: clipped at 0.8
    ],
)
def test_surrogate(ratio: float, advantage: float, expected: float, gradient: bool) -> None:
    log_ratio = torch.tensor([math.log(ratio)], dtype=torch.float64, requires_grad=True)
    loss = clipped_surrogate(log_ratio, torch.tensor([advantage], dtype=torch.float64), 0.2)
    assert loss.item() == pytest.approx(expected)
    loss.backward()
    assert log_ratio.grad is not None
    assert log_ratio.grad.item() == pytest.approx(-advantage * ratio if gradient else 0.0)


def test_out_of_bounds() -> None:
    mean = torch.tensor([[0.3, -0.9, 1.0], [1.5, -3.0, 0.0]], requires_grad=True)
    loss = out_of_bounds(mean)
    torch.testing.assert_close(loss, torch.tensor([0.0, 0.25 + 4.0]))
    loss.sum().backward()
    torch.testing.assert_close(mean.grad, torch.tensor([[0.0, 0.0, 0.0], [1.0, -4.0, 0.0]]))


def test_masked_mean() -> None:
    values = torch.tensor([1.0, torch.inf, 4.0])
    assert masked_mean(values, torch.tensor([True, False, True])).item() == 2.5
    assert masked_mean(values, torch.tensor([False, False, False])).item() == 0.0


def test_standardized_uses_selected_samples_for_all() -> None:
    values = torch.tensor([1.0, 3.0, 100.0])
    result = standardized(values, torch.tensor([True, True, False]))
    torch.testing.assert_close(result, torch.tensor([-1.0, 1.0, 98.0]), rtol=1e-4, atol=0)
    assert standardized(values, torch.zeros(3, dtype=torch.bool)).isfinite().all()
    assert standardized(torch.full((4,), 7.0), torch.ones(4, dtype=torch.bool)).abs().max() < 1e-6
