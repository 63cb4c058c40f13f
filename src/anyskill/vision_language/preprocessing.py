"""What an image-text model expects its pictures to look like, done on tensors."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import pad

from anyskill.vision_language.model import VisionLanguageError
from anyskill.vision_language.resampling import FILTERS, resize


@dataclass(frozen=True)
class Preprocessing:
    """Resize (antialiased), crop about the centre, scale to 0–1, normalise: the settings of a preprocessor config."""

    size: tuple[int, int] | int | None  # height and width; or the shorter edge; None leaves pictures as they are
    crop: tuple[int, int] | None  # height, width
    filter: str
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def from_library(cls, processor: Any, folder: Path) -> "Preprocessing":
        """The settings that a ``transformers`` image processor has read from ``folder``."""
        normalise = processor.do_normalize
        return cls(
            size=_size(processor.size, folder) if processor.do_resize and processor.size else None,
            crop=_crop(processor.crop_size, folder) if getattr(processor, "do_center_crop", False) else None,
            filter=_filter(processor.resample, folder),
            scale=processor.rescale_factor if processor.do_rescale else 1.0,
            mean=tuple(processor.image_mean) if normalise else (0.0, 0.0, 0.0),
            std=tuple(processor.image_std) if normalise else (1.0, 1.0, 1.0),
        )

    def __call__(self, pictures: UInt8[Tensor, "n height width 3"]) -> Float[Tensor, "n 3 out_height out_width"]:
        """Pictures as the image tower wants them."""
        height, width = pictures.shape[1:3]
        return self.normalise(self._cropped(resize(pictures, self._target(height, width), self.filter)))

    def normalise(self, planes: Float[Tensor, "n 3 height width"]) -> Float[Tensor, "n 3 height width"]:
        """(scale · x − mean) / std, for each colour."""
        mean = planes.new_tensor(self.mean)[:, None, None]
        std = planes.new_tensor(self.std)[:, None, None]
        return (planes * self.scale - mean) / std

    def _target(self, height: int, width: int) -> tuple[int, int]:
        if self.size is None:
            return height, width
        if isinstance(self.size, tuple):
            return self.size
        if height <= width:
            return self.size, int(self.size * width / height)
        return int(self.size * height / width), self.size

    def _cropped(self, planes: Float[Tensor, "n 3 height width"]) -> Float[Tensor, "n 3 crop_height crop_width"]:
        """The middle of the picture; what is too small gets a black border (a negative pad cuts)."""
        if self.crop is None:
            return planes
        (height, width), (crop_height, crop_width) = planes.shape[2:], self.crop
        top, left = (height - crop_height) // 2, (width - crop_width) // 2
        return pad(planes, (-left, crop_width - width + left, -top, crop_height - height + top))


def patches_of(
    planes: Float[Tensor, "n 3 height width"], patch: int, count: int
) -> tuple[Float[Tensor, "n count pixels"], Float[Tensor, "n count"], tuple[int, int]]:
    """SigLIP 2's flexible input: a row of flattened patches, filled up with zeros to ``count``.

    Returns:
        Patches (row by row, colours innermost), the mask of real ones, and how many there are down and across.
    """
    n, colours, height, width = planes.shape
    rows, columns = height // patch, width // patch
    grid = planes.view(n, colours, rows, patch, columns, patch).permute(0, 2, 4, 3, 5, 1)
    flat = grid.reshape(n, rows * columns, patch * patch * colours)
    mask = torch.zeros(n, count, dtype=torch.int32, device=planes.device)
    mask[:, : rows * columns] = 1
    return pad(flat, (0, 0, 0, count - rows * columns)), mask, (rows, columns)


def flexible_size(height: int, width: int, patch: int, count: int) -> tuple[int, int]:
    """The largest size of about the same proportions, in whole patches, that has at most ``count`` of them."""

    def scaled(scale: float) -> tuple[int, int]:
        return tuple(max(patch, math.ceil(scale * edge / patch) * patch) for edge in (height, width))  # type: ignore[return-value]

    low, high = 1e-6, 100.0
    while high - low >= 1e-5:  # the tolerance of the library, for the same answer
        middle = (low + high) / 2
        rows, columns = (edge // patch for edge in scaled(middle))
        low, high = (middle, high) if rows * columns <= count else (low, middle)
    return scaled(low)


def _size(size: Any, folder: Path) -> tuple[int, int] | int:
    if size.get("height") and size.get("width"):
        return int(size["height"]), int(size["width"])
    if size.get("shortest_edge") and not size.get("longest_edge"):
        return int(size["shortest_edge"])
    raise VisionLanguageError(f"the preprocessor config in {folder} asks for the size {size}, which is not supported.")


def _crop(size: Any, folder: Path) -> tuple[int, int]:
    if not (size.get("height") and size.get("width")):
        raise VisionLanguageError(f"the preprocessor config in {folder} crops to {size}; give a height and a width.")
    return int(size["height"]), int(size["width"])


def _filter(number: int, folder: Path) -> str:
    if int(number) not in FILTERS:
        raise VisionLanguageError(
            f"the preprocessor config in {folder} resizes with filter {int(number)}; "
            "only 2 (bilinear) and 3 (bicubic) are supported."
        )
    return FILTERS[int(number)]
