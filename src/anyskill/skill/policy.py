"""High-level policies: which latent to follow next, by π(z|s), by π(z|s, text), or one latent after the other."""

from collections.abc import Mapping, Sequence
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


class GuidedPolicy(GaussianPolicy):
    """π(z|s, ẑ): the latent ẑ that is to be followed at this time, its last input, and what a network adds to it.

    It begins as ẑ itself: what a search has found is kept until something better is learnt.
    """

    def __init__(self, trunk: MLP, latent: int, log_sigma: float, generator: torch.Generator) -> None:
        super().__init__(trunk, latent, log_sigma, generator)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, *inputs: Float[Tensor, "*batch _"]) -> Float[Tensor, "*batch latent"]:
        """The mean action."""
        guide = inputs[-1]
        return WARM * guide.shape[-1] ** 0.5 * guide + super().forward(*inputs)


def make_actor_critic(
    observation: int,
    text: int,
    latent: int,
    units: Sequence[int],
    log_sigma: float,
    generator: torch.Generator,
    *,
    guided: bool = False,
    bf16: bool = False,
) -> ActorCritic:
    """Separate MLPs for policy and value on the observation, on ``text_input`` (if ``text`` is not 0), and on ẑ.

    Actions are directions in the space of latents: only ``to_latent`` of one is ever used, as in the paper.
    """
    inputs, kind = (observation + text + latent, GuidedPolicy) if guided else (observation + text, GaussianPolicy)
    policy = kind(MLP(inputs, units, generator, bf16=bf16), latent, log_sigma, generator)
    critic = Value(MLP(inputs, units, generator, bf16=bf16), generator)
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


class HighLevelPolicy(Protocol):
    """Anything that says which latent to follow next."""

    def __call__(self, state: BodyState, decision: Int[Tensor, "world"]) -> Float[Tensor, "world latent"]:
        """Latents of unit length.

        Args:
            state: Of all worlds.
            decision: How many decisions of its episode each world has behind it.
        """


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

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor], prefix: str = "") -> Self:
        """From a ``state_dict``, maybe that of a module which has it under a name."""
        return cls(*(state[prefix + name] for name in ("latents", "starts", "period")))

    def forward(self, state: BodyState, decision: Int[Tensor, "world"]) -> Float[Tensor, "world latent"]:
        """See ``HighLevelPolicy``; the state does not matter."""
        return self.latents[segment_at(decision, self.starts, self.period)]


class PolicySkill(nn.Module):
    """The mean of a trained policy: under one sentence if it wants one, about what is followed if it is guided."""

    text: Tensor | None
    guide: LatentSequence | None

    def __init__(
        self, model: ActorCritic, text: Float[Tensor, "d"] | None = None, guide: LatentSequence | None = None
    ) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("text", text)
        self.guide = guide

    @torch.no_grad()
    def forward(self, state: BodyState, decision: Int[Tensor, "world"]) -> Float[Tensor, "world latent"]:
        """See ``HighLevelPolicy``; the time matters to the guide alone."""
        observation = policy_observation(state)
        others = [] if self.text is None else [text_input(self.text).expand(len(observation), -1)]
        if self.guide is not None:
            others.append(self.guide(state, decision))
        return to_latent(self.model.mean(observation, *others))
