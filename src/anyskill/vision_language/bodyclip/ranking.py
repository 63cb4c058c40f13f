"""A sentence against pictures and motions: what ``bodyclip rank`` shows."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from anyskill.motion.clip import Clip
from anyskill.motion.importing import load_clips
from anyskill.motion.library import MotionLibrary
from anyskill.render.camera import Camera
from anyskill.vision_language.bodyclip.model import INTERVAL, BodyClip
from anyskill.vision_language.bodyclip.moments import placed
from anyskill.vision_language.bodyclip.shards import draw
from anyskill.vision_language.bodyclip.towers import MAX_FRAMES
from anyskill.vision_language.model import VisionLanguageError

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_EVERY = 6  # frames between the moments of a motion that are looked at


@dataclass(frozen=True)
class Ranked:
    """How well something matches a sentence."""

    name: str
    cosine: float
    seconds: float | None
    """When a motion matches best; None of a picture."""


def rank(model: BodyClip, sentence: str, paths: list[Path]) -> list[Ranked]:
    """Pictures and motions by cosine, the best first; a motion counts as its best moment.

    Raises:
        VisionLanguageError: If a picture cannot be read.
        MotionError: If a motion cannot.
    """
    told = model.encode_texts([sentence])[0]
    found: list[Ranked] = []
    for path in paths:
        if path.suffix.lower() in PICTURE_SUFFIXES:
            found.append(Ranked(str(path), float(model.encode_images(_read_picture(path))[0] @ told), None))
        else:
            found += [_best_moment(model, told, clip) for clip in load_clips(path)]
    return sorted(found, key=lambda item: -item.cosine)


def _best_moment(model: BodyClip, told: Float[Tensor, "d"], clip: Clip) -> Ranked:
    library = MotionLibrary([clip])
    last = torch.arange(0, int(library.lengths[0]), _EVERY)
    past = round(INTERVAL * library.fps) * torch.arange(1 - MAX_FRAMES, 1)
    times = (last[:, None] + past).clamp_min(0)
    states = placed(library.states(torch.zeros_like(times), times), torch.zeros(len(last)))
    pictures = draw(states, Camera(), worlds=min(len(last), 32), device=model.device)
    cosine, moment = (model.encode_images(pictures, INTERVAL) @ told).max(0)
    return Ranked(clip.name, float(cosine), float(last[moment]) / library.fps)


def _read_picture(path: Path) -> Tensor:
    try:
        with Image.open(path) as image:
            return torch.from_numpy(np.array(image.convert("RGB")))[None]
    except (OSError, UnidentifiedImageError) as error:
        raise VisionLanguageError(f"{path} cannot be read as a picture ({error}).") from error
