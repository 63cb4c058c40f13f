import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from anyskill import rotation
from anyskill.body.humanoid import SWORD_AND_SHIELD
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.clip import Clip
from anyskill.motion.errors import MotionError
from anyskill.motion.formats import read_motion
from anyskill.motion.ground import lowest_points
from anyskill.motion.retarget import bend_hinges, from_origin, on_the_ground, retarget, without_rest_frames
from anyskill.motion.source import SourceMotion
from tests.motion.made_up import CMU, SKELETON, as_source, busy, positions

HINGES = [body for body, joint in SKELETON.joints.items() if joint.kind == "hinge"]


def twisted(clip: Clip, size: float, seed: int = 1) -> Clip:
    """The same with knees and elbows that also turn about x and z, smoothly."""
    generator = torch.Generator().manual_seed(seed)
    time = torch.arange(clip.num_frames, dtype=torch.float64)[:, None] / clip.fps
    local = clip.rotations.clone()
    for body in HINGES:
        phase = 6 * torch.rand(2, generator=generator, dtype=torch.float64)
        x, z = (size * torch.sin(2 * time + phase)).unbind(-1)
        turn = rotation.from_rotation_vector(torch.stack((x, torch.zeros_like(x), z), -1))
        local[:, body] = rotation.multiply(local[:, body], turn)
    return replace(clip, rotations=local)


@pytest.mark.parametrize(("scale", "yaw"), [(1.0, 0.0), (17.0, 0.0), (0.4, 2.5), (1.0, -1.4)])
def test_our_own_motion_is_recovered_from_another_skeleton(scale: float, yaw: float) -> None:
    clip = busy()
    expected = positions(on_the_ground(from_origin(clip)))
    assert (positions(retarget(as_source(clip, scale, yaw))) - expected).abs().max() < 1e-6


def test_wherever_the_motion_faces() -> None:
    clip = busy()
    turn = rotation.from_euler(torch.tensor([2.0], dtype=torch.float64), "Z")
    local = clip.rotations.clone()
    local[:, 0] = rotation.multiply(turn.expand_as(local[:, 0]), local[:, 0])
    moved = Clip("moved", clip.fps, rotation.rotate(turn, clip.root_positions) + 3.0, local)
    straight, turned = retarget(as_source(clip)), retarget(as_source(moved))
    assert (positions(turned) - positions(straight)).abs().max() < 1e-6
    assert rotation.heading(straight.rotations[0, 0]).abs() < 1e-9
    assert straight.root_positions[0, :2].abs().max() < 1e-9
    there = retarget(as_source(moved), face_x=False)
    assert (there.root_positions[:, :2] - moved.root_positions[:, :2]).abs().max() < 1e-6


def test_hinges_are_pure_and_within_their_limits() -> None:
    clip = retarget(as_source(twisted(busy(), 0.6)))
    for body in HINGES:
        local = clip.rotations[:, body]
        assert local[:, [1, 3]].abs().max() < 1e-12
        low, high = SKELETON.limits[SKELETON.dof_slices[body]][0]
        angle = rotation.twist(local, torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64))
        assert angle.min() >= low - 1e-9
        assert angle.max() <= high + 1e-9


def test_bent_limbs_keep_wrists_and_ankles_in_place() -> None:
    clip = twisted(busy(), 0.4)
    root, world = clip.root_positions, SKELETON.forward(clip.root_positions, clip.rotations)[1]
    before = SKELETON.forward(root, clip.rotations)[0]
    after = SKELETON.forward(root, SKELETON.local_rotations(bend_hinges(SKELETON, world)))[0]
    assert (after - before).abs().max() < 1e-9


def test_feet_keep_their_rotation() -> None:
    world = SKELETON.forward(*_parts(twisted(busy(), 0.4)))[1]
    feet = [SKELETON.index("left_foot"), SKELETON.index("right_foot")]
    assert torch.equal(bend_hinges(SKELETON, world)[:, feet], world[:, feet])


def _parts(clip: Clip) -> tuple[torch.Tensor, torch.Tensor]:
    return clip.root_positions, clip.rotations


def test_nothing_pops_when_a_noisy_knee_goes_through_straight() -> None:
    frames = 240
    time = torch.arange(frames, dtype=torch.float64) / 30
    generator = torch.Generator().manual_seed(3)
    local = rotation.identity(frames, SKELETON.num_bodies, dtype=torch.float64)
    knee, thigh = SKELETON.index("left_shin"), SKELETON.index("left_thigh")
    bend = 0.12 - 0.2 * torch.cos(2 * math.pi * 0.5 * time)  # from 5° too far to 18°
    noise = 0.02 * torch.randn(frames, 2, generator=generator, dtype=torch.float64)
    local[:, knee] = rotation.from_rotation_vector(torch.stack((noise[:, 0], bend, noise[:, 1]), -1))
    world = SKELETON.forward(torch.zeros(frames, 3, dtype=torch.float64), local)[1]
    upper = bend_hinges(SKELETON, world)[:, thigh]
    step = rotation.to_rotation_vector(rotation.multiply(rotation.conjugate(upper[:-1]), upper[1:])).norm(dim=-1)
    assert torch.rad2deg(step.max()) < 25  # the noise alone turns the bending plane by ±90° from frame to frame
    assert torch.rad2deg(rotation.to_rotation_vector(upper).norm(dim=-1).max()) < 30


