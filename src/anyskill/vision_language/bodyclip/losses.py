"""What BodyCLIP learns by, and how far it has come, as functions of features of unit length."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

_NEVER = -1e4  # a logit that takes no part


def contrastive_loss(
    seen: Float[Tensor, "n d"],
    told: Float[Tensor, "n d"],
    false: Float[Tensor, "n d"],
    scale: Float[Tensor, ""] | float,
    admitted: Bool[Tensor, "n n"],
    admitted_false: Bool[Tensor, "n n"],
) -> Float[Tensor, ""]:
    """Symmetric InfoNCE (CLIP) in which false sentences are further choices, and no true one counts as wrong.

    From pictures to sentences there are 2n choices, from sentences to pictures n. With sentences and bodies in each
    other's places, false ones are bodies.

    Args:
        seen: Of pictures or states.
        told: Of their sentences.
        false: Of a false sentence about each.
        scale: One over the temperature.
        admitted: Which sentences (columns) may be true of which pictures (rows); the diagonal does not matter.
        admitted_false: The same of the false sentences.
    """
    n = len(seen)
    own = torch.eye(n, dtype=torch.bool, device=seen.device)
    logits = (scale * seen @ told.T).masked_fill(admitted & ~own, _NEVER)
    others = (scale * seen @ false.T).masked_fill(admitted_false, _NEVER)
    right = torch.arange(n, device=seen.device)
    return 0.5 * (cross_entropy(torch.cat((logits, others), 1), right) + cross_entropy(logits.T, right))


def pair_loss(
    seen: Float[Tensor, "n d"],
    told: Float[Tensor, "n d"],
    false: Float[Tensor, "n d"],
    scale: Float[Tensor, ""] | float,
) -> Float[Tensor, ""]:
    """−log σ(scale·(⟨seen, told⟩ − ⟨seen, false⟩)): the true sentence against the one that differs in one thing.

    With what is told first, of two bodies: the true one against one that differs in one thing.
    """
    return softplus(-scale * (seen * (told - false)).sum(-1)).mean()


def synonym_loss(
    names: Float[Tensor, "n d"], descriptions: Float[Tensor, "n d"], scale: Float[Tensor, ""], same: Bool[Tensor, "n n"]
) -> Float[Tensor, ""]:
    """Symmetric InfoNCE between two ways to say the same; ``same`` says which pairs share a meaning."""
    own = torch.eye(len(names), dtype=torch.bool, device=names.device)
    logits = (scale * names @ descriptions.T).masked_fill(same & ~own, _NEVER)
    right = torch.arange(len(names), device=names.device)
    return 0.5 * (cross_entropy(logits, right) + cross_entropy(logits.T, right))


def cosine_loss(predicted: Float[Tensor, "n d"], target: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """1 − mean cosine; neither has to be of unit length."""
    return 1.0 - torch.nn.functional.cosine_similarity(predicted, target, dim=-1).mean()


@torch.no_grad()
def share_found(
    seen: Float[Tensor, "n d"], told: Float[Tensor, "n d"], admitted: Bool[Tensor, "n n"]
) -> Float[Tensor, ""]:
    """Share of sentences that are nearest to their own picture, those it may be true of as well left aside."""
    own = torch.eye(len(seen), dtype=torch.bool, device=seen.device)
    cosine = (seen @ told.T).masked_fill(admitted & ~own, -2.0)
    return (cosine.argmax(0) == torch.arange(len(seen), device=seen.device)).float().mean()
