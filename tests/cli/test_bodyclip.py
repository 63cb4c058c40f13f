"""What ``anyskill bodyclip`` prints."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from anyskill.cli import bodyclip
from anyskill.motion.formats.clip_npz import save_clip
from anyskill.vision_language.bodyclip import evaluation
from anyskill.vision_language.bodyclip.model import Bank, BodyClip
from anyskill.vision_language.bodyclip.recipe import BodyClipRecipe
from anyskill.vision_language.bodyclip.towers import Towers
from anyskill.vision_language.model import VisionLanguageError
from tests.controller.made_up import arm_clip
from tests.vision_language.bodyclip.made_up import TINY, WORDS


@pytest.fixture
def model(tmp_path: Path) -> Path:
    towers = Towers(TINY, len(WORDS), WORDS.buckets, torch.Generator().manual_seed(0))
    path = tmp_path / "model.safetensors"
    BodyClip(towers, TINY, WORDS, Bank(torch.eye(32)[:2], 0.9)).save(path)
    return path


def test_rank(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    motion = tmp_path / "arm.npz"
    save_clip(arm_clip("arm", 7, -2.8, seconds=0.5), motion)
    bodyclip.rank("raise the xylophone zebra", (motion,), model)
    printed = capsys.readouterr()
    cosine, name, rest = printed.out.split(maxsplit=2)
    assert -1 <= float(cosine) <= 1 and name == "arm" and rest.startswith("at 0.")
    assert "I know these words hardly" in printed.err


def test_evaluate(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test-00000.safetensors").touch()
    figures = iter([{"picture_r1": 0.25, "labels_top1": None}, {"picture_r1": 0.75, "labels_top1": None}] * 2)
    monkeypatch.setattr(evaluation, "evaluate", lambda *_: next(figures))
    bodyclip.evaluate(tmp_path, model, seeds=(0, 1), json=True)
    assert json.loads(capsys.readouterr().out) == {
        "picture_r1": 0.5,
        "labels_top1": None,
        "spread": {"picture_r1": 0.25, "labels_top1": None},
    }
    bodyclip.evaluate(tmp_path, model, seeds=(0, 1))
    printed = capsys.readouterr().out
    assert "0.5 ± 0.25" in printed and "not measured" in printed


def test_evaluate_without_pictures(model: Path, tmp_path: Path) -> None:
    with pytest.raises(VisionLanguageError, match="no pictures"):
        bodyclip.evaluate(tmp_path / "none", model)


@pytest.mark.parametrize("finished", [True, False])
def test_train(
    finished: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[BodyClipRecipe] = []

    def run(recipe: BodyClipRecipe) -> bool:
        asked.append(recipe)
        return finished

    monkeypatch.setattr(BodyClipRecipe, "run", run)
    settings: dict[str, Any] = {"batch": 5, "learning_rate": 0.5, "seed": 2}
    bodyclip.train(tmp_path, shards=7, state_iterations=3, sentence_iterations=1, picture_iterations=8, **settings)
    (recipe,) = asked
    assert (recipe.shards.shards, recipe.config.iterations) == (7, 12)
    assert {name: getattr(recipe.config, name) for name in settings} == settings
    printed = capsys.readouterr()
    assert (str(tmp_path / "bodyclip.safetensors") in printed.out) == finished
    assert ("goes on from here" in printed.err) != finished
