"""``BodyState`` behaves like one tensor over its leading dimensions."""

import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from tests.body.test_skeleton import random_pose

FIELDS = ("positions", "rotations", "linear_velocities", "angular_velocities", "contact_forces")


def make(n: int, seed: int = 0) -> BodyState:
    generator = torch.Generator().manual_seed(seed)
    state = BodyState.at_rest(skeleton_of(HUMANOID), *random_pose(skeleton_of(HUMANOID), generator, n))
    return BodyState(state.positions, state.rotations, *torch.randn(3, n, 15, 3, generator=generator).double())


def equal(a: BodyState, b: BodyState) -> bool:
    return all(torch.equal(getattr(a, field), getattr(b, field)) for field in FIELDS)


def test_indexing_and_joining_are_inverse() -> None:
    state = make(6)
    assert state.batch_shape == (6,)
    assert equal(BodyState.cat([state[:2], state[2:]]), state)
    assert equal(BodyState.stack([state[i] for i in range(6)]), state)
    assert state[torch.tensor([4, 1])].positions.equal(state.positions[[4, 1]])
    assert BodyState.stack([state, state])[1, 3].batch_shape == ()


def test_at_rest_has_no_velocity_and_no_contact() -> None:
    skeleton = skeleton_of(HUMANOID)
    root, local = random_pose(skeleton, torch.Generator().manual_seed(1), 3)
    state = BodyState.at_rest(skeleton, root, local)
    assert state.positions[:, 0].equal(root)
    assert not state.linear_velocities.any()
    assert not state.angular_velocities.any()
    assert not state.contact_forces.any()


def test_to_converts_every_field() -> None:
    state = make(2).to(torch.float32)
    assert {getattr(state, field).dtype for field in FIELDS} == {torch.float32}
