"""CALM: conditional adversarial latent models (Tessler et al. 2023), as AnySkill states it (section 3.1).

A motion encoder E turns a two-second window of a clip into a latent z on the unit sphere; the policy π(a|s, z) is to
move as that window does; the discriminator D(s, s′|z) knows the latent and judges ten frames.
"""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from anyskill.controller import adversarial
from anyskill.controller.amp import Discriminator, DiscriminatorConfig, accuracies
from anyskill.controller.networks import Encoder
from anyskill.controller.world import ENCODED, WINDOW
from anyskill.learning.actor_critic import ActorCritic
from anyskill.learning.buffers import RowBuffer
from anyskill.learning.normalizer import RunningNormalizer
from anyskill.learning.rollout import Batch
from anyskill.motion.library import MotionLibrary


@dataclass(frozen=True)
class CalmConfig:
    """The defaults are AnySkill's."""

    latent: int = 64
    """Size of z."""
    frames: int = ENCODED
    """Frames of an encoded window: two seconds."""
    stride: int = 1
    """The encoder reads every so many of them."""
    encoder_units: tuple[int, ...] = (1024, 1024, 512)
    """Hidden layers of the encoder."""
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    """D(s, s′|z)."""
    mismatched: bool = True
    """Whether D also learns to refuse demonstrations under another's latent, the third term of Eq. 1."""
    frozen_encoder: bool = False
    """Whether E stays as it is: for one that was distilled."""
    alignment_weight: float = 0.1
    """Of the alignment loss of overlapping windows."""
    uniformity_weight: float = 0.05
    """Of the uniformity loss."""


class Calm:
    """``Method``: the conditional discriminator, the encoder, and their losses.

    Latents are remembered as the windows they came from, and encoded anew in every gradient step: the policy's and
    the value's losses train the encoder too, the discriminator's do not.
    """

    def __init__(
        self,
        library: MotionLibrary,
        frame: int,
        config: CalmConfig,
        model: ActorCritic,
        weights: torch.Generator,
        generator: torch.Generator,
        *,
        bf16: bool = False,
    ) -> None:
        self.library, self.config, self.model, self.generator = library, config, model, generator
        self.latent_size = config.latent
        self.encoder = Encoder(
            frame, config.frames, config.stride, config.encoder_units, config.latent, weights, bf16=bf16
        )
        self.discriminator = Discriminator(frame, config.discriminator, weights, latent=config.latent, bf16=bf16)
        self.frames = RunningNormalizer(frame)
        self.replay = RowBuffer(config.discriminator.replay, config.discriminator.replay_keep, generator.device)

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What is trained beside policy and value."""
        return {"encoder": self.encoder, "discriminator": self.discriminator}

    def draw(self, worlds: Int[Tensor, "n"]) -> Batch:
        """Windows to imitate, and their latents, for some worlds."""
        return self.latents(*self.library.sample_windows(len(worlds), self.generator, self.config.frames))

    @torch.no_grad()
    def latents(self, clip: Int[Tensor, "n"], end: Int[Tensor, "n"]) -> Batch:
        """What to remember of the latents of some windows."""
        return {"clip": clip, "end": end, "latent": self.encode(clip, end)}

    def renew(self, latents: Batch) -> Batch:
        """The latents of remembered windows, as the encoder has them now."""
        if self.config.frozen_encoder:
            return {}
        with torch.no_grad():
            return {"latent": self.encode(latents["clip"], latents["end"])} if latents else {}

    def encode(self, clip: Int[Tensor, "n"], end: Int[Tensor, "n"]) -> Float[Tensor, "n latent"]:
        """z = E(window), with gradient."""
        windows = self.library.windows(clip, end, self.encoder.read, stride=self.config.stride)
        return self.encoder(self.frames(windows))

    def reward(self, batch: Batch) -> Float[Tensor, "n"]:
        """r = −2 log(1 − D(window|z))."""
        return self.discriminator.reward(self.frames(batch["window"]), batch["latent"])

    def evaluate(self, minibatch: Batch) -> tuple[Tensor, Tensor]:
        """Mean action and value under latents encoded anew; samples that share a window share its latent and style."""
        clip, end = minibatch["clip"], minibatch["end"]
        one, number = self.library.distinct_windows(clip, end, self.config.frames)
        if self.config.frozen_encoder:
            latents = minibatch["latent"][one]
        else:
            latents = self.encode(clip[one], end[one])
            minibatch["latent"] = latents[number]
        seen = self.model.observations(minibatch["observation"])
        return self.model.policy(seen, latents, number), self.model.critic(seen, minibatch["latent"])

    def losses(self, minibatch: Batch) -> dict[str, Tensor]:
        """Eq. 1 for the discriminator; alignment and uniformity for the encoder."""
        config = self.config.discriminator
        n = min(config.samples, len(minibatch["window"]))
        past = self.replay.sample(n, self.generator)
        clip, end, inner = self.library.sample_pair(n, self.generator, self.config.frames, WINDOW)
        with torch.no_grad():
            encoded = self.encode(torch.cat((past["clip"], clip)), torch.cat((past["end"], end)))
        replayed, matching = encoded.chunk(2)
        demo_windows = self.frames(self.library.windows(clip, inner, WINDOW)).requires_grad_()
        demo = self.discriminator(demo_windows, matching)
        refused = [self.frames(torch.cat((minibatch["window"][:n], past["window"])))]
        latents = [minibatch["latent"][:n].detach(), replayed]
        if self.config.mismatched:
            # Windows were drawn independently, so a neighbour's latent is a random one.
            refused.append(demo_windows.detach())
            latents.append(matching.roll(1, 0))
        agent, mismatched = self.discriminator(torch.cat(refused), torch.cat(latents)).tensor_split([2 * n])
        report = accuracies(agent, demo)
        if self.config.mismatched:
            loss = adversarial.ternary_loss(agent, demo, mismatched)
            report["mismatched_accuracy"] = (mismatched < 0).float().mean().detach()
        else:
            loss = adversarial.binary_loss(agent, demo)
        loss = loss + self.discriminator.regularization(demo, demo_windows)
        report |= {"discriminator": config.weight * loss}
        if self.config.frozen_encoder:
            return report
        clip, first, second = self.library.sample_overlapping(n, self.generator, self.config.frames)
        a, b = self.encode(clip.repeat(2), torch.cat((first, second))).chunk(2)
        return report | {
            "alignment": self.config.alignment_weight * alignment_loss(a, b),
            "uniformity": self.config.uniformity_weight * uniformity_loss(a),
        }

    def remember(self, batch: Batch) -> None:
        """Take an iteration's windows into the replay and into the statistics of frames."""
        self.replay.store({name: batch[name] for name in ("window", "clip", "end")}, self.generator)
        self.frames.update(batch["window"][:, 0])


def alignment_loss(a: Float[Tensor, "n latent"], b: Float[Tensor, "n latent"]) -> Float[Tensor, ""]:
    """E‖a − b‖² of latents of overlapping windows (Wang and Isola 2020)."""
    return (a - b).square().sum(-1).mean()


def uniformity_loss(a: Float[Tensor, "n latent"]) -> Float[Tensor, ""]:
    """log E exp(−2‖a_i − a_j‖²) over pairs (Wang and Isola 2020)."""
    return torch.pdist(a).square().mul(-2.0).exp().mean().log()
