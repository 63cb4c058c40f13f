"""AMP: adversarial motion priors (Peng et al. 2021). One policy that moves like the clips, with nothing to steer it."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from anyskill.controller import adversarial
from anyskill.controller.world import WINDOW
from anyskill.learning.buffers import RowBuffer
from anyskill.learning.config import require
from anyskill.learning.networks import MLP, StyleMLP, Value
from anyskill.learning.normalizer import RunningNormalizer
from anyskill.learning.rollout import Batch
from anyskill.motion.library import MotionLibrary


@dataclass(frozen=True)
class DiscriminatorConfig:
    """A discriminator and its losses; the defaults are those of AMP, ASE and CALM."""

    units: tuple[int, ...] = (1024, 1024, 512)
    """Hidden layers; AMP has (1024, 512)."""
    weight: float = 5.0
    """Of all its losses together."""
    gradient_penalty: float = 5.0
    """Of E‖∇ℓ‖² on demonstrations."""
    logit_decay: float = 0.01
    """Of the squared weights of the last layer."""
    weight_decay: float = 1e-4
    """Of the squared weights of all layers."""
    samples: int = 4096
    """Windows of each kind in a gradient step."""
    replay: int = 200_000
    """Windows of former policies that are kept."""
    replay_keep: float = 0.01
    """Chance that a new window replaces an old one when the replay is full."""
    reward_scale: float = 2.0
    """Of −log(1 − D)."""

    def __post_init__(self) -> None:
        require(self, "samples", self.samples >= 1, "at least 1")
        require(self, "replay_keep", 0 < self.replay_keep <= 1, "above 0 and at most 1")


class Discriminator(nn.Module):
    """ℓ(window) or ℓ(window | z): a logit for ten frames, which a latent may condition."""

    def __init__(
        self,
        frame: int,
        config: DiscriminatorConfig,
        generator: torch.Generator,
        *,
        latent: int = 0,
        bf16: bool = False,
    ) -> None:
        super().__init__()
        self.config = config
        trunk = (
            StyleMLP(WINDOW * frame, latent, config.units, generator, bf16=bf16)
            if latent
            else MLP(WINDOW * frame, config.units, generator, bf16=bf16)
        )
        self.value = Value(trunk, generator, bound=1.0)

    def forward(
        self, window: Float[Tensor, "n window frame"], *latent: Float[Tensor, "n latent"]
    ) -> Float[Tensor, "n"]:
        """Logits of normalised windows."""
        return self.value(window.flatten(1), *latent)

    def reward(self, window: Float[Tensor, "n window frame"], *latent: Float[Tensor, "n latent"]) -> Float[Tensor, "n"]:
        """What the agent is paid for a window."""
        with torch.no_grad():
            return self.config.reward_scale * adversarial.imitation_reward(self(window, *latent))

    def regularization(
        self, demo_logits: Float[Tensor, "n"], demo: Float[Tensor, "n window frame"]
    ) -> Float[Tensor, ""]:
        """Gradient penalty and weight decay."""
        config = self.config
        return (
            config.gradient_penalty * adversarial.gradient_penalty(demo_logits, demo)
            + config.logit_decay * self.value.head.weight.square().sum()
            + config.weight_decay * adversarial.weight_decay(self)
        )


class Amp:
    """``Method`` without a latent: the discriminator tells windows of ten frames from those of the clips."""

    latent_size = 0

    def __init__(
        self,
        library: MotionLibrary,
        frame: int,
        config: DiscriminatorConfig,
        weights: torch.Generator,
        generator: torch.Generator,
        *,
        bf16: bool = False,
    ) -> None:
        self.library, self.config, self.generator = library, config, generator
        self.discriminator = Discriminator(frame, config, weights, bf16=bf16)
        self.frames = RunningNormalizer(frame)
        self.replay = RowBuffer(config.replay, config.replay_keep, generator.device)

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What is trained beside policy and value."""
        return {"discriminator": self.discriminator}

    def draw(self, worlds: Int[Tensor, "n"]) -> Batch:
        """Nothing: there are no latents."""
        del worlds
        return {}

    def renew(self, latents: Batch) -> Batch:
        """Nothing changes about latents that are not encoded."""
        del latents
        return {}

    def reward(self, batch: Batch) -> Float[Tensor, "n"]:
        """r = −2 log(1 − D(window))."""
        return self.discriminator.reward(self.frames(batch["window"]))

    def losses(self, minibatch: Batch) -> dict[str, Tensor]:
        """The discriminator's loss on agent, replay and demonstrations."""
        n = min(self.config.samples, len(minibatch["window"]))
        past = self.replay.sample(n, self.generator)["window"]
        agent = self.frames(torch.cat((minibatch["window"][:n], past)))
        demo = self.frames(self.library.windows(*self.library.sample(n, self.generator), WINDOW)).requires_grad_()
        agent_logits, demo_logits = self.discriminator(agent), self.discriminator(demo)
        loss = adversarial.binary_loss(agent_logits, demo_logits)
        loss = loss + self.discriminator.regularization(demo_logits, demo)
        return {"discriminator": self.config.weight * loss} | accuracies(agent_logits, demo_logits)

    def remember(self, batch: Batch) -> None:
        """Take an iteration's windows into the replay and into the statistics of frames."""
        self.replay.store({"window": batch["window"]}, self.generator)
        self.frames.update(batch["window"][:, 0])


def accuracies(agent: Float[Tensor, "n"], demo: Float[Tensor, "m"]) -> dict[str, Tensor]:
    """Shares of windows that a discriminator judges rightly."""
    return {
        "agent_accuracy": (agent < 0).float().mean().detach(),
        "demo_accuracy": (demo > 0).float().mean().detach(),
    }
