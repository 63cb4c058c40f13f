"""Settings, crops and patches against the library's own processors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import (
    convert_image_to_patches,
    get_image_size_for_max_num_patches,
)

from anyskill.vision_language.model import VisionLanguageError
from anyskill.vision_language.preprocessing import Preprocessing, flexible_size, patches_of

HERE = Path("model")


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(224, 224), (480, 640), (97, 131), (225, 333), (60, 60)])
def test_whole_chain_is_the_processors(size: tuple[int, int]) -> None:
    picture = noise(*size)
    processor = CLIPImageProcessorPil()
    theirs = processor(images=Image.fromarray(picture), return_tensors="pt")["pixel_values"]
    ours = Preprocessing.from_library(processor, HERE)(torch.from_numpy(picture)[None])
    assert ours.shape == theirs.shape
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_a_crop_larger_than_the_picture_gets_a_border() -> None:
    processor = CLIPImageProcessorPil(do_resize=False, crop_size={"height": 40, "width": 31})
    picture = noise(33, 50)
    theirs = processor(images=Image.fromarray(picture), return_tensors="pt")["pixel_values"]
    ours = Preprocessing.from_library(processor, HERE)(torch.from_numpy(picture)[None])
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(224, 224), (100, 333), (1, 500), (17, 16), (720, 1280)])
def test_patches_are_siglip2s(size: tuple[int, int]) -> None:
    expected = get_image_size_for_max_num_patches(*size, patch_size=16, max_num_patches=256)
    assert flexible_size(*size, 16, 256) == expected
    planes = torch.rand(2, 3, *expected)
    patches, mask, shape = patches_of(planes, 16, 256)
    theirs = convert_image_to_patches(planes[1].numpy(), 16)
    assert shape == (expected[0] // 16, expected[1] // 16)
    assert patches.shape == (2, 256, 768)
    np.testing.assert_array_equal(patches[1, : len(theirs)].numpy(), theirs)
    assert mask.sum(1).tolist() == [len(theirs)] * 2
    assert patches[:, len(theirs) :].abs().sum() == 0


def test_unknown_filters_and_sizes_are_refused() -> None:
    with pytest.raises(VisionLanguageError, match="filter 1"):
        Preprocessing.from_library(CLIPImageProcessorPil(resample=1), HERE)
    with pytest.raises(VisionLanguageError, match="asks for the size"):
        Preprocessing.from_library(CLIPImageProcessorPil(size={"shortest_edge": 10, "longest_edge": 20}), HERE)
