import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]
from torch import nn

from anyskill.learning.errors import CheckpointError, LearningError
from anyskill.learning.ppo import PPOConfig
from anyskill.learning.run_folder import RunFolder


@dataclass(frozen=True)
class Settings:
    units: tuple[int, ...] = (512, 256)
    motions: Path | None = None
    ppo: PPOConfig = field(default_factory=PPOConfig)


def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    settings = Settings((64, 32), Path("a/b"), PPOConfig(learning_rate=3e-5, kl_target=0.02))
    RunFolder.create(tmp_path / "run", settings)
    assert RunFolder.open(tmp_path / "run").config_as(Settings) == settings


def test_there_is_one_run_in_a_folder(tmp_path: Path) -> None:
    RunFolder.create(tmp_path, {})
    with pytest.raises(CheckpointError, match="already holds a run"):
        RunFolder.create(tmp_path, {})
    with pytest.raises(CheckpointError, match=r"there is no config\.yaml"):
        RunFolder.open(tmp_path / "elsewhere")
    (tmp_path / "config.yaml").write_text("a: [1")
    with pytest.raises(CheckpointError, match="not valid YAML"):
        RunFolder.open(tmp_path)
    (tmp_path / "config.yaml").write_text("just words")
    with pytest.raises(CheckpointError, match="must be a mapping"):
        RunFolder.open(tmp_path)


def test_metrics_are_cut_back_to_the_checkpoint(tmp_path: Path) -> None:
    net = {"net": nn.Linear(1, 1)}
    run = RunFolder.create(tmp_path, {})
    assert run.start(net) == 0
    for iteration in range(1, 8):
        run.log(iteration, {"reward": iteration / 3, "length": float("nan")})
        if iteration == 4:
            run.checkpoints.save(4, net)
    run.close()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"iteration": 8, "rew')

    again = RunFolder.open(tmp_path)
    assert [line["iteration"] for line in again.metrics()] == [1, 2, 3, 4, 5, 6, 7]
    assert again.start(net) == 4
    again.log(5, {"reward": 50.0})
    again.close()
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["iteration"] for line in lines] == [1, 2, 3, 4, 5]
    assert lines[3] == {"iteration": 4, "reward": 4 / 3, "length": None}
    assert lines[4] == {"iteration": 5, "reward": 50.0}


def test_a_line_torn_in_the_middle_of_a_letter(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, {})
    (tmp_path / "metrics.jsonl").write_bytes('{"iteration": 1}\n[3]\n{"iteration": 2, "ä'.encode()[:-1])
    assert run.metrics() == [{"iteration": 1}]


def test_tensorboard_shows_the_same(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, {})
    run.start({})
    run.log(1, {"reward": 0.25, "loss/policy": -1.0})
    run.log(2, {"reward": 0.5, "loss/policy": -2.0})
    run.close()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("reward")] == [(1, 0.25), (2, 0.5)]
    assert [event.value for event in events.Scalars("loss/policy")] == [-1.0, -2.0]


def test_weights_and_biases_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    run = RunFolder.create(tmp_path, {})
    with pytest.raises(LearningError, match=r"pip install 'anyskill\[track\]'"):
        run.start({}, track="project")


def test_weights_and_biases_keeps_its_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, Any]] = []
    logged: list[tuple[int, dict[str, float]]] = []

    def init(**options: Any) -> SimpleNamespace:
        calls.append(options)
        return SimpleNamespace(log=lambda values, step: logged.append((step, values)), finish=lambda: None)

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=init))
    run = RunFolder.create(tmp_path / "walk", {"seed": 1})
    for iteration in (1, 2):
        run.start({}, track="project")
        run.log(iteration, {"reward": 0.5})
        run.close()
    assert calls[0] == calls[1]
    assert (calls[0]["project"], calls[0]["name"], calls[0]["config"]) == ("project", "walk", {"seed": 1})
    assert logged == [(1, {"reward": 0.5}), (2, {"reward": 0.5})]
