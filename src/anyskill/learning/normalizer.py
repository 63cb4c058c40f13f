"""Running mean and variance of observations and returns."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from anyskill.learning import distributed


class RunningNormalizer(nn.Module):
    """Scale data to zero mean and unit variance, as seen so far, and clamp to ±5.

    Statistics are float64 and change only in ``update``; in a distributed run all ranks' data count. They start as if
    one sample with mean 0 and variance 1 had been seen.

    Args:
        shape: Of one sample; statistics are kept for every element. ``()`` for plain numbers.
    """

    EPSILON = 1e-5
    LIMIT = 5.0

    mean: Tensor
    variance: Tensor
    count: Tensor

    def __init__(self, shape: int | tuple[int, ...]) -> None:
        super().__init__()
        shape = (shape,) if isinstance(shape, int) else shape
        self.register_buffer("mean", torch.zeros(shape, dtype=torch.float64))
        self.register_buffer("variance", torch.ones(shape, dtype=torch.float64))
        self.register_buffer("count", torch.ones((), dtype=torch.float64))
        self.frozen = False

    def freeze(self) -> None:
        """Ignore further updates: a network that was trained elsewhere, and now learns slowly, relies on them."""
        self.frozen = True

    @torch.no_grad()
    def update(self, samples: Float[Tensor, "*batch_and_shape"]) -> None:
        """Take samples into account (Chan, Golub and LeVeque's parallel variance)."""
        if self.frozen:
            return
        samples = samples.reshape(-1, *self.mean.shape).double()
        # Sums about the mean so far: one reduction over ranks, and no cancellation.
        centred = samples - self.mean
        count = torch.tensor(float(len(samples)), dtype=torch.float64, device=samples.device)
        sums = torch.stack((centred.sum(0), centred.square().sum(0), count.expand(self.mean.shape)))
        first, second, count = distributed.total(sums)
        new = count.flatten()[0]
        shift = first / new.clamp_min(1.0)  # no samples change nothing
        spread = second - new * shift.square()  # Σ (x − batch mean)²
        total = self.count + new
        self.variance.copy_((self.variance * self.count + spread + shift.square() * self.count * new / total) / total)
        self.mean.add_(shift * new / total)
        self.count.copy_(total)

    def forward(self, samples: Float[Tensor, "*batch_and_shape"]) -> Float[Tensor, "*batch_and_shape"]:
        """(x − μ) / √(σ² + ε), clamped."""
        scaled = (samples - self.mean.to(samples.dtype)) / self._scale(samples)
        return scaled.clamp(-self.LIMIT, self.LIMIT)

    def denormalize(self, scaled: Float[Tensor, "*batch_and_shape"]) -> Float[Tensor, "*batch_and_shape"]:
        """The inverse, of values clamped in the same way."""
        return scaled.clamp(-self.LIMIT, self.LIMIT) * self._scale(scaled) + self.mean.to(scaled.dtype)

    def _scale(self, like: Tensor) -> Tensor:
        return (self.variance + self.EPSILON).sqrt().to(like.dtype)
