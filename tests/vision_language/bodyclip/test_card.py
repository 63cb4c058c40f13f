import json
import shutil
from pathlib import Path

import pytest
import torch

from anyskill.cli.bodyclip import card
from anyskill.learning.run_folder import RunFolder
from anyskill.vision_language.bodyclip.card import BARS, write_card
from anyskill.vision_language.bodyclip.settings import TrainingConfig
from anyskill.vision_language.bodyclip.teacher import Lessons
from anyskill.vision_language.model import VisionLanguageError

FIGURES = {bar.key: 2000.0 if bar.key.endswith("_second") else 0.95 for bar in BARS} | {"parameters": 5.1e6}


@pytest.fixture
def run(shards_folder: Path, tmp_path: Path) -> Path:
    """A folder that looks like a finished run of an hour and a half."""
    folder = tmp_path / "run"
    shutil.copytree(shards_folder, folder / "pictures")
    (folder / "bodyclip.safetensors").write_bytes(bytes(1_500_000))
    training = RunFolder.create(folder / "training", TrainingConfig(state_iterations=123, seed=7))
    for iteration in (1, 2):
        training.log(iteration, {"loss": 1.0, "seconds/captions": 700.0, "seconds/sentences": 2000.0})
    training.close()
    return folder


def figures(path: Path, **changes: object) -> Path:
    values = FIGURES | changes
    values["spread"] = {name: None if value is None else 0.011 for name, value in values.items()}
    path.write_text(json.dumps(values))
    return path


def test_the_card_tells_all(run: Path, tmp_path: Path) -> None:
    text = write_card(run, figures(tmp_path / "figures.json", labels_top5=0.4567, picture_r1=None))
    assert "1.5 MB, 5.10 million weights" in text
    assert "192 moments, 288 pictures of 112 × 112, of 4 motions" in text
    assert "Held out: left elbow." in text
    assert "123 steps of 1024 states" in text and "1.5 hours" in text and "seed 7" in text
    assert "| held-out motions: among the first five labels | 45.7 % ± 1.1 % | at least 60.0 % |" in text
    assert "| pictures a second | 2 000 ± 0 | at least 1 500 |" in text
    assert "among 1 000 | not measured | at least 40.0 % |" in text
    assert text.count("Below what it should be") == 1
    assert "- Below what it should be: held-out motions: among the first five labels." in text
    assert "all-MiniLM" not in text and "began with" not in text
    (run / "start.safetensors").touch()
    Lessons(("kneel", "bow"), torch.zeros(2, 3)).save(run / "lessons.safetensors")
    every = write_card(run, figures(tmp_path / "figures.json"))
    assert "seed 7. It began with the weights of an earlier one." in every
    assert "all-MiniLM-L6-v2 says of\n2 words and sentences" in every and "No figure is below" in every


def test_the_card_is_written(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card(run, figures(tmp_path / "figures.json"), tmp_path / "bodyclip.md")
    assert (tmp_path / "bodyclip.md").read_text().startswith("# BodyCLIP\n")
    assert capsys.readouterr().out.strip() == str(tmp_path / "bodyclip.md")


def test_what_is_missing_is_named(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text('{"picture_r1": 1}')
    with pytest.raises(
        VisionLanguageError, match="lacks labels_top1, labels_top5, movement_by_state_wins, movement_wins, parameters"
    ):
        write_card(run, path)
    path.write_text("[")
    with pytest.raises(VisionLanguageError, match="holds no figures"):
        write_card(run, path)
    (run / "bodyclip.safetensors").unlink()
    with pytest.raises(VisionLanguageError, match=r"does not exist; finish `anyskill bodyclip train"):
        write_card(run, figures(path))
