from pathlib import Path

import pytest
import torch

from anyskill.learning.errors import LearningError
from anyskill.render.camera import Camera
from anyskill.vision_language.bodyclip.shards import (
    Shard,
    ShardMaker,
    Shards,
    ShardsConfig,
    draw,
    missing_shards,
    original_name,
)
from anyskill.vision_language.model import VisionLanguageError
from tests.vision_language.bodyclip.made_up import SHARDS, library, make_shards


def test_what_is_in_a_file(shards: Shards) -> None:
    assert [shard.pictures.shape for shard in shards] == [(96, 1, 112, 112, 3), (96, 2, 112, 112, 3)]
    for shard in shards:
        states = shard.states(torch.arange(96))
        assert states.batch_shape == shard.pictures.shape[:2]
        assert states.positions.dtype == torch.float32
        torch.testing.assert_close(
            states.rotations.norm(dim=-1), torch.ones(states.rotations.shape[:-1]), atol=2e-3, rtol=0
        )
        assert shard.names[0] == "right arm up"
        assert shard.interval == 0.2


def test_pictures_show_the_states(shards: Shards) -> None:
    """Different bodies look different, and each shows a person: neither blank nor upside down (sky above ground)."""
    pictures = shards[0].pictures[:, 0].float()
    assert float((pictures[1:] - pictures[:-1]).abs().mean()) > 1.0
    sky, ground = pictures[:, 2].mean((0, 1)), pictures[:, -3].mean((0, 1))
    assert sky[2] > sky[0] and ground[0] > ground[2]
    again = draw(shards[0].states(torch.arange(3)), Camera(), worlds=2)
    assert again.shape == (3, 1, 112, 112, 3)


def test_draw_fills_up_and_keeps_order(shards: Shards) -> None:
    states = shards[1].states(torch.arange(5))
    together, others = draw(states, Camera(), worlds=4), draw(states, Camera(), worlds=10)
    assert torch.equal(together, others)


def test_the_test_has_motions_of_its_own(shards_folder: Path) -> None:
    train, test = Shards(shards_folder, "train"), Shards(shards_folder, "test")
    seen = {number for shard in train for number in shard.clip.tolist()} - {-1}
    held = {number for shard in test for number in shard.clip.tolist()} - {-1}
    assert held == {3} and seen and not seen & held


def test_files_do_not_depend_on_the_order_they_are_made_in(shards_folder: Path, tmp_path: Path) -> None:
    maker = ShardMaker(SHARDS, library(), tmp_path)
    assert missing_shards(SHARDS, tmp_path) == [("test", 0), ("train", 0), ("train", 1)]
    maker.make("train", 1)
    assert missing_shards(SHARDS, tmp_path) == [("test", 0), ("train", 0)]
    name = "train-00001.safetensors"
    assert (tmp_path / name).read_bytes() == (shards_folder / name).read_bytes()


def test_damage_and_absence(tmp_path: Path) -> None:
    with pytest.raises(VisionLanguageError, match="no pictures"):
        Shards(tmp_path, "train")
    broken = tmp_path / "train-00000.safetensors"
    broken.write_bytes(b"nothing")
    with pytest.raises(VisionLanguageError, match="delete it"):
        Shard.read(broken)


def test_settings_are_checked() -> None:
    with pytest.raises(LearningError, match="frames"):
        ShardsConfig(frames=(1, 5))
    with pytest.raises(LearningError, match="worlds"):
        ShardsConfig(moments=100, worlds=64)


def test_made_up_shards_are_complete(shards_folder: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in shards_folder.iterdir()}
    make_shards(shards_folder)
    assert before == {path.name: path.stat().st_mtime_ns for path in shards_folder.iterdir()}


def test_what_is_played_or_mirrored_belongs_to_its_motion() -> None:
    assert {original_name(f"walk{end}") for end in ("", "-mirrored", "-played", "-mirrored-played", "-played-3")} == {
        "walk"
    }
