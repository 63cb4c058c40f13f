"""Clips: velocities against the motion they were made from, resampling, mirroring, refusal of nonsense."""

import math

import numpy as np
import pytest
import torch

from anyskill import rotation
from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.motion.clip import Clip
from anyskill.motion.errors import MotionError

SKELETON = skeleton_of(HUMANOID)


def spinning_walk(fps: float = 30.0, seconds: float = 4.0, spin: float = 0.8, speed: float = 1.5) -> Clip:
    """Moves along +x while it turns about +z at a constant rate, the right shoulder and knee swinging."""
    time = torch.arange(int(seconds * fps) + 1, dtype=torch.float64) / fps
    dofs = torch.zeros(len(time), SKELETON.num_dof, dtype=torch.float64)
    dofs[:, 7] = -0.5 + 0.3 * torch.sin(2 * math.pi * 0.5 * time)
    dofs[:, 17] = 0.4 + 0.3 * torch.sin(2 * math.pi * 0.5 * time)
    root = rotation.from_axis_angle(torch.tensor([0.0, 0.0, 1.0]).double().expand(len(time), 3), spin * time)
    position = torch.stack((speed * time, 0 * time, 0.9 + 0 * time), -1)
    return Clip("spin", fps, position, SKELETON.rotations_from_dofs(root, dofs), ("turn to the right",))


def test_velocities_are_those_of_the_motion() -> None:
    states = spinning_walk().states()
    middle = slice(20, -20)  # the filter holds its ends
    np.testing.assert_allclose(states.linear_velocities[middle, 0], [[1.5, 0, 0]] * 81, atol=1e-9)
    np.testing.assert_allclose(states.angular_velocities[middle, 0], [[0, 0, 0.8]] * 81, atol=1e-9)
    # The foot turns with the root: v = v_root + ω × r, up to the swing of the knee, for the left (still) leg.
    foot = SKELETON.index("left_foot")
    r = (states.positions[:, foot] - states.positions[:, 0])[middle]
    expected = torch.tensor([1.5, 0, 0]).double() + torch.linalg.cross(
        torch.tensor([0, 0, 0.8]).double().expand_as(r), r
    )
    np.testing.assert_allclose(states.linear_velocities[middle, foot], expected, atol=0.02)


def test_velocities_are_centred_in_time() -> None:
    """The joint velocity of a sine is in phase with its derivative: no half-frame lag."""
    clip = spinning_walk(spin=0.0, speed=0.0)
    states = clip.states()
    velocity = SKELETON.dof_velocities(states.rotations, states.angular_velocities)[:, 17]
    time = torch.arange(clip.num_frames) / clip.fps
    truth = 0.3 * math.pi * torch.cos(math.pi * time)
    assert (velocity - truth)[15:-15].abs().max() < 0.03 * truth.abs().max()


def test_resampling_there_and_back() -> None:
    clip = spinning_walk()
    faster = clip.resampled(120.0)
    assert faster.num_frames == 481
    assert faster.duration == pytest.approx(clip.duration)
    again = faster.resampled(30.0)
    np.testing.assert_allclose(again.root_positions, clip.root_positions, atol=1e-9)
    np.testing.assert_allclose((again.rotations * clip.rotations).sum(-1).abs(), 1.0, atol=1e-9)


def test_mirror_twice_is_the_same_and_once_swaps_the_hands() -> None:
    clip = spinning_walk()
    mirrored = clip.mirrored()
    assert mirrored.labels == ("turn to the left",)
    plain, other = clip.states().positions, mirrored.states().positions
    right, left = SKELETON.index("right_hand"), SKELETON.index("left_hand")
    np.testing.assert_allclose(other[:, left], plain[:, right] * torch.tensor([1, -1, 1]), atol=1e-9)
    twice = mirrored.mirrored()
    np.testing.assert_allclose(twice.states().positions, plain, atol=1e-9)
    assert twice.labels == clip.labels


def test_reversed_it_walks_backward() -> None:
    clip = spinning_walk()
    back = clip.reversed()
    there, here = clip.states(), back.states()
    np.testing.assert_allclose(here.positions, there.positions.flip(0), atol=1e-12)
    np.testing.assert_allclose(here.linear_velocities[20:-20, 0], [[-1.5, 0, 0]] * 81, atol=1e-9)
    assert torch.equal(back.reversed().rotations, clip.rotations)


def test_nonsense_is_refused_in_one_sentence() -> None:
    clip = spinning_walk()
    nan = clip.root_positions.clone()
    nan[3, 1] = math.nan
    with pytest.raises(MotionError, match="not finite"):
        Clip("bad", 30, nan, clip.rotations)
    with pytest.raises(MotionError, match="at least two"):
        Clip("bad", 30, clip.root_positions[:1], clip.rotations[:1])
    with pytest.raises(MotionError, match="frames a second"):
        Clip("bad", 0, clip.root_positions, clip.rotations)
    with pytest.raises(MotionError, match="14 bodies"):
        Clip("bad", 30, clip.root_positions, clip.rotations[:, :14])
