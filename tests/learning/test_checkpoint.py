import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from anyskill.learning.checkpoint import Checkpoints
from anyskill.learning.errors import CheckpointError, LearningError


class Counter:
    def __init__(self) -> None:
        self.value = 0

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.value = state["value"]


def parts() -> dict[str, Any]:
    return {"net": nn.Linear(3, 2), "counter": Counter()}


def filled(folder: Path, iterations: tuple[int, ...], keep: int | None = 3) -> Checkpoints:
    checkpoints, saved = Checkpoints(folder, keep=keep), parts()
    for iteration in iterations:
        saved["counter"].value = 100 + iteration
        nn.init.constant_(saved["net"].weight, iteration)
        checkpoints.save(iteration, saved)
    return checkpoints


def test_the_newest_is_restored_and_old_ones_go(tmp_path: Path) -> None:
    checkpoints = filled(tmp_path, (5, 10, 15, 20))
    assert checkpoints.iterations() == [10, 15, 20]
    restored = parts()
    assert checkpoints.restore(restored) == 20
    assert restored["counter"].value == 120 and restored["net"].weight.eq(20).all()
    assert filled(tmp_path / "all", (1, 2, 3, 4, 5), keep=None).iterations() == [1, 2, 3, 4, 5]


def test_a_new_run_starts_at_zero(tmp_path: Path) -> None:
    untouched = parts()
    assert Checkpoints(tmp_path / "none").restore(untouched) == 0
    assert untouched["counter"].value == 0


@pytest.mark.parametrize("damage", ["cut", "altered", "empty"])
def test_a_damaged_checkpoint_is_put_aside(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    checkpoints = filled(tmp_path, (5, 10))
    path = checkpoints.path(10)
    content = path.read_bytes()
    altered = content[:-4] + bytes([content[-4] ^ 1]) + content[-3:]
    path.write_bytes({"cut": content[:-7], "altered": altered, "empty": b""}[damage])
    restored = parts()
    with caplog.at_level(logging.WARNING):
        assert checkpoints.restore(restored) == 5
    assert restored["counter"].value == 105
    assert "00000010.safetensors is damaged" in caplog.text and "the checkpoint before it is used" in caplog.text
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "00000005.safetensors",
        "00000010.safetensors.damaged",
    ]


def test_a_file_that_cannot_be_read_now_is_left_alone(tmp_path: Path) -> None:
    checkpoints = filled(tmp_path, (5,))
    checkpoints.path(10).mkdir()  # stands for any error of the file system
    with pytest.raises(CheckpointError, match="cannot be read"):
        checkpoints.restore(parts())
    assert checkpoints.iterations() == [5, 10]


def test_if_all_are_damaged_the_run_does_not_silently_start_again(tmp_path: Path) -> None:
    checkpoints = filled(tmp_path, (5, 10))
    for iteration in (5, 10):
        checkpoints.path(iteration).write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"no checkpoint in .* can be read"):
        checkpoints.restore(parts())


def test_a_future_that_was_given_up_goes(tmp_path: Path) -> None:
    filled(tmp_path, (5, 10, 15))
    assert filled(tmp_path, (6,)).iterations() == [5, 6]


def test_leftovers_of_a_crash_are_no_checkpoints(tmp_path: Path) -> None:
    checkpoints = filled(tmp_path, (5,))
    (tmp_path / ".00000010.safetensors.x7f3").write_bytes(b"half")
    (tmp_path / "notes.safetensors").write_bytes(b"")
    assert checkpoints.iterations() == [5]


def test_other_settings_are_named(tmp_path: Path) -> None:
    Checkpoints(tmp_path, config={"ppo": {"clip": 0.2, "epochs": 6}}).save(1, parts())
    same = Checkpoints(tmp_path, config={"ppo": {"epochs": 6, "clip": 0.2}})
    assert same.restore(parts()) == 1
    other = Checkpoints(tmp_path, config={"ppo": {"clip": 0.3}, "worlds": 4})
    with pytest.raises(CheckpointError) as caught:
        other.restore(parts())
    for part in ("ppo.clip was 0.2 and is 0.3", "ppo.epochs was 6 and is None", "worlds was None and is 4"):
        assert part in str(caught.value)


def test_other_parts_are_named(tmp_path: Path) -> None:
    checkpoints = filled(tmp_path, (1,))
    with pytest.raises(CheckpointError, match="holds net, counter, but net are to go on"):
        checkpoints.restore({"net": nn.Linear(3, 2)})
    with pytest.raises(CheckpointError, match=r"the state of net does not fit .*size mismatch"):
        checkpoints.restore({"net": nn.Linear(4, 2), "counter": Counter()})
    with pytest.raises(LearningError, match="keep is 0"):
        Checkpoints(tmp_path, keep=0)


def test_training_is_undisturbed_by_saving(tmp_path: Path) -> None:
    saved = parts()
    before = saved["net"].weight
    Checkpoints(tmp_path).save(1, saved)
    assert saved["net"].weight is before and before.requires_grad
    before.data.fill_(9.0)
    restored = parts()
    Checkpoints(tmp_path).restore(restored)
    assert not torch.equal(restored["net"].weight, before)
