"""``anyskill controller``: report and export, and what they say to wrong input."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from anyskill.cli import controller as cli
from anyskill.cli.controller import export, record, report
from anyskill.controller.controller import Controller, ControllerError
from anyskill.controller.export import controller_of
from anyskill.controller.pretraining import Pretraining
from anyskill.errors import AnyskillError
from anyskill.learning.loop import train
from anyskill.learning.run_folder import RunFolder
from anyskill.motion.dataset import load_dataset
from anyskill.motion.errors import MotionError
from anyskill.sim.mujoco_cpu import MujocoCpu
from tests.controller.made_up import Scripted, library, tiny
from tests.controller.test_distillation import STUDENT, make_student


@pytest.fixture
def few_motions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three clips in place of all that come with the package."""
    monkeypatch.setattr(cli, "_library", lambda motions, run, device: library())
    monkeypatch.setattr("anyskill.controller.report.authored_motions", lambda: ())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    Scripted(library(), [0, 1, 2]).save(tmp_path / "c.safetensors")
    return tmp_path / "c.safetensors"


@pytest.mark.usefixtures("few_motions")
def test_json_is_one_object_with_the_figures(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(file, json=True, worlds=4)
    figures = json.loads(capsys.readouterr().out)
    assert list(figures) == [
        "recall",
        "calm",
        "coverage",
        "entropy",
        "recovery",
        "jerk_ratio",
        "slide_ratio",
        "penetration",
        "retrieval",
        "travel",
        "lively",
        "held",
    ]
    assert all(value is None or isinstance(value, float) for value in figures.values())


@pytest.mark.usefixtures("few_motions")
def test_the_table_and_the_page(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(file, worlds=4, out=tmp_path / "page")
    captured = capsys.readouterr()
    assert all(title in captured.out for title in ("Recall", "Calm", "Foot sliding", "≥ 80 %"))
    assert (tmp_path / "page" / "report.html").stat().st_size > 20_000


@pytest.mark.slow
def test_without_a_data_set_the_shipped_motions_are_taken() -> None:
    motions = cli._library(None, None, "cpu")
    assert len(motions) > 100
    assert "squats" in motions.names


def test_wrong_input_is_told_in_a_sentence(file: Path, tmp_path: Path) -> None:
    with pytest.raises(AnyskillError, match=r"no\.safetensors: there is no such file"):
        report(tmp_path / "no.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ControllerError, match="is damaged"):
        report(broken)
    with pytest.raises(MotionError, match=r"no\.yaml: there is no such file"):
        report(file, motions=tmp_path / "no.yaml")
    with pytest.raises(ControllerError, match="films need a folder"):
        report(file, films=True)
    with pytest.raises(ControllerError, match="is a file; --out must be a folder"):
        report(file, out=file)
    with pytest.raises(ControllerError, match="is a folder; --out must be a file"):
        export(tmp_path, tmp_path)


@pytest.mark.usefixtures("few_motions")
def test_what_it_does_is_recorded(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ControllerError, match="none of the 3 clips is done well"):  # the script is not in the file
        record(tmp_path / "played", file)
    assert not (tmp_path / "played").exists()
    monkeypatch.setattr(Controller, "load", lambda _: Scripted(library(), [0, 1, 1]))
    record(tmp_path / "played", file, wanders=3)
    assert "2 of 3 clips, 0 of 0 stretches named, 3 wander" in capsys.readouterr().out
    assert len(load_dataset(tmp_path / "played" / "motions.yaml").clips) == 5
    record(tmp_path / "alone", file, wanders=0)
    assert len(load_dataset(tmp_path / "alone" / "motions.yaml").clips) == 2


@pytest.mark.usefixtures("few_motions")
def test_a_student_is_exported_from_its_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, student = tmp_path / "run", make_student()
    train(student, RunFolder.create(run / "student", STUDENT), 2, progress=False)
    export(run, tmp_path / "c.safetensors")
    assert "12 latents of 3 clips" in capsys.readouterr().out
    same_controller(Controller.load(tmp_path / "c.safetensors"), controller_of(student))


@pytest.mark.usefixtures("few_motions")
def test_calm_is_exported_and_comes_before_the_student(tmp_path: Path) -> None:
    run, config = tmp_path / "run", tiny("calm")
    (run / "student").mkdir(parents=True)
    (run / "student" / "config.yaml").write_text("broken: true\n")
    trainer = Pretraining(config, MujocoCpu(config.worlds), library())
    train(trainer, RunFolder.create(run / "calm", config), 1, progress=False)
    for folder in (run, run / "calm"):
        export(folder, tmp_path / "c.safetensors")
        same_controller(Controller.load(tmp_path / "c.safetensors"), controller_of(trainer))


def same_controller(one: Controller, other: Controller) -> None:
    """Up to the half precision of a file."""
    assert (one.config, one.names) == (other.config, other.names)
    weights = other.state_dict()
    for name, values in one.state_dict().items():
        assert torch.allclose(values, weights[name].to(values.dtype), rtol=1e-3, atol=1e-3), name


@pytest.mark.usefixtures("few_motions")
def test_runs_without_a_controller_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "c.safetensors"
    with pytest.raises(ControllerError, match=r"holds no run that has made a controller: there is no config\.yaml"):
        export(tmp_path, out)
    (tmp_path / "teacher").mkdir()
    with pytest.raises(ControllerError, match="only a teacher so far"):
        export(tmp_path, out)
    RunFolder.create(tmp_path / "amp", tiny("amp"))
    with pytest.raises(ControllerError, match="is a run of amp, which has no motion encoder"):
        export(tmp_path / "amp", out)
    RunFolder.create(tmp_path / "early", STUDENT)
    with pytest.raises(ControllerError, match="has no checkpoint yet"):
        export(tmp_path / "early", out)
    other = tmp_path / "other"
    train(make_student(), RunFolder.create(other, STUDENT), 1, progress=False)
    (other / "config.yaml").unlink()
    RunFolder.create(other, replace(STUDENT, units=(16,)))
    with pytest.raises(ControllerError, match="does not fit its settings"):
        export(other, out)
    assert not out.exists()
