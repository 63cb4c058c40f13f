"""Names of models."""

from importlib.resources import files
from pathlib import Path

import pytest
import torch

from anyskill.vision_language.model import ImageTextModel, VisionLanguageError, load_model


def test_a_folder_makes_a_model(models: dict[str, Path]) -> None:
    model: ImageTextModel = load_model(str(models["clip"]), "cpu", precision="float32")
    assert model.name == str(models["clip"])
    assert (model.dimension, model.frames, model.device) == (24, 1, torch.device("cpu"))
    assert load_model(str(models["xclip"])).frames == 4
    assert load_model(str(models["siglip2"])).dimension == 32


def test_bodyclip_is_the_default_or_says_that_it_is_missing() -> None:
    if files("anyskill").joinpath("assets", "bodyclip.safetensors").is_file():
        assert load_model().name == "bodyclip"
    else:
        with pytest.raises(VisionLanguageError, match="no BodyCLIP inside"):
            load_model()
