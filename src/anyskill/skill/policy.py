"""High-level policies: which latent to follow next, by π(z|s), by π(z|s, text), or one latent after the other."""

from collections.abc import Sequence
from typing import Protocol, Self

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import normalize

from anyskill.body.observation import policy_observation
from anyskill.body.state import BodyState
from anyskill.learning.actor_critic import ActorCritic
from anyskill.learning.networks import MLP, GaussianPolicy, Value

WARM = 0.5  # root mean square of a mean action that points to a latent: well within ±1, and five times σ = 0.1


def make_actor_critic(
    observation: int,
    text: int,
    latent: int,
    units: Sequence[int],
    log_sigma: float,
    generator: torch.Generator,
    *,
    bf16: bool = False,
) -> ActorCritic:
    """Separate MLPs for policy and value on the observation and, if ``text`` is not 0, on ``text_input``.

    Actions are directions in the space of latents: only ``to_latent`` of one is ever used, as in the paper.
    """
    policy = GaussianPolicy(MLP(observation + text, units, generator, bf16=bf16), latent, log_sigma, generator)
    critic = Value(MLP(observation + text, units, generator, bf16=bf16), generator)
    return ActorCritic(policy, critic, observation)


def to_latent(action: Float[Tensor, "*batch latent"]) -> Float[Tensor, "*batch latent"]:
    """z = a / ‖a‖₂: outputs of the policy on the unit sphere of latents."""
    return normalize(action, dim=-1)


def text_input(feature: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
    """A sentence's unit-length feature, scaled to numbers of about one like the other inputs.

    It is not normalised by what was seen in training: few sentences say little about how features vary, and new ones
    shall not end up clamped.
    """
    return feature * feature.shape[-1] ** 0.5


def imitate(
    model: ActorCritic,
    inputs: Sequence[Float[Tensor, "sample _"]],
    latent: Float[Tensor, "sample latent"],
    generator: torch.Generator,
    *,
    steps: int = 300,
    minibatch: int = 512,
    rate: float = 1e-3,
) -> float:
    """Let a policy begin with what searches found, by regression: latents where they were followed.

    Args:
        model: Its policy is changed, and the statistics of its observations.
        inputs: Of the policy: observations, and ``text_input`` of the sentences in force if there are several.
        latent: What was followed, of unit length.
        generator: Draws minibatches.
        steps: Of Adam.
        minibatch: Samples a step.
        rate: Learning rate.

    Returns:
        Mean cosine of the policy's latents with those it was to follow.
    """
    model.observations.update(inputs[0])
    optimizer = torch.optim.Adam(model.policy.parameters(), lr=rate)
    target = WARM * latent.shape[-1] ** 0.5 * latent
    for _ in range(steps):
        rows = torch.randint(len(latent), (minibatch,), generator=generator, device=generator.device)
        loss = (model.mean(*(part[rows] for part in inputs)) - target[rows]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return float((to_latent(model.mean(*inputs)) * latent).sum(-1).mean())


class HighLevelPolicy(Protocol):
    """Anything that says which latent to follow next."""

    def __call__(self, state: BodyState, decision: Int[Tensor, "world"]) -> Float[Tensor, "world latent"]:
        """Latents of unit length.

        Args:
            state: Of all worlds.
            decision: How many decisions of its episode each world has behind it.
        """


class PolicySkill(nn.Module):
    """The mean of a trained policy, under one sentence if it wants one."""

    text: Tensor | None

    def __init__(self, model: ActorCritic, text: Float[Tensor, "d"] | None = None) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("text", text)

    @torch.no_grad()
    def forward(self, state: BodyState, decision: Int[Tensor, "world"]) -> Float[Tensor, "world latent"]:
        """See ``HighLevelPolicy``; the time does not matter."""
        observation = policy_observation(state)
        text = [] if self.text is None else [text_input(self.text).expand(len(observation), -1)]
        return to_latent(self.model.mean(observation, *text))


def segment_at(
    decision: Int[Tensor, "*n"] | int, starts: Int[Tensor, "*n segment"], period: Int[Tensor, "*n"]
) -> Int[Tensor, "*n"]:
    """Which segment of sequences is followed in a decision; arguments as of ``LatentSequence``."""
    within = torch.where(period > 0, decision % period.clamp_min(1), decision)
    return (starts <= within[..., None]).sum(-1) - 1


class LatentSequence(nn.Module):
    """A few latents one after the other; the last one stays, or all are followed again.

    Args:
        latents: Of unit length.
        starts: The decision from which each is followed; the first is 0.
        period: Decisions after which the first one's turn comes again; 0 for never.
    """

    latents: Tensor
    starts: Tensor
    period: Tensor

    def __init__(
        self,
        latents: Float[Tensor, "segment latent"],
        starts: Int[Tensor, "segment"],
        period: Int[Tensor, ""] | int = 0,
    ) -> None:
        super().__init__()
        self.register_buffer("latents", latents)
        self.register_buffer("starts", starts)
        self.register_buffer("period", torch.as_tensor(period, device=starts.device))

    @classmethod
    def hold(cls, latent: Float[Tensor, "latent"]) -> Self:
        """A single latent."""
        return cls(latent[None], torch.zeros(1, dtype=torch.long, device=latent.device))

    def forward(self, state: BodyState, decision: Int[Tensor, "world"]) -> Float[Tensor, "world latent"]:
        """See ``HighLevelPolicy``; the state does not matter."""
        return self.latents[segment_at(decision, self.starts, self.period)]
