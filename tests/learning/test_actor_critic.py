import math

import pytest
import torch

from anyskill.learning.actor_critic import ActorCritic, exploration_chances
from anyskill.learning.networks import MLP, GaussianPolicy, StyleMLP, Value


def make(*, latent: int = 0, bf16: bool = False) -> ActorCritic:
    random = torch.Generator().manual_seed(0)
    trunk = StyleMLP(6, latent, (32,), random, bf16=bf16) if latent else MLP(6, (32, 32), random, bf16=bf16)
    critic = Value(MLP(6 + latent, (32,), random, bf16=bf16), random)
    return ActorCritic(GaussianPolicy(trunk, 2, -2.9, random), critic, 6)


def test_exploration_chances_of_five_worlds() -> None:
    expected = [1 - math.exp(10 * (i / 4 - 1)) for i in range(5)]
    assert expected == pytest.approx([0.99995, 0.99945, 0.99326, 0.91792, 0.0], abs=1e-5)
    assert exploration_chances(5).tolist() == pytest.approx(expected, abs=1e-6)
    assert exploration_chances(1).item() == pytest.approx(1.0, abs=1e-4)  # a world alone explores


def test_worlds_that_do_not_explore_take_the_mean() -> None:
    model = make()
    decision = model.act(
        torch.randn(1000, 6), generator=torch.Generator().manual_seed(0), chances=torch.linspace(0, 1, 1000)
    )
    drawn = decision["stochastic"]
    assert 420 < drawn.sum() < 580 and not drawn[0]
    same = (decision["action"] == decision["mean"]).all(-1)
    assert torch.equal(same, ~drawn)
    assert model.act(torch.randn(50, 6), generator=torch.Generator())["stochastic"].all()


def test_values_are_in_units_of_the_return() -> None:
    model = make()
    model.returns.mean.fill_(100.0)
    model.returns.variance.fill_(4.0)
    observation = torch.randn(8, 6)
    _, scaled = model(observation)
    torch.testing.assert_close(model.value(observation), 100 + 2 * scaled.detach(), rtol=1e-4, atol=1e-4)
    decision = model.act(observation, generator=torch.Generator())
    torch.testing.assert_close(decision["value"], model.value(observation))


def test_only_observations_are_normalized() -> None:
    model = make(latent=4)
    model.observations.mean.fill_(3.0)
    observation, latent = torch.randn(5, 6), 10 * torch.randn(5, 4)
    mean, _ = model(observation, latent)
    torch.testing.assert_close(mean, model.policy(model.observations(observation), latent))
    torch.testing.assert_close(mean, model.mean(observation, latent))


@pytest.mark.parametrize("bf16", [False, True])
def test_the_same_policy_acts_and_is_improved(bf16: bool) -> None:
    model = make(bf16=bf16)
    observation = torch.randn(4096, 6)
    decision = model.act(observation, generator=torch.Generator())
    mean, _ = model(observation[:500])  # another batch size may take another kernel
    log_probability = model.policy.log_probability(mean, decision["action"][:500])
    assert (log_probability - decision["log_probability"][:500]).abs().max() < 0.01
