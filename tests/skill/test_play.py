"""Episodes of a skill: what is recorded, that chance has a seed, and that boxes hit."""

from dataclasses import dataclass, field

import pytest
import torch

from anyskill.body.state import BodyState
from anyskill.controller.controller import Controller
from anyskill.skill.environment import CONTROLS
from anyskill.skill.errors import SkillError
from anyskill.skill.perturbation import BOXES
from anyskill.skill.play import Played, play
from anyskill.skill.starts import StartConfig
from tests.skill.made_up import LATENT, LEFT, RIGHT, SKELETON, Limp, Puppet

STILL = StartConfig(noise=0.0, moving=0.0)


@dataclass
class RightThenLeft:
    """Raises the right arm for half a second, then the left one; notes what it was asked."""

    controller: Controller = field(default_factory=Puppet)
    asked: list[int] = field(default_factory=list)

    def policy(self, state: BodyState, decision: int) -> torch.Tensor:
        self.asked.append(decision)
        return torch.eye(LATENT)[0 if decision < 3 else 1].expand(len(state.positions), -1)


def angle(played: Played, dof: int) -> torch.Tensor:
    """Of a joint (rad), as (time, world)."""
    local = SKELETON.local_rotations(played.states.rotations)
    return SKELETON.dofs_from_rotations(local)[..., dof]


def test_the_skill_decides_six_times_a_second() -> None:
    skill = RightThenLeft()
    played = play(skill, 3, 1.1, start=STILL)
    assert played.states.positions.shape == (33, 3, SKELETON.num_bodies, 3)
    assert played.character is SKELETON.character
    assert played.objects is None
    assert skill.asked == list(range(7))
    raised = (angle(played, RIGHT).abs() > 2.0)[:, 0], (angle(played, LEFT).abs() > 2.0)[:, 0]
    half = 3 * CONTROLS
    assert raised[0][half - 1]
    assert not raised[1][:half].any()
    assert raised[1][-1]
    assert not raised[0][-1]


def test_a_seed_decides_where_episodes_begin() -> None:
    first, again, other = (play(RightThenLeft(), 3, 0.2, seed) for seed in (1, 1, 2))
    assert torch.equal(first.states.positions, again.states.positions)
    assert not torch.allclose(first.states.positions[0], other.states.positions[0], atol=1e-3)
    assert not torch.allclose(first.states.positions[0, 0], first.states.positions[0, 1], atol=1e-3)


def test_who_goes_down_has_fallen() -> None:
    stands, falls = (
        play(RightThenLeft(controller), 2, 1.5, start=StartConfig(noise=0.0, moving=0.0))
        for controller in (Puppet(), Limp())
    )
    assert stands.fallen.tolist() == [False, False]
    assert falls.fallen.tolist() == [True, True]


def test_boxes_hit_from_the_left_and_from_the_right() -> None:
    calm, hit = (play(RightThenLeft(), 4, 3.1, seed=3, start=STILL, perturb=perturb) for perturb in (False, True))
    assert hit.objects is not None
    assert hit.objects.positions.shape == (93, 4, len(BOXES), 3)
    assert torch.allclose(hit.states.positions[:30], calm.states.positions[:30], atol=1e-3)
    # The first box flies after a second and the other one two seconds later, each towards the body.
    speeds = hit.objects.linear_velocities
    assert speeds[:30].norm(dim=-1).max() < 0.1
    assert (speeds[30, :, 0, 1] < -3.0).all()
    assert (speeds[90, :, 1, 1] > 3.0).all()
    # It stays where the body is, and the body is pushed to the right.
    assert (speeds[54, :, 0, 1] > -2.0).all()
    torso = SKELETON.index("torso")
    pushed = (hit.states.linear_velocities - calm.states.linear_velocities)[30:54, :, torso, 1]
    assert (pushed.amin(0) < -0.3).all()


def test_boxes_have_a_seed_too() -> None:
    first, again, other = (play(RightThenLeft(), 2, 1.1, seed, start=STILL, perturb=True) for seed in (1, 1, 2))
    for played in (again, other):
        assert played.objects is not None
    assert torch.equal(first.objects.positions, again.objects.positions)
    assert (first.objects.positions[-1, :, 0] - other.objects.positions[-1, :, 0]).norm(dim=-1).min() > 0.05


def test_no_time_is_refused() -> None:
    with pytest.raises(SkillError, match="play longer"):
        play(RightThenLeft(), 2, 0.0)