def test_a_bending_plane_that_is_always_off_is_followed_even_when_straight() -> None:
    """Rigs whose elbows bend about another axis at rest: the twist between is learnt from the clip."""
    frames = 120
    time = torch.arange(frames, dtype=torch.float64) / 30
    elbow, arm = SKELETON.index("left_lower_arm"), SKELETON.index("left_upper_arm")
    local = rotation.identity(frames, SKELETON.num_bodies, dtype=torch.float64)
    bend = 0.6 - 0.6 * torch.cos(2 * math.pi * 0.5 * time)
    local[:, elbow] = rotation.from_rotation_vector(torch.stack((-bend, 0 * bend, 0 * bend), -1))
    world = SKELETON.forward(torch.zeros(frames, 3, dtype=torch.float64), local)[1]
    axis = rotation.rotate(bend_hinges(SKELETON, world)[:, arm], torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64))
    assert (axis - torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)).norm(dim=-1).max() < 0.05


def test_the_mirror_image_becomes_the_mirror_image() -> None:
    clip = twisted(busy(), 0.5)
    swapped = as_source(clip.mirrored())
    mirrored = retarget(as_source(clip)).mirrored()
    assert (positions(retarget(swapped)) - positions(mirrored)).abs().max() < 1e-6


def test_it_stands_on_the_ground() -> None:
    clip = retarget(as_source(busy()))
    height = lowest_points(clip.character, *SKELETON.forward(*_parts(clip))).amin(-1)
    assert height.quantile(0.1).abs() < 1e-9


def test_another_rate() -> None:
    source = as_source(busy(frames=121))
    slow = retarget(source, fps=10)
    assert slow.fps == 10
    assert slow.num_frames == 41
    assert (positions(slow)[:, :, :2] - positions(retarget(source))[::3, :, :2]).abs().max() < 1e-6


def test_bodies_left_out_follow_their_parent() -> None:
    clip = retarget(as_source(busy()), joint_map={"head": None, "left_hand": None})
    head = clip.rotations[:, SKELETON.index("head")]
    assert (head[:, 0].abs() - 1).abs().max() < 1e-9


def test_the_sword_stays_in_the_hand() -> None:
    clip = retarget(as_source(busy()), SWORD_AND_SHIELD)
    skeleton = skeleton_of(SWORD_AND_SHIELD)
    assert clip.rotations.shape[1] == skeleton.num_bodies
    sword = clip.rotations[:, skeleton.index("sword")]
    assert (sword[:, 0].abs() - 1).abs().max() < 1e-9
    ours = skeleton.forward(*_parts(clip))[0]
    shared = [skeleton.index(name) for name in SKELETON.names]
    plain = positions(retarget(as_source(busy())))
    assert (ours[:, shared, :2] - plain[..., :2]).abs().max() < 1e-6


def with_rest_frames(source: SourceMotion, count: int) -> SourceMotion:
    """A rest pose before the motion and ``count - 1`` frames on the way out of it."""
    blend = torch.arange(count, dtype=torch.float64)[:, None] / count
    rest = source.rest.clone()
    rest[0] = source.rotations[0, 0]
    way = rotation.slerp(rest.expand(count, -1, -1), source.rotations[:1].expand(count, -1, -1), blend)
    return replace(
        source,
        rotations=torch.cat((way, source.rotations)),
        root_positions=torch.cat((source.root_positions[:1].expand(count, -1), source.root_positions)),
    )


@pytest.mark.parametrize("count", [1, 3])
def test_a_rest_pose_before_the_motion_is_dropped(count: int) -> None:
    source = as_source(busy())
    assert without_rest_frames(with_rest_frames(source, count)).num_frames == source.num_frames


def test_a_motion_that_begins_in_its_rest_pose_is_whole() -> None:
    source = as_source(busy())
    slow = with_rest_frames(source, 30)
    assert without_rest_frames(slow).num_frames == slow.num_frames
    assert without_rest_frames(source).num_frames == source.num_frames


def test_faults_are_explained() -> None:
    source = as_source(busy())
    single = replace(source, rotations=source.rotations[:1], root_positions=source.root_positions[:1])
    with pytest.raises(MotionError, match="only one frame"):
        retarget(single)
    with pytest.raises(MotionError, match="no length"):
        flat = source.offsets.clone()
        for name in ("LeftLeg", "LeftFoot", "RightLeg", "RightFoot"):
            flat[source.names.index(name)] = 0.0
        retarget(replace(source, offsets=flat))
    with pytest.raises(MotionError, match="no joint was found for"):
        retarget(replace(source, names=tuple(f"joint{i}" for i in range(len(source.names)))))
    assert len(CMU) == SKELETON.num_bodies


def test_two_files_of_one_trial_agree(shared_data: Path) -> None:
    """CMU's 01_01 as AMC and as BVH (which begins with a rest pose that is dropped)."""
    clips = []
    for suffix in ("amc", "bvh"):
        source = read_motion(shared_data / f"motions/fairmotion_cmu/01_01.{suffix}")
        assert isinstance(source, SourceMotion)
        clips.append(positions(retarget(source)))
    assert len(clips[0]) == len(clips[1])
    assert (clips[0] - clips[1]).norm(dim=-1).mean() < 0.03
