"""Our resize against Pillow's, to the bit."""

import numpy as np
import pytest
import torch
from PIL import Image

from anyskill.vision_language.resampling import FILTERS, resize


@pytest.mark.parametrize("number", sorted(FILTERS))
@pytest.mark.parametrize(
    ("size", "target"),
    [
        ((224, 224), (64, 64)),
        ((480, 640), (96, 96)),
        ((32, 50), (224, 224)),
        ((97, 131), (131, 97)),
        ((64, 64), (64, 30)),
        ((64, 64), (30, 64)),
        ((1, 1), (7, 9)),
        ((200, 300), (1, 1)),
    ],
)
def test_resize_is_pillows(size: tuple[int, int], target: tuple[int, int], number: int) -> None:
    generator = np.random.default_rng(number)
    pictures = generator.integers(0, 256, (2, *size, 3), dtype=np.uint8)
    pictures[1] = np.where(pictures[1] > 127, 255, 0)  # hard edges make the filter overshoot
    ours = resize(torch.from_numpy(pictures), target, FILTERS[number]).permute(0, 2, 3, 1).numpy()
    for index in range(2):
        theirs = Image.fromarray(pictures[index]).resize(target[::-1], resample=Image.Resampling(number))
        np.testing.assert_array_equal(ours[index], np.asarray(theirs))


def test_the_same_size_changes_nothing() -> None:
    picture = torch.randint(0, 256, (1, 20, 30, 3), dtype=torch.uint8)
    assert torch.equal(resize(picture, (20, 30), "bicubic"), picture.permute(0, 3, 1, 2).float())
