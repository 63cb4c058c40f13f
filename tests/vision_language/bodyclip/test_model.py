from importlib.resources import files
from pathlib import Path

import pytest
import torch

from anyskill.body.state import BodyState
from anyskill.learning.state import write_state
from anyskill.vision_language.bodyclip.model import Bank, BodyClip, Familiarity, load_bodyclip
from anyskill.vision_language.bodyclip.towers import Towers
from anyskill.vision_language.model import ImageTextModel, VisionLanguageError
from tests.vision_language.bodyclip.made_up import TINY, WORDS
from tests.vision_language.bodyclip.poses import random_states

TEXTS = ["raise the right arm", "hold the left arm out in front, with a bent knee", "the head"]


@pytest.fixture(scope="module")
def model() -> BodyClip:
    towers = Towers(TINY, len(WORDS), WORDS.buckets, torch.Generator().manual_seed(0)).requires_grad_(False)
    untrained = BodyClip(towers, TINY, WORDS, Bank(torch.zeros(0, 32), 0.0))
    untrained.bank = Bank(untrained.encode_texts(TEXTS), 0.9)
    return untrained


def _pictures(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_it_is_an_image_text_model(model: BodyClip) -> None:
    protocol: ImageTextModel = model
    assert (protocol.name, protocol.dimension, protocol.frames) == ("bodyclip", 32, 4)
    assert protocol.device == torch.device("cpu")
    for features, count in ((protocol.encode_images(_pictures(3, 112, 112, 3)), 3), (protocol.encode_texts(TEXTS), 3)):
        assert features.shape == (count, 32) and features.dtype == torch.float32
        torch.testing.assert_close(features.norm(dim=-1), torch.ones(count))
    assert protocol.encode_texts([]).shape == protocol.encode_images(_pictures(0, 112, 112, 3)).shape == (0, 32)


def test_one_picture_is_a_sequence_of_one(model: BodyClip) -> None:
    pictures = _pictures(2, 112, 112, 3)
    assert torch.equal(model.encode_images(pictures), model.encode_images(pictures[:, None]))
    for frames in (2, 3, 4):
        assert model.encode_images(_pictures(2, frames, 112, 112, 3)).shape == (2, 32)


def test_other_sizes_are_resized_and_cut(model: BodyClip) -> None:
    small = torch.full((1, 112, 112, 3), 90, dtype=torch.uint8)
    small[:, 30:80, 40:70] = 200
    large = small.repeat_interleave(2, 1).repeat_interleave(2, 2)
    wide = torch.nn.functional.pad(large, (0, 0, 60, 60))
    expected = model.encode_images(small)
    for picture in (large, wide):
        assert float((model.encode_images(picture) * expected).sum()) > 0.99


@pytest.mark.parametrize("shape", [(112, 112, 3), (1, 112, 112, 4), (1, 5, 112, 112, 3), (1, 0, 112, 112, 3)])
def test_wrong_pictures(model: BodyClip, shape: tuple[int, ...]) -> None:
    with pytest.raises(VisionLanguageError, match="uint8 pictures"):
        model.encode_images(torch.zeros(shape, dtype=torch.uint8))
    with pytest.raises(VisionLanguageError, match="float32"):
        model.encode_images(torch.zeros(1, 112, 112, 3))


def test_wrong_texts(model: BodyClip) -> None:
    with pytest.raises(VisionLanguageError, match="list of sentences"):
        model.encode_texts("raise the arm")


def test_states(model: BodyClip) -> None:
    states = random_states(6, 0)
    single = model.encode_states(states)
    assert single.shape == (6, 32)
    assert torch.equal(single, model.encode_states(states[:, None]))
    assert model.encode_states(BodyState.stack([states[:2], states[2:4], states[4:]])).shape == (3, 32)


def test_a_file_and_back(model: BodyClip, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model.save(path)
    again = BodyClip.load(path)
    assert again.tokenizer.vocabulary == WORDS.vocabulary and again.config == TINY
    torch.testing.assert_close(again.encode_texts(TEXTS), model.encode_texts(TEXTS), atol=3e-3, rtol=0)
    pictures = _pictures(4, 2, 112, 112, 3)
    torch.testing.assert_close(again.encode_images(pictures), model.encode_images(pictures), atol=2e-2, rtol=0)
    assert again.familiarity(TEXTS)[0].verdict == "well"
    again.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_files_that_are_none(model: BodyClip, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with pytest.raises(VisionLanguageError, match="no such file"):
        BodyClip.load(path)
    model.save(path)
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(VisionLanguageError, match="damaged"):
        BodyClip.load(path)
    path.write_bytes(bytes(content[:500]))
    with pytest.raises(VisionLanguageError, match="damaged"):
        BodyClip.load(path)
    write_state(path, {"kind": "controller"})
    with pytest.raises(VisionLanguageError, match="no BodyCLIP"):
        BodyClip.load(path)
    write_state(path, {"kind": "bodyclip"})
    with pytest.raises(VisionLanguageError, match="towers"):
        BodyClip.load(path)


def test_familiarity(model: BodyClip) -> None:
    known, mixed, strange = model.familiarity(["raise the right arm", "raise zebra", "quixotic zebra xylophone"])
    assert (known.known, known.verdict) == (1.0, "well") and known.nearest == pytest.approx(1.0, abs=1e-5)
    assert mixed.known == 0.5 and mixed.verdict != "well"
    assert (strange.known, strange.verdict) == (0.0, "hardly")
    assert str(known) == "I know these words well" and "CLIP" in str(strange)
    assert str(Familiarity(0.5, 0.6, "partly")) == "I know these words partly"
    assert model.familiarity([]) == []


def test_the_model_that_is_shipped() -> None:
    if files("anyskill").joinpath("assets", "bodyclip.safetensors").is_file():
        shipped = load_bodyclip()
        assert shipped.encode_texts(TEXTS).shape == (3, shipped.dimension)
    else:
        with pytest.raises(VisionLanguageError, match="no BodyCLIP inside"):
            load_bodyclip()
