from dataclasses import replace

import numpy as np
import pytest
import torch

from anyskill.body.humanoid import HUMANOID, SWORD_AND_SHIELD
from anyskill.motion.errors import MotionFormatError
from anyskill.motion.formats.clip_npz import load_clip, save_clip
from tests.motion.formats import samples


@pytest.mark.parametrize("character", [HUMANOID, SWORD_AND_SHIELD])
@pytest.mark.parametrize("labels", [(), ("wave",), ("", "spin − 回る", "jump, high")])
def test_saved_clip_comes_back(tmp_path, character, labels) -> None:
    clip = replace(samples.clip(character=character), labels=labels, fps=29.97, loop=character is HUMANOID)
    save_clip(clip, tmp_path / "folder" / "a.npz")
    found = load_clip(tmp_path / "folder" / "a.npz")
    assert torch.equal(found.rotations, clip.rotations) and torch.equal(found.root_positions, clip.root_positions)
    for name in ("name", "fps", "labels", "loop", "character"):
        assert getattr(found, name) == getattr(clip, name)


def changed(tmp_path, **changes):
    path = tmp_path / "a.npz"
    save_clip(samples.clip(), path)
    with np.load(path) as archive:
        content = {**dict(archive), **changes}
    np.savez(path, **{k: v for k, v in content.items() if v is not None})
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"anyskill_clip": np.array(2)}, "of version 2, but version 1 is read"),
        ({"anyskill_clip": np.array("x")}, "anyskill_clip"),
        ({"character": np.array("dragon")}, "its character is not known"),
        ({"bodies": np.array(["pelvis"])}, "its bodies are not those of the humanoid"),
        ({"rotations": None}, "no array named rotations"),
        ({"rotations": np.zeros((5, 15, 4))}, "not a unit quaternion"),
        ({"rotations": np.zeros((5, 15, 4), np.float32)}, "not of the type"),
        ({"rotations": np.full((5, 15, 4), np.nan)}, "rotation of frame 0 is not finite"),
        ({"root_positions": np.zeros((4, 3))}, "are not a motion"),
        ({"root_positions": np.full((5, 3), np.inf)}, "root position of frame 0 is not finite"),
        ({"fps": np.array(0.0)}, "0.0 frames a second"),
        ({"fps": np.array(np.nan)}, "nan frames a second"),
        ({"labels": np.array([1])}, "not of the type"),
        ({"loop": np.array([True, False])}, "loop is not a single value"),
        ({"name": np.array("a" * 2**20)}, "too long"),
    ],
)
def test_faults_are_named(tmp_path, changes, message) -> None:
    with pytest.raises(MotionFormatError, match=r"a\.npz") as caught:
        load_clip(changed(tmp_path, **changes))
    assert message in str(caught.value)


def test_one_frame_is_no_clip(tmp_path) -> None:
    clip = samples.clip()
    path = changed(tmp_path, rotations=clip.rotations[:1].numpy(), root_positions=clip.root_positions[:1].numpy())
    with pytest.raises(MotionFormatError, match="at least two"):
        load_clip(path)


def test_pickles_inside_are_not_loaded(tmp_path) -> None:
    path = changed(tmp_path, labels=np.array([{"a": 1}], dtype=object))
    with pytest.raises(MotionFormatError, match="not numbers or text"):
        load_clip(path)
