"""Runs that ``learn`` has left, and the baselines taken from them."""

from pathlib import Path

import pytest
import torch

from anyskill.evaluate import runs
from anyskill.evaluate.errors import EvaluationError
from anyskill.evaluate.runs import best_latent, evaluate_run
from anyskill.skill.errors import SkillError
from tests.evaluate.made_up import BANK, RIGHT, SENTENCES, leave_run, skill
from tests.skill.made_up import Puppet
from tests.vision_language.color_model import ColorModel


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that has to be loaded from afar."""
    monkeypatch.setattr(runs, "load_model", lambda name, device: ColorModel(name, seed=len(name)))
    monkeypatch.setattr("anyskill.skill.skill.load_controller", lambda device: Puppet(BANK))


def test_a_run_is_evaluated_by_the_suites_test(tmp_path: Path) -> None:
    leave_run(tmp_path / "run", "Raise both arms!")
    (score,) = evaluate_run(tmp_path / "run", SENTENCES, episodes=3, heldout="other")
    assert (score.text, score.episodes, score.seconds) == ("raise both arms", 3, 33.0)
    assert score.clip_s is not None and score.clip_s_heldout not in (None, score.clip_s)


def test_a_sentence_without_a_test_is_explained(tmp_path: Path) -> None:
    leave_run(tmp_path / "run", "do the dishes")
    with pytest.raises(EvaluationError, match='no test for "do the dishes"; write one into a file'):
        evaluate_run(tmp_path / "run", SENTENCES)
    leave_run(tmp_path / "other", "raise both arms")
    with pytest.raises(EvaluationError, match='skill of one sentence, "raise both arms"; leave out --texts'):
        evaluate_run(tmp_path / "other", SENTENCES, texts=("raise the right arm",))


def test_no_run_is_explained(tmp_path: Path) -> None:
    with pytest.raises(SkillError, match="holds no finished skill"):
        evaluate_run(tmp_path, SENTENCES)


def test_the_best_latent_is_the_searchs(tmp_path: Path) -> None:
    leave_run(tmp_path / "run", "raise both arms", latent=RIGHT)
    found = best_latent(tmp_path / "run", Puppet(BANK))
    state = torch.zeros(2, 15, 3)
    z = found.policy(type("State", (), {"batch_shape": (2,), "positions": state})(), 7)
    assert torch.equal(z, BANK[[RIGHT, RIGHT]])
    leave_run(tmp_path / "direct", "raise both arms", search=False)
    assert best_latent(tmp_path / "direct", skill().controller) is None
