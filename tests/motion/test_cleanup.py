import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from anyskill import rotation
from anyskill.motion.check import check
from anyskill.motion.cleanup import clean_up, within_limits
from anyskill.motion.clip import Clip
from anyskill.motion.importing import load_clip_any
from tests.motion.made_up import FPS, SKELETON, busy, jump, positions, squats

UP = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)


def waves(clip: Clip, size: float, hertz: float) -> torch.Tensor:
    return size * torch.sin(2 * torch.pi * hertz * torch.arange(clip.num_frames, dtype=torch.float64) / FPS)


def shifted(clip: Clip, offset: torch.Tensor) -> Clip:
    return replace(clip, root_positions=clip.root_positions + offset)


def test_a_clean_clip_is_left_alone() -> None:
    assert (positions(clean_up(squats())) - positions(squats())).abs().max() < 0.002


@pytest.mark.parametrize("height", [0.08, -0.05, 0.5])
def test_hovering_and_sinking_are_undone(height: float) -> None:
    cleaned = clean_up(shifted(squats(), height * UP))
    assert check(cleaned).grounded
    assert (positions(cleaned) - positions(squats())).abs().max() < 0.005


def test_a_floor_that_rises_and_waves_is_levelled() -> None:
    clip = squats()
    floor = torch.linspace(0.0, 0.2, clip.num_frames, dtype=torch.float64) + waves(clip, 0.02, 0.3)
    cleaned = clean_up(shifted(clip, floor[:, None] * UP))
    assert (positions(cleaned) - positions(clip)).abs().max() < 0.01


def test_feet_stop_sliding() -> None:
    clip = squats()
    drift = torch.stack((waves(clip, 0.02, 0.5), waves(clip, 0.015, 0.4), torch.zeros(clip.num_frames)), -1)
    slid = shifted(clip, drift)
    assert check(slid).sliding > 0.03
    cleaned = clean_up(slid)
    assert check(cleaned).sliding < 0.005
    assert (positions(cleaned) - positions(slid)).abs().max() < 0.04


def test_a_flight_stays_a_flight() -> None:
    clip = jump(0.5)
    lift = shifted(clip, 0.04 * UP)
    before, after = positions(clip), positions(clean_up(lift))
    feet = [SKELETON.index("left_foot"), SKELETON.index("right_foot")]
    assert after[:, feet, 2].max() == pytest.approx(float(before[:, feet, 2].max()), abs=0.015)
    assert (after - before).abs().max() < 0.03


def test_a_long_flight_is_no_reason_to_come_down() -> None:
    clip = jump(0.9)
    assert positions(clean_up(clip))[:, 0, 2].max() > 1.6


def hand_in_the_belly(deep: float) -> Clip:
    clip = squats()
    dofs = SKELETON.dofs_from_rotations(clip.rotations)
    inward = deep + waves(clip, 0.02, 0.5)
    dofs[:, SKELETON.dof_slices[SKELETON.index("left_upper_arm")]] = torch.stack((-inward, 0 * inward, 0 * inward), -1)
    dofs[:, SKELETON.dof_slices[SKELETON.index("left_lower_arm")]] = -0.9
    return replace(clip, rotations=SKELETON.rotations_from_dofs(clip.rotations[:, 0], dofs))


def test_a_limb_leaves_the_body_without_a_jerk() -> None:
    inside = hand_in_the_belly(0.3)
    cleaned = clean_up(inside)
    assert 0.01 < check(inside).self_collision < 0.04
    assert check(cleaned).self_collision < 0.001
    assert check(cleaned).jerk < check(inside).jerk + 30
    others = [body for body, name in enumerate(SKELETON.names) if name not in ("left_lower_arm", "left_hand")]
    assert (positions(cleaned) - positions(inside))[:, others].norm(dim=-1).max() < 0.02


def test_a_limb_deep_in_the_body_stays_on_its_side() -> None:
    inside = hand_in_the_belly(0.55)
    assert check(inside).self_collision > 0.07
    assert (positions(clean_up(inside)) - positions(inside)).norm(dim=-1).max() < 0.02


def test_limits_hold_afterwards() -> None:
    clip = busy()
    dofs = 4.0 * SKELETON.dofs_from_rotations(clip.rotations)
    wild = replace(clip, rotations=SKELETON.rotations_from_dofs(clip.rotations[:, 0], dofs))
    assert check(wild).beyond_limits > 20
    cleaned = check(clean_up(wild))
    assert cleaned.beyond_limits < 0.01
    assert cleaned.grounded


def test_within_limits_changes_only_what_is_beyond() -> None:
    clip = busy()
    local = within_limits(SKELETON, clip.rotations)
    difference = rotation.to_rotation_vector(rotation.multiply(rotation.conjugate(clip.rotations), local))
    assert difference.norm(dim=-1).max() < 1e-6


def test_a_mirrored_clip_is_cleaned_to_the_mirror_image() -> None:
    clip = shifted(jump(0.4), 0.03 * UP)
    clip = replace(clip, rotations=within_limits(SKELETON, clip.rotations))
    arm = SKELETON.index("left_upper_arm")
    local = clip.rotations.clone()
    local[:, arm] = rotation.from_rotation_vector(torch.tensor([1.2, -0.4, 0.2], dtype=torch.float64))
    clip = replace(clip, rotations=local)
    straight, mirrored = positions(clean_up(clip).mirrored()), positions(clean_up(clip.mirrored()))
    assert (straight - mirrored).abs().max() < 0.002


def test_it_is_fast() -> None:
    clip = busy(frames=300)
    start = time.process_time()
    clean_up(clip)
    assert time.process_time() - start < 10


FEW = ("deepmimic/humanoid3d_crawl.txt", "deepmimic/humanoid3d_backflip.txt", "mass/cart.bvh", "mass/walk.bvh")


@pytest.mark.parametrize("file", FEW)
def test_some_real_clips(shared_data: Path, file: str) -> None:
    raw = load_clip_any(shared_data / "motions" / file, clean=False)
    cleaned = clean_up(raw)
    result = check(cleaned)
    assert result.grounded
    assert result.beyond_limits < 0.01
    assert result.jerk < 1.1 * check(raw).jerk + 100
    assert (positions(cleaned) - positions(raw)).norm(dim=-1).mean() < 0.08


@pytest.mark.slow
def test_every_real_clip_is_grounded(shared_data: Path) -> None:
    folders = {"acrnn_cmu": "bvh", "convseq2seq_cmu": "txt", "deepmimic": "txt", "isaacgymenvs_cmu": "npy"}
    folders |= {"mass": "bvh", "fairmotion_cmu": "[ab][vm][hc]"}
    files = [
        file for folder, suffix in folders.items() for file in (shared_data / "motions" / folder).glob(f"*.{suffix}")
    ]
    files = [
        file for file in files if not any(word in file.name.lower() for word in ("readme", "license", "character"))
    ]
    assert len(files) >= 54
    results = [check(load_clip_any(file)) for file in files]
    assert [r.name for r in results if not r.grounded] == []
    assert [r.name for r in results if r.beyond_limits > 0.01] == []
