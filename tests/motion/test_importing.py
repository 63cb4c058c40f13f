from pathlib import Path

import pytest
import torch

from anyskill.body.humanoid import HUMANOID, SWORD_AND_SHIELD
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


def test_an_unknown_skeleton_is_told_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "strange.bvh"
    path.write_text(
        "HIERARCHY\nROOT Blob\n{\nOFFSET 0 0 0\n"
        "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation\n"
        "JOINT Lump\n{\nOFFSET 0 100 0\nCHANNELS 3 Zrotation Xrotation Yrotation\nEnd Site\n{\nOFFSET 0 60 0\n}\n}\n}\n"
        "MOTION\nFrames: 2\nFrame Time: 0.033\n0 0 0 0 0 0 0 0 0\n0 0 0 0 0 0 0 0 0\n"
    )
    with pytest.raises(MotionError, match=r"strange\.bvh.*no joint was found.*Blob, Lump"):
        load_clip_any(path)


def test_joints_of_any_names_can_be_imported_with_a_map(tmp_path: Path) -> None:
    clip = squats()
    write_bvh(clip, tmp_path / "plain.bvh")
    text = (tmp_path / "plain.bvh").read_text()
    for i, body in enumerate(HUMANOID.bodies):
        text = text.replace(f" {body.name}\n", f" bone{i}\n")
    (tmp_path / "odd.bvh").write_text(text)
    joint_map = {body.name: f"bone{i}" for i, body in enumerate(HUMANOID.bodies)}
    loaded = load_clip_any(tmp_path / "odd.bvh", joint_map=joint_map)
    assert (positions(loaded) - positions(load_clip_any(tmp_path / "plain.bvh"))).abs().max() < 0.02
