import pytest
import torch

import anyskill.vision_language.pose_bank as pose_bank
from anyskill.vision_language.bodyclip.model import Bank, BodyClip
from anyskill.vision_language.bodyclip.towers import Towers
from anyskill.vision_language.pose_bank import separable
from tests.vision_language.bodyclip.made_up import TINY, WORDS

from .bodies import clip
from .color_model import ColorModel


@pytest.fixture(autouse=True)
def few_motions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A raised arm, and the other."""
    monkeypatch.setattr(pose_bank, "authored_clips", lambda: (clip("right arm", 7, -1.5), clip("left arm", 11, -1.5)))


def bodyclip() -> BodyClip:
    towers = Towers(TINY, len(WORDS), WORDS.buckets, torch.Generator().manual_seed(0))
    return BodyClip(towers, TINY, WORDS, Bank(torch.zeros(0, 32), 0.0))


@pytest.mark.parametrize("model", [ColorModel(), ColorModel(frames=2), bodyclip()], ids=["still", "moving", "bodyclip"])
def test_a_bank_of_poses_that_differ(model: ColorModel | BodyClip) -> None:
    bank = pose_bank.pose_bank(model, 40)
    assert bank.shape == (40, model.dimension)
    torch.testing.assert_close(bank.norm(dim=-1), torch.ones(40))
    assert (bank - bank[0]).norm(dim=-1).max() > 1e-2
    torch.testing.assert_close(pose_bank.pose_bank(model, 40), bank)


def test_a_sentence_that_means_one_pose_is_separable(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ColorModel()
    bank = pose_bank.pose_bank(model, 40)
    middle = bank.mean(0)
    odd = (bank - middle).norm(dim=-1).argmax()
    sentences = {"one pose": bank[odd] - middle, "all poses": middle}
    monkeypatch.setattr(model, "encode_texts", lambda texts: torch.stack([sentences[text] for text in texts]))
    one, everything = separable(model, 40)(["one pose", "all poses"])
    assert one > everything + 0.5
