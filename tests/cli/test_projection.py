"""``anyskill projection``, with a model that is quick."""

import json
from pathlib import Path

import pytest

import anyskill.vision_language.model
from anyskill.cli.projection import audit, train
from anyskill.controller.controller import Controller
from anyskill.motion.formats.clip_npz import save_clip
from anyskill.vision_language.model import VisionLanguageError
from anyskill.vision_language.projection import Projection
from tests.controller.test_wandering import controller
from tests.vision_language.bodies import clip
from tests.vision_language.color_model import ColorModel


@pytest.fixture
def motions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set of one motion; models are colour models, by name."""
    monkeypatch.setattr(
        anyskill.vision_language.model, "load_model", lambda name, device: ColorModel(name, seed=len(name))
    )
    save_clip(clip("right arm", 7, -1.5), tmp_path / "arm.npz")
    path = tmp_path / "motions.yaml"
    path.write_text("motions:\n  - file: arm.npz\n    labels: [raise the right arm]\n", encoding="utf-8")
    return path


def test_train_then_audit(motions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, walker = tmp_path / "run", tmp_path / "controller.safetensors"
    controller().save(walker)
    assert isinstance(Controller.load(walker), Controller)
    train(motions, out, "colors", walker, views=2, size=24, states=64)
    file = out / "projection.safetensors"
    assert Projection.load(file).config.views.count == 2
    assert len((out / "metrics.jsonl").read_text().splitlines()) == 1
    written = file.read_bytes()
    train(motions, out, "colors", walker, views=2, size=24, states=64)  # it is done
    assert file.read_bytes() == written
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:  # it has seen hardly anything
        audit(file, motions=motions, vlm="colors", sentences=("jump", "sit still"), states=20, json=True)
    record = json.loads(capsys.readouterr().out)
    assert end.value.code == 1
    assert record["alarm"] and record["states"] == 20
    assert set(record["spearman"]) == {"jump", "sit still"}
    with pytest.raises(SystemExit):
        audit(file, motions=motions, vlm="colors", states=20)
    assert '"raise the right arm"' in capsys.readouterr().out
    with pytest.raises(VisionLanguageError, match="trained for colors"):
        audit(file, motions=motions, vlm="other colors")
