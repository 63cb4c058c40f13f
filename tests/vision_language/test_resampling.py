"""Our resize against Pillow's, to the bit."""

import numpy as np
import PIL
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
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
    compare_with_pillow(size, target, number)


def compare_with_pillow(size: tuple[int, int], target: tuple[int, int], number: int) -> None:
    generator = np.random.default_rng(number)
    pictures = generator.integers(0, 256, (2, *size, 3), dtype=np.uint8)
    pictures[1] = np.where(pictures[1] > 127, 255, 0)  # hard edges make the filter overshoot
    ours = resize(torch.from_numpy(pictures), target, FILTERS[number]).permute(0, 2, 3, 1).numpy()
    for index in range(2):
        theirs = Image.fromarray(pictures[index]).resize(target[::-1], resample=Image.Resampling(number))
        np.testing.assert_array_equal(ours[index], np.asarray(theirs))


@pytest.mark.skipif(int(PIL.__version__.split(".")[0]) < 13, reason="the order of the passes is that of Pillow 13")
@pytest.mark.parametrize(
    ("size", "target"),
    [
        ((180, 71), (64, 64)),
        ((1200, 90), (224, 224)),
        ((90, 1200), (224, 224)),
        ((2500, 8), (60, 4)),
        ((71, 300), (64, 310)),
        ((71, 300), (80, 40)),
        ((60, 40), (40, 30)),  # twice as many rows go as columns, or one more, or one less
        ((61, 40), (40, 30)),
        ((59, 40), (40, 30)),
        ((41, 40), (40, 40)),
        ((7, 2), (5, 2)),
    ],
)
def test_the_order_of_the_passes_is_pillows(size: tuple[int, int], target: tuple[int, int]) -> None:
    compare_with_pillow(size, target, 3)


@pytest.mark.skipif(int(PIL.__version__.split(".")[0]) < 13, reason="the order of the passes is that of Pillow 13")
@given(st.tuples(*[st.integers(1, 120)] * 4), st.sampled_from(sorted(FILTERS)))
def test_any_shape(shape: tuple[int, int, int, int], number: int) -> None:
    compare_with_pillow(shape[:2], shape[2:], number)


def test_the_same_size_changes_nothing() -> None:
    picture = torch.randint(0, 256, (1, 20, 30, 3), dtype=torch.uint8)
    assert torch.equal(resize(picture, (20, 30), "bicubic"), picture.permute(0, 3, 1, 2).float())
