from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from anyskill.motion.formats.clip_npz import save_clip
from anyskill.vision_language.bodyclip.model import Bank, BodyClip
from anyskill.vision_language.bodyclip.ranking import rank
from anyskill.vision_language.bodyclip.towers import Towers
from anyskill.vision_language.model import VisionLanguageError
from tests.controller.made_up import arm_clip
from tests.vision_language.bodyclip.made_up import TINY, WORDS


class Bright(BodyClip):
    """Likes what is bright; it looks at pictures for real, not at their features."""

    def encode_images(self, pictures: torch.Tensor, interval: float = 0.2) -> torch.Tensor:
        self.seen = tuple(pictures.shape)
        light = pictures.flatten(1).float().mean(1) / 255
        return torch.stack((light, (1 - light**2).sqrt()), 1)

    def encode_texts(self, texts: object) -> torch.Tensor:
        return torch.tensor([[1.0, 0.0]])


@pytest.fixture
def model() -> Bright:
    towers = Towers(TINY, len(WORDS), WORDS.buckets, torch.Generator().manual_seed(0))
    return Bright(towers, TINY, WORDS, Bank(torch.zeros(0, 32), 0.0))


def _picture(path: Path, grey: int) -> Path:
    Image.fromarray(np.full((20, 30, 3), grey, np.uint8)).save(path)
    return path


def test_pictures_and_motions(model: Bright, tmp_path: Path) -> None:
    motion = tmp_path / "arm.npz"
    save_clip(arm_clip("arm", 7, -2.8, seconds=1.0), motion)
    paths = [_picture(tmp_path / "dark.png", 10), motion, _picture(tmp_path / "white.jpg", 255)]
    ranked = rank(model, "bright", paths)
    assert [item.name for item in ranked] == [str(paths[2]), "arm", str(paths[0])]
    assert ranked[0].cosine == pytest.approx(1.0) and ranked[0].seconds is None
    assert ranked[1].seconds is not None and 0.0 <= ranked[1].seconds <= 1.0


def test_motions_are_seen_in_time(model: Bright, tmp_path: Path) -> None:
    motion = tmp_path / "arm.npz"
    save_clip(arm_clip("arm", 7, -2.8, seconds=1.0), motion)
    rank(model, "bright", [motion])
    assert model.seen == (6, 4, 112, 112, 3)


def test_no_picture(model: Bright, tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"nothing")
    with pytest.raises(VisionLanguageError, match="cannot be read as a picture"):
        rank(model, "bright", [path])
