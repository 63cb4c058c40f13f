"""Measures of a controller, on controllers of which the answer is known."""

import numpy as np
import pytest
import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.body.skeleton import skeleton_of
from anyskill.controller import metrics
from anyskill.controller.controller import Controller, ControllerConfig
from anyskill.controller.networks import random_latents
from anyskill.motion.library import MotionLibrary
from anyskill.sim.mujoco_cpu import MujocoCpu
from tests.controller.made_up import library

SKELETON = skeleton_of(HUMANOID)


class Scripted(Controller):
    """Follows clip ``order[i]`` in world ``i`` by PD targets, whatever it is asked for."""

    def __init__(self, motions: MotionLibrary, order: list[int]) -> None:
        config = ControllerConfig(units=(8,), latent=4, stride=10, encoder_units=(8,))
        super().__init__(config, random_latents(5, 4, torch.Generator().manual_seed(0)), ("a",) * 5)
        self._motions, self._order, self._step = motions, torch.tensor(order), 0

    def act(self, state, z):
        self._step += 1
        local = SKELETON.local_rotations(
            self._motions.states(self._order, torch.full_like(self._order, self._step)).rotations
        )
        return SKELETON.dofs_from_rotations(local)


class Limp(Scripted):
    """Lets everything fold: joints are driven to where nobody can stand."""

    def act(self, state, z):
        targets = torch.zeros(len(z), SKELETON.num_dof)
        targets[:, [17, 24]] = 2.5
        return targets


def slow_alignment(a: np.ndarray, b: np.ndarray, slack: int) -> float:
    """Dynamic time warping by the book; the path with the smallest total, and its mean."""
    n = len(a)
    total = np.full((n + 1, n + 1), np.inf)
    steps = np.zeros((n + 1, n + 1))
    total[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(1, n + 1):
            if abs(i - j) <= slack:
                moves = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
                best = min(moves, key=lambda move: total[move])
                total[i, j] = total[best] + np.linalg.norm(a[i - 1] - b[j - 1], axis=-1).mean()
                steps[i, j] = steps[best] + 1
    return total[n, n] / steps[n, n]


def test_alignment_equals_the_plain_algorithm() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 3, 20, 4, 3, dtype=torch.float64, generator=generator).cumsum(2)
    lengths = torch.tensor([20, 13, 7])
    result = metrics.aligned_error(a, b, lengths, slack=5)
    for i, n in enumerate(lengths.tolist()):
        assert result[i].item() == pytest.approx(slow_alignment(a[i, :n].numpy(), b[i, :n].numpy(), 5))


def test_alignment_forgives_being_late() -> None:
    time = torch.linspace(0, 6, 90, dtype=torch.float64)
    wave = torch.stack((time.sin(), time.cos(), 0 * time), -1)[None, :, None]
    late = torch.cat((wave[:, :1].expand(1, 6, 1, 3), wave[:, :-6]), 1)
    straight = (wave - late).norm(dim=-1).mean()
    assert metrics.aligned_error(wave, late, torch.tensor([90])) < 0.15 * straight
    assert metrics.aligned_error(wave, wave, torch.tensor([90])) == 0


def test_recall_knows_who_does_the_clip() -> None:
    motions = library()
    good = metrics.recall(Scripted(motions, [0, 1, 2]), MujocoCpu(3), motions)
    assert good.kept.all()
    wrong = metrics.recall(Scripted(motions, [1, 0, 2]), MujocoCpu(3), motions)
    # Two wrong arms among fifteen bodies are still within 12 cm on average: the bound is a loose one.
    assert (wrong.error[:2] > 4 * good.error[:2]).all()
    assert torch.equal(wrong.error[2], good.error[2])
    fallen = metrics.recall(Limp(motions, [0, 1, 2]), MujocoCpu(3), motions)
    assert not fallen.kept.any()


def test_calm_and_recovery_at_their_ends() -> None:
    motions = library()
    draws = torch.Generator().manual_seed(0)
    assert metrics.calm(Scripted(motions, [0] * 8), MujocoCpu(8), draws, seconds=3.0) == 1.0
    assert metrics.calm(Limp(motions, [0] * 8), MujocoCpu(8), draws, seconds=3.0) == 0.0
    assert metrics.recovery(Limp(motions, [0] * 8), MujocoCpu(8), draws, seconds=2.0) == 0.0


def test_coverage_counts_the_clips_that_come_out() -> None:
    motions = library()
    draws = torch.Generator().manual_seed(0)
    one = metrics.coverage(Scripted(motions, [0] * 12), MujocoCpu(12), motions, draws, seconds=4.0)
    all_three = metrics.coverage(Scripted(motions, [0, 1, 2] * 4), MujocoCpu(12), motions, draws, seconds=4.0)
    assert all_three.share == 1.0
    assert all_three.entropy > one.entropy + 0.1
    assert 0.0 <= one.entropy <= all_three.entropy <= 1.0


def test_retrieval_of_an_encoder_that_sees_the_arms() -> None:
    motions = library()
    controller = Scripted(motions, [0, 1, 2])
    controller.frames.update(motions.windows(*motions.places(), 1))
    assert metrics.retrieval(controller, motions, torch.Generator().manual_seed(0), samples=60) > 0.7
