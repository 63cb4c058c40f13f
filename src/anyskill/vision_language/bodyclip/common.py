"""What the features of all bodies have in common, which says nothing of any."""

import torch
from jaxtyping import Float
from torch import Tensor

_RIDGE = 0.01  # beside a mean square of 1


def common_direction(seen: Float[Tensor, "n d"]) -> Float[Tensor, "d"]:
    """The w that has ⟨seen, w⟩ = 1 as nearly as can be for each row, by ridge regression, and exactly in the mean.

    The mean of the rows is another: what most bodies do, which is to stand, lies further along it than the rest.
    """
    mean = seen.mean(0)
    square = seen.T @ seen / len(seen) + _RIDGE * torch.eye(seen.shape[1], device=seen.device)
    direction = torch.linalg.solve(square, mean)
    return direction / (mean @ direction)
