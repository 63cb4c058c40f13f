import math

import pytest
import torch
from torch import nn

from anyskill.learning import precision
from anyskill.learning.networks import MLP, GaussianPolicy, StyleMLP, Value, linear


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_weights_are_those_of_pytorch_and_biases_zero() -> None:
    layer = linear(400, 300, random())
    assert layer.bias.eq(0).all()
    assert layer.weight.abs().max() <= 1 / 20
    assert layer.weight.std().item() == pytest.approx(nn.Linear(400, 300).weight.std().item(), rel=0.02)
    assert linear(400, 300, random(), bound=1.0).weight.abs().max() > 0.99


def test_weights_depend_on_the_given_stream_alone() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first = MLP(3, (8, 4), random(5))
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(1)
    for ours, theirs in zip(first.parameters(), MLP(3, (8, 4), random(5)).parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_an_mlp_is_what_it_says() -> None:
    net = MLP(5, (8, 4), random())
    a, b = torch.randn(7, 2), torch.randn(7, 3)
    x = torch.cat((a, b), 1)
    weight = net.state_dict()
    for layer in ("layers.0", "layers.2"):
        x = (x @ weight[f"{layer}.weight"].T + weight[f"{layer}.bias"]).clamp_min(0)
    torch.testing.assert_close(net(a, b), x)


def test_the_controller_has_the_sizes_of_calm() -> None:
    trunk = StyleMLP(223, 64, (1024, 1024, 512), random())
    policy = GaussianPolicy(trunk, 28, -2.9, random())
    shapes = [tuple(layer.weight.shape) for layer in policy.modules() if isinstance(layer, nn.Linear)]
    assert shapes == [(512, 64), (256, 512), (64, 256), (1024, 287), (1024, 1024), (512, 1024), (28, 512)]
    assert policy(torch.randn(3, 223), torch.randn(3, 64)).shape == (3, 28)
    assert trunk.style_head.weight.abs().max() > 0.9  # uniform in ±1
    latent = torch.randn(3, 64, requires_grad=True)
    policy(torch.randn(3, 223), latent).sum().backward()
    assert latent.grad is not None and latent.grad.abs().sum() > 0  # CALM trains its encoder through the policy


def test_a_style_is_shared_by_all_observations_under_its_latent() -> None:
    trunk = StyleMLP(5, 4, (8,), random())
    observation, few, number = torch.randn(6, 5), torch.randn(2, 4), torch.tensor([0, 1, 1, 0, 1, 1])
    assert torch.allclose(trunk(observation, few, number), trunk(observation, few[number]), atol=1e-6)


def test_densities_are_those_of_a_normal_distribution() -> None:
    policy = GaussianPolicy(MLP(2, (4,), random()), 3, -0.7, random()).double()
    mean, other, action = torch.randn(3, 5, 3, dtype=torch.float64)
    reference = torch.distributions.Normal(mean, math.exp(policy.log_sigma.item()))
    torch.testing.assert_close(policy.log_probability(mean, action), reference.log_prob(action).sum(-1))
    shifted = torch.distributions.Normal(other, math.exp(policy.log_sigma.item()))
    divergence = torch.distributions.kl_divergence(reference, shifted).sum(-1)
    torch.testing.assert_close(policy.kl(mean, other), divergence)


def test_samples_have_the_fixed_deviation() -> None:
    policy = GaussianPolicy(MLP(2, (4,), random()), 3, -2.9, random())
    samples = policy.sample(torch.full((20000, 3), 0.5), random())
    assert samples.mean().item() == pytest.approx(0.5, abs=0.002)
    assert samples.std().item() == pytest.approx(0.0550, abs=0.0005)
    assert not any(name.endswith("log_sigma") for name, _ in policy.named_parameters())


def test_tanh_bounds_the_mean() -> None:
    policy = GaussianPolicy(MLP(2, (4,), random()), 3, -2.9, random(), tanh=True)
    policy.head.weight.data *= 1000
    assert policy(torch.randn(50, 2)).abs().max() <= 1


def test_bf16_is_close_and_keeps_single_precision_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda _: True)  # also where it is emulated
    exact, fast = (Value(MLP(50, (64, 64), random(), bf16=bf16), random()) for bf16 in (False, True))
    x = torch.randn(100, 50, requires_grad=True)
    precise, coarse = exact(x), fast(x)
    assert coarse.dtype == torch.float32 and not torch.equal(precise, coarse)
    torch.testing.assert_close(precise, coarse, atol=0.01, rtol=0.02)
    coarse.sum().backward()
    gradients = [parameter.grad for parameter in fast.parameters()]
    assert all(gradient is not None and gradient.dtype == torch.float32 for gradient in gradients)
    inner = MLP(50, (64,), random(), bf16=True)(x.detach())
    assert torch.equal(inner, inner.bfloat16().float())  # the product really was made in bfloat16


@pytest.mark.parametrize("bf16", [False, True])
def test_a_gradient_penalty_can_be_trained(bf16: bool) -> None:
    judge = Value(MLP(20, (64, 32), random(), bf16=bf16), random(), bound=1.0)
    x = torch.randn(256, 20, generator=random(1)).requires_grad_()

    def penalty() -> torch.Tensor:
        (slope,) = torch.autograd.grad(judge(x).sum(), x, create_graph=True)
        return slope.square().sum(-1).mean()

    optimizer = torch.optim.Adam(judge.parameters(), lr=3e-3)
    before = penalty().item()
    for _ in range(50):
        optimizer.zero_grad()
        penalty().backward()
        optimizer.step()
    assert penalty().item() < 0.1 * before
