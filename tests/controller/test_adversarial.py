"""Adversarial losses and rewards against their definitions in float64."""

import math

import numpy as np
import pytest
import torch

from anyskill.controller import adversarial
from anyskill.controller.ase import diversity_loss
from anyskill.controller.calm import alignment_loss, uniformity_loss


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


AGENT, DEMO, OTHER = ([-1.5, 0.2, 3.0], [2.0, -0.7], [0.4, -2.2, 1.1, 0.0])


def tensors() -> list[torch.Tensor]:
    return [torch.tensor(x, dtype=torch.float64) for x in (AGENT, DEMO, OTHER)]


def test_imitation_reward() -> None:
    expected = [-math.log(1 - sigmoid(x)) for x in AGENT]
    np.testing.assert_allclose(adversarial.imitation_reward(tensors()[0]), expected)
    surest = adversarial.imitation_reward(torch.tensor([50.0, 500.0]))
    np.testing.assert_allclose(surest, -math.log(1e-4), rtol=1e-4)


def test_binary_loss_is_the_cross_entropy() -> None:
    agent, demo, _ = tensors()
    expected = 0.5 * (
        np.mean([-math.log(1 - sigmoid(x)) for x in AGENT]) + np.mean([-math.log(sigmoid(x)) for x in DEMO])
    )
    assert adversarial.binary_loss(agent, demo).item() == pytest.approx(expected)


def test_ternary_loss_has_the_three_terms_of_the_equation() -> None:
    expected = (
        np.mean([-math.log(1 - sigmoid(x)) for x in AGENT])
        + np.mean([-math.log(sigmoid(x)) for x in DEMO])
        + np.mean([-math.log(1 - sigmoid(x)) for x in OTHER])
    )
    assert adversarial.ternary_loss(*tensors()).item() == pytest.approx(expected)


def test_gradient_penalty_of_a_quadratic() -> None:
    """ℓ = xᵀAx has ∇ℓ = (A + Aᵀ)x; the penalty is the mean squared length and can itself be differentiated."""
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(6, 6, dtype=torch.float64, generator=generator, requires_grad=True)
    x = torch.randn(5, 2, 3, dtype=torch.float64, generator=generator, requires_grad=True)
    flat = x.flatten(1)
    penalty = adversarial.gradient_penalty((flat @ matrix * flat).sum(-1), x)
    with torch.no_grad():
        expected = (flat @ (matrix + matrix.T)).square().sum(-1).mean()
    assert penalty.item() == pytest.approx(expected.item())
    (gradient,) = torch.autograd.grad(penalty, matrix)
    closed = 4 * (matrix + matrix.T).detach() @ (flat.T @ flat).detach() / 5
    np.testing.assert_allclose(gradient, (closed + closed.T) / 2, atol=1e-9)


def test_weight_decay_counts_weights_of_linear_layers_only() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    expected = sum(float((layer.weight.detach() ** 2).sum()) for layer in (network[0], network[2]))
    assert adversarial.weight_decay(network).item() == pytest.approx(expected)


def test_alignment_and_uniformity() -> None:
    a = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    b = torch.tensor([[0.0, 1.0], [0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    assert alignment_loss(a, b).item() == pytest.approx(2 / 3)
    # Squared distances of the three pairs: 2, 4, 2.
    assert uniformity_loss(a).item() == pytest.approx(math.log((2 * math.exp(-4) + math.exp(-8)) / 3))
    together = torch.zeros(4, 2, dtype=torch.float64)
    assert uniformity_loss(together).item() == pytest.approx(0.0)


def test_diversity_loss_by_hand() -> None:
    mean = torch.tensor([[0.5, 2.0], [0.0, 0.0]], dtype=torch.float64)
    other = torch.tensor([[-0.5, 0.0], [9.0, 9.0]], dtype=torch.float64)
    z = torch.tensor([[1.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    z_other = torch.tensor([[0.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    # Clamped actions differ by (1, 1): d_a = 1, d_z = 0.5; the second sample is masked out.
    loss = diversity_loss(mean, other, z, z_other, torch.tensor([True, False]))
    assert loss.item() == pytest.approx((1 - 1 / (0.5 + 1e-5)) ** 2)
