"""The networks of controllers: motion encoder and discriminators."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from anyskill.learning.networks import MLP, linear


class Encoder(nn.Module):
    """E: a window of motion → a latent on the unit sphere.

    Args:
        frame: Size of an adversarial frame.
        frames: Frames of a window, newest first: 60, two seconds.
        stride: Only every ``stride``-th frame is read: 1 in CALM, more for a small network.
        units: Hidden layers.
        latent: Size of a latent.
        generator: Where initial weights come from.
        bf16: Multiply in bfloat16.
    """

    def __init__(
        self,
        frame: int,
        frames: int,
        stride: int,
        units: Sequence[int],
        latent: int,
        generator: torch.Generator,
        *,
        bf16: bool = False,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.read = len(range(0, frames, stride))  # frames that are read
        self.trunk = MLP(self.read * frame, units, generator, bf16=bf16)
        self.head = linear(units[-1], latent, generator, bound=0.1)

    def forward(self, window: Float[Tensor, "*batch read frame"]) -> Float[Tensor, "*batch latent"]:
        """Latents of normalised windows, of which only the frames to be read are given."""
        return normalize(self.head(self.trunk(window.flatten(-2))), dim=-1)


def random_latents(n: int, size: int, generator: torch.Generator) -> Float[Tensor, "n latent"]:
    """Latents spread evenly over the unit sphere."""
    return normalize(torch.randn(n, size, generator=generator, device=generator.device), dim=-1)
