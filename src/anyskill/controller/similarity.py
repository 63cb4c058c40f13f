"""How alike two bodies are in what a policy observes of them."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


def furthest(vectors: Float[Tensor, "n 3*body"]) -> Float[Tensor, "n"]:
    """The greatest length of the bodies' vectors, three numbers each: of positions, how far the worst body is off."""
    return vectors.unflatten(-1, (-1, 3)).norm(dim=-1).amax(-1)


@dataclass(frozen=True)
class Similarity:
    """How alike two bodies are, from 0 to 1: a sum of weight × exp(−sharpness × mean squared error)."""

    weights: tuple[float, float, float, float, float] = (0.2, 0.2, 0.15, 0.05, 0.1)
    """Of positions, rotations, linear velocities, angular velocities, height; with those of limbs they sum to one."""
    sharpness: tuple[float, float, float, float, float] = (100.0, 8.0, 6.0, 0.03, 100.0)
    """In the same order. With less for velocities, a body that stands would be as good as one that walks."""
    limb: tuple[float, float] = (0.2, 10.0)
    """Weight and sharpness of the squared distance of the body that is furthest off: a mean hardly notices an arm."""
    limb_velocity: tuple[float, float] = (0.1, 1.0)
    """The same of linear velocities: nor does a mean notice whether a hand waves."""

    def __call__(self, error: Float[Tensor, "n observation"], blocks: dict[str, slice]) -> Float[Tensor, "n"]:
        """Of the difference of two observations."""
        result = torch.zeros_like(error[:, 0])
        names = ("positions", "rotations", "linear", "angular", "height")
        for name, weight, sharpness in zip(names, self.weights, self.sharpness, strict=True):
            result += weight * torch.exp(-sharpness * error[:, blocks[name]].square().mean(-1))
        for name, (weight, sharpness) in (("positions", self.limb), ("linear", self.limb_velocity)):
            result += weight * torch.exp(-sharpness * furthest(error[:, blocks[name]]).square())
        return result
