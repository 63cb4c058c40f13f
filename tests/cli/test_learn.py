"""``anyskill learn``: what is typed, and what comes of it."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.cli import main as cli
from anyskill.sim.engine import make_engine
from anyskill.skill import comparison, lesson, parts, searched, task
from anyskill.skill import learn as learning
from anyskill.skill import play as playing
from anyskill.skill.skill import Skill
from anyskill.skill.summary import Summary
from anyskill.skill.task import LearnConfig
from anyskill.vision_language.picture_features import Views
from anyskill.vision_language.projection import Projection
from tests.controller.test_wandering import controller
from tests.skill.made_up import quick
from tests.vision_language.color_model import ColorModel


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What ``learn`` or ``resume`` is called with; nothing is learnt."""
    calls: dict[str, Any] = {}
    monkeypatch.setattr(learning, "learn", lambda text, **more: calls.update(text=text, **more))
    monkeypatch.setattr(learning, "resume", lambda folder, **more: calls.update(folder=folder, **more))
    return calls


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as stop:
        cli.main(["learn", *arguments])
    assert stop.value.code == 2
    return capsys.readouterr().err


def test_the_defaults(asked: dict[str, Any]) -> None:
    cli.main(["learn", "raise both arms"])
    assert asked == {
        "text": "raise both arms",
        "out": None,
        "controller": None,
        "vlm": "bodyclip",
        "projection": None,
        "device": "cpu",
        "config": LearnConfig(),
        "seed": 0,
    }


def test_every_switch_does_something(asked: dict[str, Any]) -> None:
    switches = ["--no-train", "--no-enhance", "--no-early-termination", "--reward", "clip-s+velocity"]
    cli.main(["learn", "sit", *switches, "--iterations", "7", "--minutes", "2", "--seed", "4", "--out", "x"])
    config = asked["config"]
    environment = config.skill.environment
    assert (config.train, config.search, config.enhance) == (False, True, False)
    assert (environment.reward.form, environment.reward.velocity_weight) == ("clip-s", 0.1)
    assert environment.termination.decreases is None
    assert (config.iterations, config.minutes, asked["seed"], asked["out"]) == (7, 2.0, 4, Path("x"))
    cli.main(["learn", "sit", "--no-search"])
    assert not asked["config"].search


def test_presets_and_where_features_come_from(asked: dict[str, Any]) -> None:
    cli.main(["learn", "sit", "--preset", "paper"])
    assert asked["config"] == task.preset("paper")
    cli.main(["learn", "sit", "--vlm", "owner/model"])
    assert asked["config"] == task.preset("fast", "pictures")
    cli.main(["learn", "sit", "--vlm", "owner/model", "--projection", "p.safetensors"])
    assert asked["config"] == LearnConfig()
    cli.main(["learn", "sit", "--features", "pictures", "--preset", "as-released"])
    assert asked["config"] == task.preset("as-released", "pictures")


def test_many_sentences_and_old_runs(asked: dict[str, Any], tmp_path: Path) -> None:
    texts = tmp_path / "texts.yaml"
    texts.write_text("- sit\n- wave\n")
    cli.main(["learn", "--texts", str(texts)])
    assert asked["text"] == ("sit", "wave")
    asked.clear()
    cli.main(["learn", "--resume", "runs/sit", "--iterations", "9"])
    assert asked == {"folder": Path("runs/sit"), "iterations": 9, "minutes": None}


def test_bad_input_is_one_sentence(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "the sentence is empty" in complaint(capsys)
    assert "the sentence is empty" in complaint(capsys, "")
    assert "10000 characters" in complaint(capsys, "a" * 10_000)
    assert "give one of three" in complaint(capsys, "sit", "--resume", "runs/sit")
    assert "there is no reward fun" in complaint(capsys, "sit", "--reward", "fun")
    assert "holds no run" in complaint(capsys, "--resume", str(tmp_path))
    missing = complaint(capsys, "sit", "--out", str(tmp_path / "run"), "--controller", str(tmp_path / "none"))
    assert missing == f"anyskill: {tmp_path / 'none'}: there is no such file.\n"
    assert not (tmp_path / "run").exists()


def test_a_sentence_becomes_a_skill(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a controller and a projection from files, as a person would have them; nothing is drawn."""
    config = replace(quick(), audit=replace(LearnConfig().audit, every=2, states=4))
    monkeypatch.setattr(task, "preset", lambda name, features: replace(config, features=features))
    monkeypatch.setattr(parts, "load_model", lambda name, device: ColorModel(name, seed=len(name)))
    for module in (lesson, searched, playing):
        monkeypatch.setattr(module, "make_engine", partial(make_engine, threads=1))
    monkeypatch.setattr(comparison, "SECONDS", 0.4)
    monkeypatch.setattr(learning, "SECONDS", 0.2)
    for name in ("video", "sheet"):
        monkeypatch.setattr(learning, name, lambda *_, **__: None)
    files = {name: tmp_path / f"{name}.safetensors" for name in ("controller", "projection")}
    controller().save(files["controller"])
    draws = torch.Generator().manual_seed(0)
    Projection.of(ColorModel("colors", seed=6), HUMANOID, draws, views=Views(1, 24), units=(8,)).save(
        files["projection"]
    )
    given = [argument for name, file in files.items() for argument in (f"--{name}", str(file))]
    cli.main(["learn", "wave hi", "--out", str(tmp_path / "run"), "--vlm", "colors", *given])
    said = capsys.readouterr().err
    assert '"wave hi": "' in said and 'read as "' in said
    assert "Audit: after 4 iterations" in said  # a projection that has learnt nothing
    summary = Summary.read(tmp_path / "run")
    assert summary.alarm is not None and summary.alarm in said
    assert (summary.iterations, summary.scorer, summary.controller) == (4, "colors", str(files["controller"]))
    assert (tmp_path / "run" / "report.html").exists()
    assert Skill.load(tmp_path / "run").text == "wave hi"
    cli.main(["learn", "--resume", str(tmp_path / "run")])
    assert "holds this skill already" in capsys.readouterr().err
