"""What is loaded for a task."""

from pathlib import Path

import pytest
import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.controller.controller import ControllerError
from anyskill.sim.mujoco_cpu import MujocoCpu
from anyskill.skill import parts
from anyskill.skill.parts import load_parts, usual_features
from anyskill.skill.task import LearnConfig, Task
from anyskill.vision_language.model import VisionLanguageError
from anyskill.vision_language.picture_features import Views
from anyskill.vision_language.projection import Projection
from anyskill.vision_language.projection_audit import AuditConfig
from tests.controller.test_wandering import controller
from tests.vision_language.color_model import ColorModel

COLORS = ColorModel("colors", seed=6)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.setattr(parts, "load_model", lambda name, device: ColorModel(name, seed=len(name)))
    where = {name: tmp_path / f"{name}.safetensors" for name in ("controller", "projection")}
    controller().save(where["controller"])
    draws = torch.Generator().manual_seed(0)
    Projection.of(COLORS, HUMANOID, draws, views=Views(1, 24), units=(8,)).save(where["projection"])
    return where


def load(files: dict[str, Path], vlm: str = "colors", config: LearnConfig | None = None) -> parts.Parts:
    given = {"device": "cpu", "seed": 0, "config": config or LearnConfig()}
    return load_parts(Task.of("wave", vlm, files.get("controller"), files.get("projection"), **given))


def test_files_are_loaded_and_audited(files: dict[str, Path]) -> None:
    loaded = load(files)
    assert loaded.source.function is loaded.projection
    audit = loaded.audit(["jump", "sit still"], AuditConfig(every=2, states=4))
    state, draws = MujocoCpu(5, threads=1).state(), torch.Generator().manual_seed(0)
    assert audit(1, state, draws) == {}
    weights = loaded.projection.head.weight.clone()
    assert set(audit(2, state, draws)) == {"audit/cosine", "audit/spearman", "audit/optimism", "audit/alarm"}
    assert not torch.equal(loaded.projection.head.weight, weights)  # it learns from the pictures


def test_true_pictures_need_no_audit(files: dict[str, Path]) -> None:
    config = LearnConfig(features="pictures", views=Views(count=1, size=24))
    loaded = load(files, config=config)
    assert loaded.projection is None
    assert loaded.audit(["jump"], AuditConfig()) is None
    feature = loaded.source.function(MujocoCpu(2, threads=1).state())
    assert feature.norm(dim=-1).tolist() == pytest.approx([1.0, 1.0], abs=1e-5)


def test_what_does_not_fit_is_told(files: dict[str, Path]) -> None:
    with pytest.raises(VisionLanguageError, match="trained for colors"):
        load(files, vlm="other colors")
    with pytest.raises(VisionLanguageError, match="brings no projection"):
        load({"controller": files["controller"]})
    with pytest.raises(ControllerError, match=r"projection\.safetensors is no controller"):
        load({**files, "controller": files["projection"]})


def test_pictures_are_usual_only_where_there_is_no_projection() -> None:
    assert usual_features("bodyclip", None) == "projection"
    assert usual_features("laion/CLIP", None) == "pictures"
    assert usual_features("laion/CLIP", Path("projection.safetensors")) == "projection"
