"""``ImageTextModel``: pictures and sentences as points in one space, so that a cosine says how well they match."""

from collections.abc import Sequence
from typing import Literal, Protocol

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from anyskill.errors import AnyskillError

BODYCLIP = "bodyclip"
Precision = Literal["auto", "float32", "bfloat16"]


class VisionLanguageError(AnyskillError):
    """An image-text model cannot be loaded, or is given what it cannot read."""


class ImageTextModel(Protocol):
    """What every image-text model does; ``load_model`` makes one by name."""

    @property
    def name(self) -> str:
        """What ``load_model`` was given."""

    @property
    def dimension(self) -> int:
        """Length of a feature."""

    @property
    def frames(self) -> int:
        """How many pictures it looks at together: 1 for an image model, more for a video model."""

    @property
    def device(self) -> torch.device:
        """Where it computes, and where features lie."""

    def encode_images(self, pictures: UInt8[Tensor, "n *frames height width 3"]) -> Float[Tensor, "n d"]:
        """Unit-length float32 features of RGB pictures 0–255 (``frames`` of each, oldest first, for a video model).

        Raises:
            VisionLanguageError: If shape or type are not these.
        """

    def encode_texts(self, texts: Sequence[str]) -> Float[Tensor, "n d"]:
        """Unit-length float32 features of sentences; what exceeds the model's length is cut off."""


def load_model(
    name: str = BODYCLIP, device: torch.device | str = "cpu", *, precision: Precision = "auto"
) -> ImageTextModel:
    """An image-text model by name.

    Args:
        name: ``bodyclip``, built in; or a Hugging Face name such as ``laion/CLIP-ViT-B-32-laion2B-s34B-b79K`` (the
            paper's), a revision behind an ``@`` if need be; or a local folder that holds such a model.
        device: ``cpu`` or ``cuda[:n]``.
        precision: Of the image tower of a Hugging Face model; ``auto`` is bfloat16 where the device computes it
            natively. Sentences are always encoded in float32.

    Raises:
        VisionLanguageError: If there is no such model, or it cannot be had here.
    """
    device = torch.device(device)
    if name == BODYCLIP:
        from anyskill.vision_language.bodyclip import load_bodyclip

        return load_bodyclip(device)
    from anyskill.vision_language.huggingface import HuggingFaceModel

    return HuggingFaceModel(name, device, precision=precision)
