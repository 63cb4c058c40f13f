from pathlib import Path

import pytest
import torch

from anyskill.body.humanoid import SWORD_AND_SHIELD
from anyskill.motion.errors import MotionError
from anyskill.motion.formats.bvh import write_bvh
from anyskill.motion.formats.clip_npz import save_clip
from anyskill.motion.importing import load_clip_any
from anyskill.motion.retarget import from_origin
from tests.motion.made_up import busy, positions, squats


def test_our_own_bvh_comes_back(tmp_path: Path) -> None:
    clip = squats()
    write_bvh(clip, tmp_path / "two squats.bvh")
    loaded = load_clip_any(tmp_path / "two squats.bvh")
    assert loaded.name == "two squats"
    assert (positions(loaded) - positions(from_origin(clip))).abs().max() < 0.002


def test_rates(tmp_path: Path) -> None:
    write_bvh(squats(frames=61).resampled(120), tmp_path / "fast.bvh")
    assert load_clip_any(tmp_path / "fast.bvh").fps == 30
    assert load_clip_any(tmp_path / "fast.bvh", fps=None).fps == 120
    assert load_clip_any(tmp_path / "fast.bvh", fps=20).num_frames == 41


def test_clips_of_our_own_are_taken_as_they_are(tmp_path: Path) -> None:
    clip = busy()
    save_clip(clip, tmp_path / "clip.npz")
    loaded = load_clip_any(tmp_path / "clip.npz")
    assert torch.equal(loaded.rotations, clip.rotations)
    assert torch.equal(loaded.root_positions, clip.root_positions)
    assert load_clip_any(tmp_path / "clip.npz", fps=15).fps == 15


def test_clean_up_can_be_left_out(tmp_path: Path) -> None:
    clip = busy()
    write_bvh(clip, tmp_path / "busy.bvh")
    raw, cleaned = load_clip_any(tmp_path / "busy.bvh", clean=False), load_clip_any(tmp_path / "busy.bvh")
    assert (positions(raw) - positions(from_origin(clip)))[..., :2].abs().max() < 1e-4
    assert (positions(raw) - positions(cleaned)).abs().max() > 0.01


def test_a_clip_of_someone_else(tmp_path: Path) -> None:
    save_clip(busy(), tmp_path / "clip.npz")
    with pytest.raises(MotionError, match="not of sword_and_shield"):
        load_clip_any(tmp_path / "clip.npz", character=SWORD_AND_SHIELD)
