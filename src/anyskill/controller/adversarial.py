"""Adversarial imitation: losses and rewards of a discriminator that tells demonstrations from the agent (AMP, CALM).

Discriminators return logits ℓ; D = σ(ℓ) is the probability that a window of frames is a demonstration.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

SMALLEST = 1e-4  # 1 − D is not let below, so that rewards stay finite


def imitation_reward(logits: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """r = −log(1 − D), at most 9.2 (AnySkill Eq. 2)."""
    return -torch.log((1.0 - torch.sigmoid(logits)).clamp_min(SMALLEST))


def binary_loss(agent: Float[Tensor, "n"], demo: Float[Tensor, "m"]) -> Float[Tensor, ""]:
    """AMP's loss: ½ (−E log(1 − D(agent)) − E log D(demo))."""
    return 0.5 * (softplus(agent).mean() + softplus(-demo).mean())


def ternary_loss(
    agent: Float[Tensor, "n"], demo: Float[Tensor, "m"], mismatched: Float[Tensor, "k"]
) -> Float[Tensor, ""]:
    """The three terms of AnySkill's Eq. 1.

    −E log(1 − D(s, s′|z)) of the agent, −E log D(s, s′|z) of demonstrations with their own latent, and
    −E log(1 − D(s, s′|z′)) of demonstrations with another's.
    """
    return softplus(agent).mean() + softplus(-demo).mean() + softplus(mismatched).mean()


def gradient_penalty(logits: Float[Tensor, "n"], inputs: Float[Tensor, "n *size"]) -> Float[Tensor, ""]:
    """E‖∇ℓ‖² with respect to the (normalised) demonstrations that the logits came from."""
    (gradient,) = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return gradient.flatten(1).square().sum(-1).mean()


def weight_decay(network: nn.Module) -> Float[Tensor, ""]:
    """Σ‖W‖² over the weights of all linear layers."""
    return torch.stack([m.weight.square().sum() for m in network.modules() if isinstance(m, nn.Linear)]).sum()
