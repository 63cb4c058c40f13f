"""The losses of PPO as functions of a minibatch; means run over the samples a mask selects."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from anyskill.learning import distributed


def masked_mean(values: Float[Tensor, "sample"], mask: Bool[Tensor, "sample"]) -> Float[Tensor, ""]:
    """Mean over selected samples, 0 if there is none.

    In a distributed run the divisor is the mean number of selected samples of all ranks, so that the mean of all
    ranks' gradients is the gradient of the mean over all samples.
    """
    selected = distributed.average(mask.sum().to(values.dtype))
    return torch.where(mask, values, torch.zeros_like(values)).sum() / selected.clamp_min(1.0 / distributed.num_ranks())


def standardized(values: Float[Tensor, "sample"], mask: Bool[Tensor, "sample"]) -> Float[Tensor, "sample"]:
    """Shift and scale all values by mean and standard deviation of the selected ones (of all ranks)."""
    selected = values[mask].double()
    moments = torch.stack((torch.ones_like(selected), selected, selected.square())).sum(1)
    count, first, second = distributed.total(moments)
    mean = first / count.clamp_min(1.0)
    deviation = (second / count.clamp_min(1.0) - mean.square()).clamp_min(0.0).sqrt()
    return (values - mean.to(values.dtype)) / (deviation.to(values.dtype) + 1e-5)


def clipped_surrogate(
    log_ratio: Float[Tensor, "sample"], advantage: Float[Tensor, "sample"], clip: float
) -> Float[Tensor, "sample"]:
    """PPO's policy loss, −min(ρA, clip(ρ, 1 ± ε)·A), with ρ the ratio of new to old probability."""
    ratio = log_ratio.exp()
    return -torch.minimum(ratio * advantage, ratio.clamp(1.0 - clip, 1.0 + clip) * advantage)


def out_of_bounds(mean: Float[Tensor, "sample action"]) -> Float[Tensor, "sample"]:
    """Σ max(μ−1, 0)² + min(μ+1, 0)²: keeps mean actions within ±1 without a squashing function."""
    return ((mean - 1.0).clamp_min(0.0).square() + (mean + 1.0).clamp_max(0.0).square()).sum(-1)
