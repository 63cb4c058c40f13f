import pytest
import torch

from anyskill.learning.errors import LearningError
from anyskill.learning.rollout import Rollout, advantages, minibatches


def slow_advantages(rewards, values, next_values, done, terminated, discount, trace):  # type: ignore[no-untyped-def]
    """Σ_k (γλ)^k δ_{t+k}, up to and including the step that ends the episode, summed from scratch for every sample."""
    horizon, worlds = rewards.shape
    result = torch.zeros(horizon, worlds, dtype=torch.float64)
    for world in range(worlds):
        for start in range(horizon):
            for step in range(start, horizon):
                future = 0.0 if terminated[step, world] else next_values[step, world]
                delta = rewards[step, world] + discount * future - values[step, world]
                result[start, world] += (discount * trace) ** (step - start) * delta
                if done[step, world]:
                    break
    return result


def test_advantages_against_the_definition() -> None:
    random = torch.Generator().manual_seed(0)
    rewards, values, next_values = torch.randn(3, 12, 6, generator=random, dtype=torch.float64)
    done = torch.rand(12, 6, generator=random) < 0.3
    terminated = done & (torch.rand(12, 6, generator=random) < 0.5)
    assert (done & ~terminated).any() and terminated.any()
    arguments = (rewards, values, next_values, done, terminated, 0.9, 0.8)
    torch.testing.assert_close(advantages(*arguments), slow_advantages(*arguments))


def test_a_timeout_counts_what_would_have_come_and_a_fall_does_not() -> None:
    one = torch.ones(1, 2)
    ended = torch.tensor([[True, True]])
    fell = torch.tensor([[False, True]])
    result = advantages(one, 2 * one, 10 * one, ended, fell, 0.9, 0.95)
    torch.testing.assert_close(result, torch.tensor([[1 + 9 - 2.0, 1 - 2.0]]))


def filled() -> Rollout:
    rollout = Rollout(3)
    for step in range(3):
        numbers = 10.0 * step + torch.arange(2.0)
        rollout.store(
            step,
            observation=numbers[:, None],
            reward=numbers,
            value=torch.zeros(2),
            next_value=torch.zeros(2),
            done=torch.ones(2, dtype=torch.bool),
            terminated=torch.ones(2, dtype=torch.bool),
            clip=torch.tensor([step, -step]),
        )
    return rollout


def test_a_rollout_becomes_a_batch() -> None:
    batch = filled().finish(0.99, 0.95)
    assert batch.keys() == {"observation", "clip", "advantage", "return"}
    assert batch["observation"].flatten().tolist() == [0, 1, 10, 11, 20, 21]
    assert batch["clip"].tolist() == [0, 0, 1, -1, 2, -2] and batch["clip"].dtype == torch.long
    assert batch["return"].tolist() == [0, 1, 10, 11, 20, 21]  # every episode ends at once: the reward


def test_storage_is_used_again() -> None:
    rollout = filled()
    address = rollout["reward"].data_ptr()
    rollout.store(0, reward=torch.tensor([5.0, 6.0]))
    assert rollout["reward"].data_ptr() == address
    assert rollout["reward"][0].tolist() == [5, 6]
    with pytest.raises(LearningError, match=r"reward has shape \(1,\), but \(2,\) before"):
        rollout.store(1, reward=torch.tensor([1.0]))


def test_minibatches_are_a_permutation() -> None:
    batch = {"observation": torch.arange(10), "twice": 2 * torch.arange(10)}
    parts = list(minibatches(batch, 3, torch.Generator().manual_seed(0)))
    assert [len(part["observation"]) for part in parts] == [3, 3, 3]
    seen = torch.cat([part["observation"] for part in parts])
    assert len(set(seen.tolist())) == 9 and seen.tolist() != sorted(seen.tolist())
    assert torch.equal(torch.cat([part["twice"] for part in parts]), 2 * seen)
    again = torch.cat([p["observation"] for p in minibatches(batch, 3, torch.Generator().manual_seed(0))])
    assert torch.equal(seen, again)
    with pytest.raises(LearningError, match="minibatch_size is 11, but an iteration has 10 samples"):
        next(minibatches(batch, 11, torch.Generator()))
