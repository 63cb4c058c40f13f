"""Observations against a plain float64 derivation, body by body, from the published table of blocks."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from anyskill import rotation
from anyskill.body.humanoid import CHARACTERS, Character
from anyskill.body.observation import adversarial_frame, frame_size, policy_observation, policy_size
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from tests.body.test_skeleton import random_pose

both = pytest.mark.parametrize("character", CHARACTERS.values(), ids=CHARACTERS)


def random_state(character: Character, n: int = 6) -> BodyState:
    generator = torch.Generator().manual_seed(4)
    skeleton = skeleton_of(character)
    positions, rotations = skeleton.forward(*random_pose(skeleton, generator, n))
    linear, angular = torch.randn(2, *positions.shape, generator=generator, dtype=torch.float64)
    return BodyState(positions, rotations, linear, angular, torch.zeros_like(positions))


def derive(character: Character, state: BodyState, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Policy observation and adversarial frame of world ``i`` by scipy, with loops and nothing shared."""
    names = [body.name for body in character.bodies]
    parents = [names.index(body.parent) if body.parent else -1 for body in character.bodies]
    p, v, w = (x[i].numpy() for x in (state.positions, state.linear_velocities, state.angular_velocities))
    q = Rotation.from_quat(state.rotations[i].numpy(), scalar_first=True)
    forward = q[0].apply([1.0, 0.0, 0.0])
    h = Rotation.from_euler("z", -math.atan2(forward[1], forward[0]))

    def tan_norm(r: Rotation) -> np.ndarray:
        return np.concatenate((r.apply([1.0, 0, 0]), r.apply([0, 0, 1.0])))

    policy = [p[0, 2:]]
    policy += [h.apply(p[b] - p[0]) for b in range(1, len(names))]
    policy += [tan_norm(h * q[b]) for b in range(len(names))]
    policy += [h.apply(v[b]) for b in range(len(names))]
    policy += [h.apply(w[b]) for b in range(len(names))]

    jointed = [b for b in range(len(names)) if character.bodies[b].joint is not None]
    frame = [p[0, 2:], tan_norm(h * q[0]), h.apply(v[0]), h.apply(w[0])]
    frame += [tan_norm(q[parents[b]].inv() * q[b]) for b in jointed]
    for b in jointed:
        relative = q[b].inv().apply(w[b] - w[parents[b]])
        frame.append(relative if character.bodies[b].joint.kind == "ball" else relative[1:2])
    frame += [h.apply(p[names.index(key)] - p[0]) for key in character.key_bodies]
    return np.concatenate(policy), np.concatenate(frame)


@both
def test_both_equal_the_derivation(character: Character) -> None:
    state, skeleton = random_state(character), skeleton_of(character)
    policy, frame = policy_observation(state), adversarial_frame(state, skeleton)
    for i in range(len(policy)):
        expected_policy, expected_frame = derive(character, state, i)
        np.testing.assert_allclose(policy[i], expected_policy, atol=1e-9)
        np.testing.assert_allclose(frame[i], expected_frame, atol=1e-9)


def test_sizes_are_the_published_ones() -> None:
    plain, armed = CHARACTERS.values()
    assert [(policy_size(skeleton_of(c)), frame_size(skeleton_of(c))) for c in (plain, armed)] == [
        (223, 125),
        (253, 140),
    ]
    for character in (plain, armed):
        state, skeleton = random_state(character), skeleton_of(character)
        assert policy_observation(state).shape[-1] == policy_size(skeleton)
        assert adversarial_frame(state, skeleton).shape[-1] == frame_size(skeleton)


@both
def test_heading_and_horizontal_position_do_not_matter(character: Character) -> None:
    state, skeleton = random_state(character), skeleton_of(character)
    turn = rotation.from_axis_angle(torch.tensor([0.0, 0.0, 1.0]).double(), torch.tensor(1.234).double())
    moved = BodyState(
        rotation.rotate(turn, state.positions) + torch.tensor([5.0, -7.0, 0.0]).double(),
        rotation.multiply(turn.expand_as(state.rotations), state.rotations),
        rotation.rotate(turn, state.linear_velocities),
        rotation.rotate(turn, state.angular_velocities),
        state.contact_forces,
    )
    np.testing.assert_allclose(policy_observation(moved), policy_observation(state), atol=1e-9)
    np.testing.assert_allclose(adversarial_frame(moved, skeleton), adversarial_frame(state, skeleton), atol=1e-9)
    higher = BodyState(
        state.positions + torch.tensor([0.0, 0.0, 0.1]).double(),
        *(getattr(state, f) for f in ("rotations", "linear_velocities", "angular_velocities", "contact_forces")),
    )
    np.testing.assert_allclose((policy_observation(higher) - policy_observation(state))[:, 0], 0.1, atol=1e-9)
    assert (policy_observation(higher) - policy_observation(state))[:, 1:].abs().max() < 1e-9
