"""What ``anyskill pretrain`` and ``controller`` say to wrong input: one sentence, exit code 2, and nothing is lost."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from anyskill.cli import controller as cli
from anyskill.cli.main import main
from anyskill.controller import recipe
from anyskill.controller.controller import Controller, ControllerConfig
from anyskill.learning.state import read_state, write_state
from tests.controller.made_up import Scripted, library, tiny, write_dataset


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANYSKILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(recipe, "preset", lambda name, size: tiny(name))
    monkeypatch.setattr(cli, "_library", lambda motions, run, device: library())


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_dataset(tmp_path, little=-0.5, much=-1.5)


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line of an error."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    assert stop.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("anyskill: ") and lines[0].endswith((".", ")"))
    return lines[0]


def pretrain(dataset: Path, iterations: int = 1) -> list[object]:
    return ["pretrain", dataset, "--out", dataset.parent / "run", "--method", "calm", "--samples", iterations * 16 * 8]


def no_data_set(dataset: Path) -> None:
    dataset.unlink()


def no_clip(dataset: Path) -> None:
    (dataset.parent / "much.npz").unlink()


def half_a_clip(dataset: Path) -> None:
    clip = dataset.parent / "much.npz"
    clip.write_bytes(clip.read_bytes()[:500])


def not_a_data_set(dataset: Path) -> None:
    dataset.write_text("motions: [")


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (no_data_set, "set.yaml: there is no such file."),
        (no_clip, "entry 2 (much.npz): there is no file"),
        (half_a_clip, "much.npz"),
        (not_a_data_set, "set.yaml is not valid YAML"),
    ],
)
def test_motions(
    break_it: Callable[[Path], None], sentence: str, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    break_it(dataset)
    assert sentence in said(capsys, *pretrain(dataset))
    assert not (dataset.parent / "run").exists()


def test_a_checkpoint_of_other_networks(
    dataset: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    main([str(argument) for argument in pretrain(dataset)])
    monkeypatch.setattr(recipe, "preset", lambda name, size: replace(tiny(name), units=(16,)))
    checkpoint = dataset.parent / "run" / "calm" / "checkpoints" / "00000001.safetensors"
    before = checkpoint.read_bytes()
    assert "the state of model does not fit" in said(capsys, *pretrain(dataset, 2))
    assert checkpoint.read_bytes() == before


def test_the_only_checkpoint_is_damaged(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(argument) for argument in pretrain(dataset)])
    checkpoint = dataset.parent / "run" / "calm" / "checkpoints" / "00000001.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    assert "no checkpoint in" in said(capsys, *pretrain(dataset, 2))
    assert checkpoint.with_name(checkpoint.name + ".damaged").exists()


def test_progress_tells_speed_and_split(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(argument) for argument in pretrain(dataset)])
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("calm 1/1 ") and " samples/s " in line
    shares = [line.partition(f" {phase} ")[2].partition("%")[0] for phase in ("physics", "networks", "update")]
    assert "discriminator" in line and 90 < sum(map(int, shares)) <= 101


def damaged(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def a_checkpoint(path: Path) -> None:
    write_state(path, {"iteration": 3, "config": {}, "parts": {}})


def other_body(path: Path) -> None:
    content = read_state(path)
    content["header"]["config"]["character"] = "dragon"
    write_state(path, content)


def other_observation(path: Path) -> None:
    content = read_state(path)
    content["tensors"]["observations.mean"] = torch.zeros(100, dtype=torch.float64)
    write_state(path, content)


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (Path.unlink, "there is no such file"),
        (damaged, "is damaged"),
        (a_checkpoint, "is no controller; `anyskill controller export` makes one of a run."),
        (other_body, "moves the body dragon, which this version does not know"),
        (other_observation, "observations.mean"),
    ],
)
def test_controllers(
    break_it: Callable[[Path], None], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.safetensors"
    Scripted(library(), [0]).save(path)
    break_it(path)
    told = said(capsys, "controller", "report", path)
    assert "c.safetensors" in told and sentence in told


def test_a_controller_of_another_body_than_the_motions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.safetensors"
    controller = Scripted(library(), [0])
    config = ControllerConfig("sword_and_shield", (8,), 4, 60, 10, (8,))
    Controller(config, controller.latents, controller.names).save(path)
    assert "sword_and_shield" in said(capsys, "controller", "report", path)


def test_a_build_without_a_controller(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("anyskill.controller.controller.files", lambda package: tmp_path)
    assert "has no controller inside; train one with `anyskill pretrain`" in said(capsys, "controller", "report")
