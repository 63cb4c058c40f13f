"""Facts as margins: how far a statement is from its threshold.

A margin lies in [-1, 1]. Above 0 the statement is true. At -1 it is so far from true that everybody would deny it. In
between, people would disagree: such a statement is neither made nor used as a falsehood. Statements are joined as in
fuzzy logic, by minimum and maximum.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

UNKNOWN = -0.5
"""A margin that is neither true nor deniable."""

Margin = Float[Tensor, "*batch"]


def above(value: Tensor, threshold: float, width: float) -> Tensor:
    """True above the threshold; deniable a ``width`` below it."""
    return ((value - threshold) / width).clamp(-1.0, 1.0)


def below(value: Tensor, threshold: float, width: float) -> Tensor:
    """True below the threshold; deniable a ``width`` above it."""
    return above(-value, -threshold, width)


def between(value: Tensor, low: float, high: float, width: float) -> Tensor:
    """True inside an interval; deniable a ``width`` outside it."""
    return torch.minimum(above(value, low, width), below(value, high, width))


def certain(mask: Bool[Tensor, "*batch"], dtype: torch.dtype) -> Margin:
    """A yes or no that has no threshold."""
    return mask.to(dtype) * 2.0 - 1.0


def every(first: Tensor, *others: Tensor) -> Tensor:
    """True where all are."""
    for other in others:
        first = torch.minimum(first, other)
    return first


def either(first: Tensor, *others: Tensor) -> Tensor:
    """True where any is."""
    for other in others:
        first = torch.maximum(first, other)
    return first


def both(sides: Float[Tensor, "*batch 2"]) -> Margin:
    """True where the right and the left one are."""
    return sides.amin(-1)


def swapped(sides: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
    """The other side's values."""
    return sides.flip(-1)
