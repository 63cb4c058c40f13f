"""Watching for NaN and infinity, so that training stops where they appear and says where that is."""

from collections.abc import Mapping

import torch
from torch import Tensor

from anyskill.learning.errors import LearningError


def check_finite(what: str, tensors: Mapping[str, Tensor]) -> None:
    """Raise unless every number is finite; integers and booleans pass.

    Args:
        what: What the tensors are, such as ``gradient``.
        tensors: By name.

    Raises:
        LearningError: Names the first tensor at fault and how much of it.
    """
    floats = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
    # One pass: no sum with a NaN or an infinity in it is finite. Should a sum overflow, the search below finds nothing.
    sums = [tensor.detach().sum().double() for tensor in floats.values()]
    if not sums or torch.stack(sums).isfinite().all():
        return
    for name, tensor in floats.items():
        wrong = int((~tensor.isfinite()).sum())
        if wrong:
            raise LearningError(
                f"{what} {name}: {wrong} of {tensor.numel()} numbers are NaN or infinite; "
                "go on from the last checkpoint with a lower learning rate."
            )
