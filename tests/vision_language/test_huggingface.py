"""Our path from tensors to features against the library's own processor and model."""

import json
import shutil
from pathlib import Path

import numpy as np
import PIL
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.nn.functional import normalize
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from anyskill.vision_language.huggingface import CHUNK, HuggingFaceModel
from anyskill.vision_language.model import VisionLanguageError, load_model
from tests.vision_language.tiny_models import KINDS

TOLERANCE = 1e-3
SIZES = [(64, 64), (112, 112), (224, 224), (97, 131), (71, 180), (40, 40), (7, 5)]
if int(PIL.__version__.split(".")[0]) >= 13:  # before, tall pictures were resized in another order
    SIZES += [(180, 71), (131, 97), (600, 40), (1080, 720)]
TEXTS = [
    "raise both arms overhead",
    "Stand on the left leg, with the right foot against the left knee!",
    "stand  on the\tright leg",
    "",
    "抬起双臂 🙌 подними руки",
    "raise both arms " * 625,  # 10 000 characters
]


def pictures(*shape: int, seed: int = 0) -> torch.Tensor:
    """Smooth blobs with sharp edges, as rendered pictures have; pure noise would hide a wrong filter."""
    generator = torch.Generator().manual_seed(seed)
    n, height, width = int(np.prod(shape[:-2])), *shape[-2:]
    coarse = torch.rand(n, 3, 4, 4, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    stripes = (torch.arange(width) // 5 % 2) * 0.3
    picture = ((smooth * 0.7 + stripes) * 255).round().to(torch.uint8)
    return picture.permute(0, 2, 3, 1).reshape(*shape, 3).contiguous()


def library_images(folder: Path, batch: torch.Tensor) -> torch.Tensor:
    processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    model = AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        if batch.ndim == 5:
            videos = [[Image.fromarray(frame.numpy()) for frame in video] for video in batch]
            output = model.get_video_features(**processor(videos, return_tensors="pt"))
        else:
            images = [Image.fromarray(picture.numpy()) for picture in batch]
            output = model.get_image_features(**processor(images=images, return_tensors="pt"))
    return normalize(output.pooler_output, dim=-1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_picture_features_are_the_librarys(models: dict[str, Path], kind: str, size: tuple[int, int]) -> None:
    model = HuggingFaceModel(str(models[kind]), precision="float32")
    batch = pictures(3, 4, *size) if model.frames > 1 else pictures(3, *size)
    expected = library_images(models[kind], batch)
    features = model.encode_images(batch)
    assert features.dtype == torch.float32
    assert features.shape == (3, model.dimension)
    assert (features - expected).abs().max() < 1e-5
    # The pictures differ by far more than the tolerance, so the comparison above can fail.
    assert (expected[0] - expected[1]).abs().max() > 20 * TOLERANCE


@pytest.mark.parametrize("kind", KINDS)
def test_sentence_features_are_the_librarys(models: dict[str, Path], kind: str) -> None:
    folder = models[kind]
    length = 64 if kind.startswith("siglip") else 77
    if kind == "siglip":  # the library's tokenizer needs sentencepiece: its rules by hand, without punctuation
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        plain = [" ".join(text.replace(",", "").replace("!", "").lower().split()) for text in TEXTS]
        tokens = tokenizer(plain, padding="max_length", truncation=True, max_length=length, return_tensors="pt")
        inputs = {"input_ids": tokens["input_ids"]}
        assert inputs["input_ids"].shape == (len(TEXTS), 64)
    else:
        padding = "max_length" if kind == "siglip2" else True
        inputs = AutoTokenizer.from_pretrained(folder)(
            TEXTS, padding=padding, truncation=True, max_length=length, return_tensors="pt"
        )
    model = AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        expected = normalize(model.get_text_features(**inputs).pooler_output, dim=-1)
    features = load_model(str(folder)).encode_texts(TEXTS)
    assert (features - expected).abs().max() < TOLERANCE
    torch.testing.assert_close(features.norm(dim=-1), torch.ones(len(TEXTS)))
    assert (features[0] - features[1]).abs().max() > 20 * TOLERANCE


@pytest.mark.parametrize("kind", KINDS)
def test_a_sentence_does_not_depend_on_its_neighbours(
    models: dict[str, Path], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = load_model(str(models[kind])).encode_texts(TEXTS)
    monkeypatch.setenv("ANYSKILL_CACHE", str(tmp_path / "another"))
    alone = load_model(str(models[kind])).encode_texts(TEXTS[:1])
    torch.testing.assert_close(alone, together[:1], atol=1e-5, rtol=0)


def test_raw_pixels_would_be_noticed(models: dict[str, Path]) -> None:
    """The fault of the authors' code, 0–255 straight into the tower, is far outside the tolerance."""
    batch = pictures(2, 64, 64)
    tower = AutoModel.from_pretrained(models["clip"]).eval()
    with torch.inference_mode():
        raw = normalize(tower.get_image_features(batch.permute(0, 3, 1, 2).float()).pooler_output, dim=-1)
    features = HuggingFaceModel(str(models["clip"]), precision="float32").encode_images(batch)
    assert (features - raw).abs().max() > 20 * TOLERANCE


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(height=st.integers(1, 150), width=st.integers(1, 150), kind=st.sampled_from(["clip", "siglip", "siglip2"]))
def test_any_size_of_picture(models: dict[str, Path], height: int, width: int, kind: str) -> None:
    features = HuggingFaceModel(str(models[kind]), precision="float32").encode_images(pictures(2, height, width))
    assert torch.isfinite(features).all()
    torch.testing.assert_close(features.norm(dim=-1), torch.ones(2))


def test_many_pictures_in_chunks(models: dict[str, Path]) -> None:
    model = HuggingFaceModel(str(models["clip"]), precision="float32")
    batch = pictures(CHUNK + 3, 64, 64)
    whole = model.encode_images(batch)
    torch.testing.assert_close(whole[-2:], model.encode_images(batch[-2:]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_gives_nothing(models: dict[str, Path], kind: str) -> None:
    model = load_model(str(models[kind]))
    shape = (0, model.frames, 64, 64, 3) if model.frames > 1 else (0, 64, 64, 3)
    assert model.encode_images(torch.zeros(shape, dtype=torch.uint8)).shape == (0, model.dimension)
    assert model.encode_texts([]).shape == (0, model.dimension)


@pytest.mark.parametrize(
    "wrong",
    [
        torch.zeros(2, 64, 64, 3),
        torch.zeros(2, 3, 64, 64, dtype=torch.uint8),
        torch.zeros(64, 64, 3, dtype=torch.uint8),
        torch.zeros(2, 0, 64, 3, dtype=torch.uint8),
    ],
)
def test_what_is_not_a_picture_is_refused(models: dict[str, Path], wrong: torch.Tensor) -> None:
    with pytest.raises(VisionLanguageError, match="uint8 pictures of shape"):
        load_model(str(models["clip"])).encode_images(wrong)


def test_a_video_model_insists_on_its_frames(models: dict[str, Path]) -> None:
    model = load_model(str(models["xclip"]))
    with pytest.raises(VisionLanguageError, match="with 4 frames"):
        model.encode_images(pictures(2, 3, 64, 64))
    still = pictures(1, 1, 64, 64).expand(1, 4, 64, 64, 3)
    moving = pictures(1, 4, 64, 64)
    backwards = moving.flip(1)
    features = model.encode_images(torch.cat((still, moving, backwards)))
    assert (features[1] - features[2]).abs().max() > 10 * TOLERANCE  # the order of frames is seen


def test_a_single_string_is_not_a_list(models: dict[str, Path]) -> None:
    with pytest.raises(VisionLanguageError, match="list of sentences"):
        load_model(str(models["clip"])).encode_texts("raise both arms")


def test_bfloat16_is_close(models: dict[str, Path]) -> None:
    batch = pictures(4, 64, 64)
    exact = HuggingFaceModel(str(models["clip"]), precision="float32").encode_images(batch)
    fast = HuggingFaceModel(str(models["clip"]), precision="bfloat16").encode_images(batch)
    assert fast.dtype == torch.float32
    assert 0 < (exact - fast).abs().max() < 0.03


def test_pickled_weights_are_refused(models: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "pickled"
    shutil.copytree(models["clip"], folder)
    torch.save(AutoModel.from_pretrained(models["clip"]).state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(VisionLanguageError, match=r"no model\.safetensors"):
        load_model(str(folder))


def test_code_in_a_model_folder_is_not_run(models: dict[str, Path], tmp_path: Path) -> None:
    folder, trace = tmp_path / "with_code", tmp_path / "ran"
    shutil.copytree(models["clip"], folder)
    (folder / "evil.py").write_text(f"open({str(trace)!r}, 'w').close()\nclass Config: pass\nclass Model: pass\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(VisionLanguageError, match="cannot be read"):
        load_model(str(folder))
    assert not trace.exists()


@pytest.mark.parametrize("damage", ["truncated", "lacking", "other"])
def test_damaged_models_are_named(models: dict[str, Path], tmp_path: Path, damage: str) -> None:
    folder = tmp_path / damage
    shutil.copytree(models["clip"], folder)
    weights = folder / "model.safetensors"
    if damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:1000])
        message = "cannot be read"
    elif damage == "lacking":
        from safetensors.torch import load_file, save_file

        tensors = load_file(weights)
        del tensors["visual_projection.weight"]
        save_file(tensors, weights, {"format": "pt"})
        message = "lack 1 of the model's tensors, visual_projection.weight"
    else:
        (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
        message = "type bert; supported are clip"
    with pytest.raises(VisionLanguageError, match=message):
        load_model(str(folder))
