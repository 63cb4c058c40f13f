"""A policy and a value with the statistics both need: what PPO trains."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from anyskill.learning.networks import GaussianPolicy, Value
from anyskill.learning.normalizer import RunningNormalizer
from anyskill.learning.rollout import Batch


class ActorCritic(nn.Module):
    """Policy and value of the same inputs: an observation, which is normalised, and whatever else, which is not.

    The value network works in units of normalised returns; ``value`` and ``act`` give values in units of the return.
    """

    def __init__(self, policy: GaussianPolicy, critic: Value, observation: int) -> None:
        super().__init__()
        self.policy, self.critic = policy, critic
        self.observations = RunningNormalizer(observation)
        self.returns = RunningNormalizer(())

    def forward(
        self, observation: Float[Tensor, "*batch observation"], *others: Float[Tensor, "*batch _"]
    ) -> tuple[Float[Tensor, "*batch action"], Float[Tensor, "*batch"]]:
        """Mean action and normalised value."""
        scaled = self.observations(observation)
        return self.policy(scaled, *others), self.critic(scaled, *others)

    def mean(self, observation: Float[Tensor, "*batch observation"], *others: Float[Tensor, "*batch _"]) -> Tensor:
        """The mean action alone."""
        return self.policy(self.observations(observation), *others)

    @torch.no_grad()
    def value(self, observation: Float[Tensor, "*batch observation"], *others: Float[Tensor, "*batch _"]) -> Tensor:
        """The value in units of the return."""
        return self.returns.denormalize(self.critic(self.observations(observation), *others))

    @torch.no_grad()
    def act(
        self,
        observation: Float[Tensor, "world observation"],
        *others: Float[Tensor, "world _"],
        generator: torch.Generator,
        chances: Float[Tensor, "world"] | None = None,
    ) -> Batch:
        """What to store of a decision: ``action``, ``mean``, ``log_probability``, ``value`` and ``stochastic``.

        Args:
            observation: As the environment gives it.
            others: Further inputs, such as latents.
            generator: Draws actions.
            chances: Probability that a world's action is drawn and not the mean (``exploration_chances``); by
                default all are drawn.
        """
        mean, value = self(observation, *others)
        drawn = torch.ones(len(mean), dtype=torch.bool, device=mean.device)
        if chances is not None:
            drawn = torch.rand(len(mean), generator=generator, device=mean.device) < chances
        action = torch.where(drawn[:, None], self.policy.sample(mean, generator), mean)
        return {
            "action": action,
            "mean": mean,
            "log_probability": self.policy.log_probability(mean, action),
            "value": self.returns.denormalize(value),
            "stochastic": drawn,
        }


def exploration_chances(worlds: int, device: torch.device | str = "cpu") -> Float[Tensor, "world"]:
    """ε-greedy exploration of ASE and CALM: world i of N draws its action with p_i = 1 − exp(10·(i/(N−1) − 1)).

    Most worlds nearly always explore, the last one never: discriminators get to see the mean actions too.
    """
    return 1.0 - torch.exp(10.0 * (torch.linspace(0.0, 1.0, worlds, device=device) - 1.0))
