"""ASE: adversarial skill embeddings (Peng et al. 2022). Latents become distinct skills."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import normalize

from anyskill.controller.amp import Amp, DiscriminatorConfig
from anyskill.controller.networks import random_latents
from anyskill.learning.actor_critic import ActorCritic
from anyskill.learning.losses import masked_mean
from anyskill.learning.networks import linear
from anyskill.learning.rollout import Batch
from anyskill.motion.library import MotionLibrary


@dataclass(frozen=True)
class AseConfig:
    """Beside the discriminator's; the defaults are ASE's."""

    latent: int = 64
    """Size of z."""
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    """Its trunk is the encoder's too."""
    imitation_reward: float = 0.5
    """Weight of the discriminator's reward."""
    encoder_reward: float = 0.5
    """Weight of max(⟨E(window), z⟩, 0)."""
    encoder_weight: float = 5.0
    """Of −⟨E(window), z⟩ in the loss."""
    diversity_weight: float = 0.01
    """Of the diversity loss."""


class Ase(Amp):
    """``Method``: AMP's discriminator, an encoder on its trunk that recovers z, and a loss against ignoring z."""

    def __init__(
        self,
        library: MotionLibrary,
        frame: int,
        config: AseConfig,
        model: ActorCritic,
        weights: torch.Generator,
        generator: torch.Generator,
        *,
        bf16: bool = False,
    ) -> None:
        super().__init__(library, frame, config.discriminator, weights, generator, bf16=bf16)
        self.ase, self.model, self.latent_size = config, model, config.latent
        self.encoder_head = linear(config.discriminator.units[-1], config.latent, weights, bound=0.1)

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What is trained beside policy and value."""
        return super().modules | {"encoder_head": self.encoder_head}

    def draw(self, worlds: Int[Tensor, "n"]) -> Batch:
        """New latents for some worlds; they come from no clip."""
        return {"latent": random_latents(len(worlds), self.latent_size, self.generator)}

    def encode(self, window: Float[Tensor, "n window frame"]) -> Float[Tensor, "n latent"]:
        """E: a normalised window of ten frames → the latent it looks like."""
        return normalize(self.encoder_head(self.discriminator.value.trunk(window.flatten(1))), dim=-1)

    def reward(self, batch: Batch) -> Float[Tensor, "n"]:
        """r = w_d·(−2 log(1 − D)) + w_e·max(⟨E, z⟩, 0)."""
        with torch.no_grad():
            recovered = (self.encode(self.frames(batch["window"])) * batch["latent"]).sum(-1).clamp_min(0.0)
        return self.ase.imitation_reward * super().reward(batch) + self.ase.encoder_reward * recovered

    def losses(self, minibatch: Batch) -> dict[str, Tensor]:
        """AMP's, the encoder's −⟨E, z⟩ and the diversity loss."""
        n = min(self.config.samples, len(minibatch["window"]))
        latent = minibatch["latent"]
        recovered = (self.encode(self.frames(minibatch["window"][:n])) * latent[:n]).sum(-1)
        other = random_latents(len(latent), self.latent_size, self.generator)
        mean = self.model.mean(minibatch["observation"], other)
        diversity = diversity_loss(minibatch["new_mean"], mean, latent, other, minibatch["stochastic"])
        return super().losses(minibatch) | {
            "encoder": -self.ase.encoder_weight * recovered.mean(),
            "diversity": self.ase.diversity_weight * diversity,
        }


def diversity_loss(
    mean: Float[Tensor, "n action"],
    other_mean: Float[Tensor, "n action"],
    latent: Float[Tensor, "n latent"],
    other_latent: Float[Tensor, "n latent"],
    mask: Bool[Tensor, "n"],
) -> Float[Tensor, ""]:
    """E (1 − d_a / (d_z + 1e-5))²: actions of two latents should differ as the latents do (ASE).

    d_a is the mean squared difference of mean actions clamped to ±1, d_z = ½ − ½⟨z, z′⟩.
    """
    actions = (mean.clamp(-1, 1) - other_mean.clamp(-1, 1)).square().mean(-1)
    latents = 0.5 - 0.5 * (latent * other_latent).sum(-1)
    return masked_mean((1.0 - actions / (latents + 1e-5)).square(), mask)
