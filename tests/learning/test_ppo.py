import numpy as np
import pytest
import torch
from torch import nn

from anyskill.learning.actor_critic import ActorCritic
from anyskill.learning.errors import LearningError
from anyskill.learning.networks import MLP, GaussianPolicy, Value
from anyskill.learning.ppo import PPO, PPOConfig
from anyskill.learning.rollout import Batch


def make(config: PPOConfig, **options: object) -> tuple[ActorCritic, PPO]:
    random = torch.Generator().manual_seed(0)
    policy = GaussianPolicy(MLP(3, (16,), random), 2, -0.5, random)
    model = ActorCritic(policy, Value(MLP(3, (16,), random), random), 3)
    return model, PPO(config, model, torch.Generator().manual_seed(1), **options)  # type: ignore[arg-type]


def batch_for(model: ActorCritic, samples: int = 64) -> Batch:
    random = torch.Generator().manual_seed(2)
    observation = torch.randn(samples, 3, generator=random)
    decision = model.act(observation, generator=random, chances=torch.full((samples,), 0.7))
    advantage, returns = torch.randn(2, samples, generator=random)
    del decision["value"]
    return {"observation": observation, "advantage": advantage, "return": 3 * returns + 5, **decision}


def test_reported_losses_are_the_formulas() -> None:
    config = PPOConfig(epochs=1, minibatch_size=64)
    model, ppo = make(config)
    model.policy.head.weight.data *= 4  # some means beyond ±1
    batch = batch_for(model)
    batch["log_probability"] += 0.5 * torch.randn(64, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        mean, value = (x.double().numpy() for x in model(batch["observation"]))
    drawn = batch["stochastic"].numpy()
    sigma = np.exp(-0.5)
    action = batch["action"].double().numpy()
    log_probability = (-0.5 * ((action - mean) / sigma) ** 2 + 0.5 - 0.5 * np.log(2 * np.pi)).sum(-1)
    ratio = np.exp(log_probability - batch["log_probability"].double().numpy())
    advantage = batch["advantage"].double().numpy()
    advantage = (advantage - advantage[drawn].mean()) / (advantage[drawn].std() + 1e-5)
    surrogate = -np.minimum(ratio * advantage, np.clip(ratio, 0.8, 1.2) * advantage)
    returns = batch["return"].double().numpy()
    all_returns = np.append(returns, 0.0)  # the normaliser's first sample, of variance 1
    deviation = np.sqrt(all_returns.var() + 1 / 65 + 1e-5)
    error = value - np.clip((returns - all_returns.mean()) / deviation, -5, 5)
    bound = (np.maximum(mean - 1, 0) ** 2 + np.minimum(mean + 1, 0) ** 2).sum(-1)
    assert bound.max() > 0 and 0 < (~drawn).sum() < 40

    metrics = ppo.update(batch)

    assert metrics["loss/policy"] == pytest.approx(surrogate[drawn].mean(), rel=1e-4)
    assert metrics["loss/value"] == pytest.approx(5 * (error**2).mean(), rel=1e-4)
    assert metrics["loss/bound"] == pytest.approx(10 * bound[drawn].mean(), rel=1e-4)
    assert metrics["ppo/clip_fraction"] == pytest.approx((np.abs(ratio - 1) > 0.2)[drawn].mean(), abs=1e-6)
    assert metrics["ppo/kl"] == pytest.approx(0.0, abs=1e-6)
    expected = 1 - batch["advantage"].var().item() / batch["return"].var().item()
    assert metrics["ppo/explained_variance"] == pytest.approx(expected, rel=1e-4)


def test_one_step_is_adam_on_the_total_loss() -> None:
    model, ppo = make(PPOConfig(epochs=1, minibatch_size=64, learning_rate=1e-3))
    batch = batch_for(model)
    reference = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    metrics = ppo.update(batch)
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    norm = sum(gradient.square().sum().item() for gradient in gradients.values() if gradient is not None) ** 0.5
    assert metrics["ppo/grad_norm"] == pytest.approx(norm, rel=1e-5)
    for name, parameter in model.named_parameters():
        gradient = gradients[name]
        assert gradient is not None
        step = -1e-3 * gradient / (gradient.abs() + 1e-8)  # Adam's first step
        torch.testing.assert_close(parameter.detach() - reference[name], step, atol=1e-7, rtol=1e-3)


def test_observations_are_learnt_after_the_steps_and_returns_before() -> None:
    model, ppo = make(PPOConfig(epochs=2, minibatch_size=32))
    batch = batch_for(model)
    seen = []

    def look(minibatch: Batch) -> dict[str, torch.Tensor]:
        seen.append((model.observations.count.item(), model.returns.count.item()))
        return {}

    ppo.update(batch, look)
    assert seen == [(1.0, 65.0)] * 4
    assert model.observations.count == 65 and model.returns.count == 65


def test_extra_losses_train_other_modules() -> None:
    judge = nn.Linear(3, 1)
    model, ppo = make(PPOConfig(epochs=3, minibatch_size=32, learning_rate=1e-2), others={"judge": judge})
    before = judge.weight.detach().clone()

    def extra(minibatch: Batch) -> dict[str, torch.Tensor]:
        assert minibatch["new_mean"].requires_grad and minibatch["new_value"].requires_grad
        score = judge(minibatch["observation"])
        return {"judge": (score - 1).square().mean(), "judge_score": score.detach().mean()}

    first = ppo.update(batch_for(model), extra)
    for _ in range(20):
        last = ppo.update(batch_for(model), extra)
    assert not torch.equal(before, judge.weight)
    assert last["loss/judge"] < 0.3 * first["loss/judge"]
    assert last["judge_score"] > first["judge_score"]


def test_evaluate_may_send_gradient_into_an_encoder() -> None:
    encoder = nn.Linear(3, 3)
    model, _ = make(PPOConfig())

    def evaluate(minibatch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        minibatch["code"] = encoder(minibatch["observation"])
        return model(minibatch["code"])

    def extra(minibatch: Batch) -> dict[str, torch.Tensor]:
        return {"length": 0.1 * minibatch["code"].square().mean()}

    ppo = PPO(
        PPOConfig(epochs=1, minibatch_size=64),
        model,
        torch.Generator().manual_seed(0),
        others={"encoder": encoder},
        evaluate=evaluate,
    )
    metrics = ppo.update(batch_for(model), extra)
    assert encoder.weight.grad is not None and encoder.weight.grad.abs().sum() > 0
    assert "loss/length" in metrics


def test_gradients_of_the_policy_and_of_all_else_are_clipped_apart() -> None:
    model, ppo = make(PPOConfig(epochs=1, minibatch_size=64, max_grad_norm=0.01))
    metrics = ppo.update(batch_for(model))
    assert metrics["ppo/grad_norm"] > 0.1
    for part in (model.policy, model.critic):
        clipped = torch.cat([p.grad.flatten() for p in part.parameters() if p.grad is not None]).norm().item()
        assert clipped == pytest.approx(0.01, rel=1e-3)


def test_only_the_rates_of_what_acts_are_steered() -> None:
    others = {"encoder": nn.Linear(2, 2), "discriminator": nn.Linear(2, 2)}
    config = PPOConfig(epochs=1, minibatch_size=64, learning_rate=1e-6, kl_target=0.02)
    model, ppo = make(config, others=others, acting=("encoder",))
    ppo.update(batch_for(model))
    rates = {id(p): group["lr"] for group in ppo.optimizer.param_groups for p in group["params"]}
    for part, steered in (
        (model.policy, True), (model.critic, False), (others["encoder"], True), (others["discriminator"], False)
    ):  # fmt: skip
        assert {rates[id(p)] > 1e-6 for p in part.parameters()} == {steered}


def test_the_policy_waits_for_the_value_also_after_a_stop() -> None:
    model, ppo = make(PPOConfig(learning_rate=1e-3, epochs=1, minibatch_size=64, kl_target=0.02, warm_up=2))
    batch = batch_for(model)
    policy, value = ([p.clone() for p in part.parameters()] for part in (model.policy, model.critic))
    ppo.update(batch)
    state = ppo.state_dict()
    ppo = PPO(ppo.config, model, torch.Generator())
    ppo.load_state_dict(state)
    ppo.update(batch)
    assert all(torch.equal(old, new) for old, new in zip(policy, model.policy.parameters(), strict=True))
    assert not all(torch.equal(old, new) for old, new in zip(value, model.critic.parameters(), strict=True))
    assert ppo.learning_rate == 1e-3
    ppo.update(batch)
    assert not all(torch.equal(old, new) for old, new in zip(policy, model.policy.parameters(), strict=True))
    assert ppo.learning_rate > 1e-3


@pytest.mark.parametrize(("learning_rate", "grows"), [(1e-6, True), (9e-3, False)])
def test_the_learning_rate_follows_the_kl(learning_rate: float, grows: bool) -> None:
    model, ppo = make(PPOConfig(epochs=20, minibatch_size=64, learning_rate=learning_rate, kl_target=1e-4))
    ppo.update(batch_for(model))
    assert ppo.learning_rate > learning_rate if grows else ppo.learning_rate < learning_rate
    low, high = ppo.RATE_LIMITS
    assert low <= ppo.learning_rate <= high


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("observation", r"rollout observation: 1 of 192 numbers are NaN"),
        ("parameter", r"parameter policy_and_value.policy.head.weight: 1 of 32"),
        ("loss", r"loss odd: 1 of 1 numbers"),
        ("gradient", r"gradient of policy_and_value.policy.head.weight"),
    ],
)
def test_what_is_not_finite_is_named(spoil: str, message: str) -> None:
    model, ppo = make(PPOConfig(epochs=1, minibatch_size=64))
    batch = batch_for(model)
    extra = None
    if spoil == "observation":
        batch["observation"][5, 1] = torch.nan
    elif spoil == "parameter":
        model.policy.head.weight.data[0, 0] = torch.inf
    elif spoil == "loss":
        extra = lambda minibatch: {"odd": minibatch["new_mean"].sum() * torch.nan}  # noqa: E731
    else:  # the square root of zero: a finite loss with an infinite slope
        extra = lambda minibatch: {"root": (model.policy.head.weight * 0).abs().sum().sqrt()}  # noqa: E731
    before = model.policy.head.bias.detach().clone()
    with pytest.raises(LearningError, match=message):
        ppo.update(batch, extra)
    assert torch.equal(before, model.policy.head.bias)  # nothing was spoilt by the step


def test_the_state_is_exact() -> None:
    config = PPOConfig(epochs=2, minibatch_size=32, learning_rate=1e-3, kl_target=0.01)
    model, ppo = make(config)
    ppo.update(batch_for(model))
    other, copy = make(config)
    other.load_state_dict(model.state_dict())
    copy.load_state_dict(ppo.state_dict())
    copy.generator.set_state(ppo.generator.get_state())
    batch = batch_for(model)
    assert ppo.update(batch) == copy.update(batch)
    for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("learning_rate", 0.0, "between 0 and 1"),
        ("discount", 1.5, "from 0 to 1"),
        ("epochs", 0, "at least 1"),
        ("value_weight", -1.0, "at least 0"),
        ("kl_target", 0.0, "positive, or none"),
    ],
)
def test_settings_out_of_range_are_named(field: str, value: float, allowed: str) -> None:
    with pytest.raises(LearningError, match=rf"PPOConfig\.{field} is {value}; it must be {allowed}"):
        PPOConfig(**{field: value})  # type: ignore[arg-type]
