import json
from pathlib import Path

import pytest
import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.cli.projection import card
from anyskill.learning.run_folder import RunFolder
from anyskill.vision_language.model import VisionLanguageError
from anyskill.vision_language.picture_features import Views
from anyskill.vision_language.projection import Projection
from anyskill.vision_language.projection_audit import compare
from anyskill.vision_language.projection_card import write_card
from anyskill.vision_language.projection_training import ProjectionTrainingConfig

from .color_model import ColorModel


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder that looks like a finished run of an hour."""
    views = Views(3, 48)
    run = RunFolder.create(tmp_path / "run", ProjectionTrainingConfig("colors", 5000, views=views, seed=4))
    run.log(1, {"cosine": 0.9, "seconds/render": 3000.0, "seconds/update": 600.0})
    run.close()
    generator = torch.Generator().manual_seed(0)
    Projection.of(ColorModel(frames=2), HUMANOID, generator, views=views).save(run.path / "projection.safetensors")
    return run.path


def audit(path: Path, noise: float) -> Path:
    """Of features that are off by so much."""
    generator = torch.Generator().manual_seed(1)
    true = torch.nn.functional.normalize(torch.randn(50, 12, generator=generator), dim=-1)
    guess = torch.nn.functional.normalize(true + noise * torch.randn(50, 12, generator=generator), dim=-1)
    path.write_text(json.dumps(compare(guess, true, ["run", "jump"], true[:2]).as_dict()))
    return path


def test_the_card_tells_all(run: Path, tmp_path: Path) -> None:
    audits = [audit(tmp_path / "a.json", 0.0), audit(tmp_path / "b.json", 0.3)]
    text = write_card(run, audits)
    mean = 0.5 * (1 + json.loads(audits[1].read_text())["cosine"])
    assert f"| mean cosine | {mean:.3f} ± {1 - mean:.3f} | at least 0.95 |" in text
    assert "# State projection of colors" in text and "the mean of 3\nview(s) of 48 × 48 pixels, 2 picture(s)" in text
    assert "5000 states" in text and "1.0 hours, seed 4" in text and "2 audit(s) of 50 states" in text


def test_the_card_is_written(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card(run, (audit(tmp_path / "a.json", 0.1),), tmp_path / "card.md")
    assert (tmp_path / "card.md").read_text() == write_card(run, [tmp_path / "a.json"])
    assert "± 0.000" in (tmp_path / "card.md").read_text()
    with pytest.raises(VisionLanguageError, match="give --audits"):
        card(run, (), tmp_path / "card.md")


@pytest.mark.parametrize("content", ["", "[]", '{"spearman": {}}', '{"spearman": {"run": 1.0}}'])
def test_what_is_no_audit(run: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(VisionLanguageError, match=r"a\.json holds no audit"):
        write_card(run, [tmp_path / "a.json"])
