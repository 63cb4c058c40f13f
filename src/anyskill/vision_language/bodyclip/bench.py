"""Benchmark of BodyCLIP: pictures and sentences a second."""

import torch

from anyskill.bench import Case
from anyskill.vision_language.bodyclip.model import BodyClip, load_bodyclip
from anyskill.vision_language.bodyclip.towers import MAX_FRAMES, SIZE

_CHUNK = 256
_USUAL = "the person raises the right arm above the head, with the left knee bent and the upper body leaning forward"


def cases(quick: bool = False) -> list[Case]:
    """The model that comes with this package, on a GPU if there is one."""
    every = speed_cases(load_bodyclip("cuda" if torch.cuda.is_available() else "cpu"))
    return every[:2] if quick else every


def speed_cases(model: BodyClip) -> list[Case]:
    """Single pictures of its own size, sentences of usual length, and what else it encodes."""
    pictures = torch.zeros(_CHUNK, SIZE, SIZE, 3, dtype=torch.uint8)
    histories = torch.zeros(_CHUNK // MAX_FRAMES, MAX_FRAMES, SIZE, SIZE, 3, dtype=torch.uint8)
    texts = [_USUAL, _USUAL.replace("right", "left")] * (_CHUNK // 2)
    return [
        # The transfer waits for the device.
        Case("single pictures", "pictures/s", lambda: len(model.encode_images(pictures).cpu())),
        Case("sentences", "sentences/s", lambda: len(model.encode_texts(texts).cpu())),
        Case(
            f"{MAX_FRAMES} pictures together",
            "pictures/s",
            lambda: MAX_FRAMES * len(model.encode_images(histories).cpu()),
        ),
    ]
