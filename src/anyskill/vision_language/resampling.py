"""Pillow's antialiased resize of 8-bit pictures, to the bit, as two matrix products on any device.

Image-text models were trained on pictures that Pillow had resized; torch's own resize is a few grey levels off, more at
hard edges, which shows in the features. The order of the two passes is that of Pillow 13; before, across came first.
"""

from functools import lru_cache

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

FRACTION_BITS = 22  # Pillow computes in fixed point
FILTERS = {2: "bilinear", 3: "bicubic"}
"""Pillow's numbers of the filters that image-text models use."""


def resize(
    pictures: UInt8[Tensor, "n height width 3"], size: tuple[int, int], kind: str
) -> Float[Tensor, "n 3 out_height out_width"]:
    """Pictures of another size, colours first, still whole numbers 0–255."""
    planes = pictures.permute(0, 3, 1, 2)
    height, width = size
    lost_rows, lost_columns = planes.shape[2] - height, planes.shape[3] - width
    if lost_rows > max(0, 2 * lost_columns):  # each pass rounds, so the order shows
        return _across(_down(planes, height, kind), width, kind).float()
    return _down(_across(planes, width, kind), height, kind).float()


def _across(planes: Tensor, width: int, kind: str) -> Tensor:
    if planes.shape[3] == width:
        return planes
    return _rounded(planes.double() @ _weights(planes.shape[3], width, kind, planes.device).T)


def _down(planes: Tensor, height: int, kind: str) -> Tensor:
    if planes.shape[2] == height:
        return planes
    return _rounded(_weights(planes.shape[2], height, kind, planes.device) @ planes.double())


def _rounded(values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    return ((values + 2 ** (FRACTION_BITS - 1)) / 2**FRACTION_BITS).floor().clamp(0, 255)


@lru_cache(maxsize=64)
def _weights(size: int, out_size: int, kind: str, device: torch.device) -> Float[Tensor, "out_size size"]:
    """How much of each pixel goes into each new one, in units of 2⁻²² and whole (float64 holds the sums exactly)."""
    scale = size / out_size
    stretch = max(scale, 1.0)  # the filter widens when the picture shrinks
    support = (1.0 if kind == "bilinear" else 2.0) * stretch
    centre = (torch.arange(out_size, dtype=torch.float64)[:, None] + 0.5) * scale
    pixel = torch.arange(size, dtype=torch.float64)
    inside = (pixel >= (centre - support + 0.5).trunc()) & (pixel < (centre + support + 0.5).trunc())
    distance = ((pixel - centre + 0.5) / stretch).abs()
    weights = torch.where(inside, _bilinear(distance) if kind == "bilinear" else _bicubic(distance), 0.0)
    weights = weights / weights.sum(1, keepdim=True) * 2**FRACTION_BITS
    return (weights + weights.sign() * 0.5).trunc().to(device)


def _bilinear(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    return (1 - x).clamp_min(0)


def _bicubic(x: Float[Tensor, "*shape"], a: float = -0.5) -> Float[Tensor, "*shape"]:
    """Keys' cubic convolution."""
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return torch.where(x < 1, near, torch.where(x < 2, far, 0.0))
