"""What a policy lived through: storage of a few steps of all worlds, advantages, and minibatches.

A batch is a dictionary of tensors whose first dimension is the sample. PPO uses these names:

| name | shape | meaning |
|---|---|---|
| observation | observation | before the step, not normalised |
| action, mean | action | what was done, and the policy's mean |
| log_probability | | of the action |
| value | | of the observation, in units of the return |
| stochastic | bool | whether the action was drawn, not just the mean |
| reward | | of the step |
| next_value | | of the observation after the step, before any reset |
| done | bool | whether the episode ended with the step, for any reason |
| terminated | bool | whether it ended by failure: nothing more to come, so ``next_value`` does not count |

Any other name is carried along to those who asked for it.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill.learning.errors import LearningError

Batch = dict[str, Tensor]

_ONLY_FOR_ADVANTAGES = {"reward", "value", "next_value", "done", "terminated"}


class Rollout:
    """Tensors of shape (horizon, world, …), allocated when a name is first stored and used again ever after."""

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon
        self._fields: Batch = {}

    def store(self, step: int, **values: Float[Tensor, "world ..."]) -> None:
        """Keep what belongs to one step of all worlds."""
        for name, value in values.items():
            if name not in self._fields:
                shape = (self.horizon, *value.shape)
                self._fields[name] = torch.empty(shape, dtype=value.dtype, device=value.device)
            field = self._fields[name]
            if field.shape[1:] != value.shape:
                raise LearningError(f"{name} has shape {tuple(value.shape)}, but {tuple(field.shape[1:])} before.")
            field[step] = value

    def __getitem__(self, name: str) -> Float[Tensor, "horizon world ..."]:
        return self._fields[name]

    def __setitem__(self, name: str, value: Float[Tensor, "horizon world ..."]) -> None:
        """Replace or add a whole field, such as rewards that are computed for all steps at once."""
        self._fields[name] = value

    def finish(self, discount: float, gae_lambda: float) -> Batch:
        """All samples as one batch (horizon·world, …), with ``advantage`` and ``return`` in place of what led to them.

        Args:
            discount: γ.
            gae_lambda: λ of generalised advantage estimation.
        """
        advantage = advantages(
            self["reward"],
            self["value"],
            self["next_value"],
            self["done"],
            self["terminated"],
            discount,
            gae_lambda,
        )
        fields = {name: field for name, field in self._fields.items() if name not in _ONLY_FOR_ADVANTAGES}
        fields |= {"advantage": advantage, "return": advantage + self["value"]}
        return {name: field.flatten(0, 1) for name, field in fields.items()}


def advantages(
    rewards: Float[Tensor, "horizon world"],
    values: Float[Tensor, "horizon world"],
    next_values: Float[Tensor, "horizon world"],
    done: Bool[Tensor, "horizon world"],
    terminated: Bool[Tensor, "horizon world"],
    discount: float,
    gae_lambda: float,
) -> Float[Tensor, "horizon world"]:
    """Generalised advantage estimation (Schulman et al. 2016).

    δ_t = r_t + γ V(s'_t)·(1 − terminated_t) − V(s_t) and A_t = δ_t + γλ·(1 − done_t)·A_{t+1}: an episode that ran out
    of time is worth what its last state is worth, one that failed nothing.
    """
    delta = rewards + discount * next_values * ~terminated - values
    result = torch.empty_like(delta)
    later = torch.zeros_like(delta[0])
    for step in reversed(range(len(delta))):
        later = delta[step] + discount * gae_lambda * later * ~done[step]
        result[step] = later
    return result


def minibatches(batch: Batch, size: int, generator: torch.Generator) -> Iterator[Batch]:
    """All samples once, in random order, ``size`` at a time; a remainder that does not fill a minibatch is left out.

    Raises:
        LearningError: The batch is smaller than one minibatch.
    """
    samples = len(batch["observation"])
    if samples < size:
        raise LearningError(f"minibatch_size is {size}, but an iteration has {samples} samples; it must not be larger.")
    order = torch.randperm(samples, generator=generator, device=generator.device)
    for rows in order.to(batch["observation"].device).split(size):
        if len(rows) == size:
            yield {name: field[rows] for name, field in batch.items()}
