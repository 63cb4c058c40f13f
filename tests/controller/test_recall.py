"""Recall, on controllers of which the answer is known."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from anyskill import rotation
from anyskill.body.humanoid import CHARACTERS
from anyskill.body.skeleton import skeleton_of
from anyskill.body.state import BodyState
from anyskill.controller.recall import aligned_errors, recall, speeds
from anyskill.motion.library import MotionLibrary
from anyskill.sim.mujoco_cpu import MujocoCpu
from tests.controller.made_up import SKELETON, Limp, Scripted, arm_clip, library


def slow_alignment(a: np.ndarray, b: np.ndarray, slack: int) -> np.ndarray:
    """Dynamic time warping by the book; the mean distance of each body along the path with the smallest total."""
    n = len(a)
    total = np.full((n + 1, n + 1), np.inf)
    path: dict[tuple[int, int], list[tuple[int, int]]] = {(0, 0): []}
    total[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(1, n + 1):
            if abs(i - j) <= slack:
                best = min([(i - 1, j - 1), (i - 1, j), (i, j - 1)], key=lambda move: total[move])
                total[i, j] = total[best] + np.linalg.norm(a[i - 1] - b[j - 1], axis=-1).mean()
                path[i, j] = [*path[best], (i - 1, j - 1)]
    return np.mean([np.linalg.norm(a[i] - b[j], axis=-1) for i, j in path[n, n]], axis=0)


def test_alignment_equals_the_plain_algorithm() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 3, 20, 4, 3, dtype=torch.float64, generator=generator).cumsum(2)
    lengths = torch.tensor([20, 13, 7])
    result = aligned_errors(a, b, lengths, slack=5)
    for i, n in enumerate(lengths.tolist()):
        assert result[i].numpy() == pytest.approx(slow_alignment(a[i, :n].numpy(), b[i, :n].numpy(), 5))


def test_alignment_forgives_being_late() -> None:
    time = torch.linspace(0, 6, 90, dtype=torch.float64)
    wave = torch.stack((time.sin(), time.cos(), 0 * time), -1)[None, :, None]
    late = torch.cat((wave[:, :1].expand(1, 6, 1, 3), wave[:, :-6]), 1)
    straight = (wave - late).norm(dim=-1).mean()
    assert aligned_errors(wave, late, torch.tensor([90])) < 0.15 * straight
    assert aligned_errors(wave, wave, torch.tensor([90])) == 0


def test_recall_knows_who_does_the_clip() -> None:
    motions = library()
    good = recall(Scripted(motions, [0, 1, 2]), MujocoCpu(3), motions)
    assert good.share == 1.0
    wrong = recall(Scripted(motions, [1, 0, 2]), MujocoCpu(3), motions)
    # On average two wrong arms among fifteen bodies are still within 12 cm; the body that is furthest off tells.
    assert (wrong.error[:2] > 4 * good.error[:2]).all()
    assert (wrong.worst[:2] > 0.3).all()
    assert (good.worst < 0.12).all()
    assert torch.equal(wrong.error[2], good.error[2])
    fallen = recall(Limp(motions, [0, 1, 2]), MujocoCpu(3), motions)
    assert fallen.share == 0.0


def test_travel_is_the_share_of_the_way() -> None:
    motions = library()
    stands = recall(Scripted(motions, [0, 1, 2]), MujocoCpu(3), motions)
    assert stands.travel is None
    time = torch.arange(len(stands.done.positions))[:, None] / 30

    def at(*speeds: float) -> BodyState:
        state = BodyState(*(getattr(stands.wanted, name).clone() for name in stands.wanted.__slots__))
        state.positions[..., 0, :2] = (time * torch.tensor(speeds))[..., None] * torch.tensor([0.6, 0.8])
        return state

    # Of the way, two fifths and more than all of it; the third clip hardly moves, and does not count.
    walks = replace(stands, wanted=at(1.0, 0.5, 0.1), done=at(0.4, 0.7, 0.0))
    assert walks.travel == pytest.approx(0.7)


def test_liveliness_is_that_of_the_body_that_moves_most() -> None:
    motions = library()
    recalled = recall(Scripted(motions, [0, 1, 2]), MujocoCpu(3), motions)
    assert recalled.lively is None  # in four seconds an arm goes there and back: at less than half a metre a second
    time, lengths = torch.arange(len(recalled.wanted.positions))[:, None], torch.tensor([111, 111, 111])

    def swinging(*sizes: float) -> BodyState:
        """One body goes to and fro by so much 30 times a second, and much further at the end, which does not count."""
        state = BodyState(*(getattr(recalled.wanted, name).clone() for name in recalled.wanted.__slots__))
        state.positions[:] = 0.0
        size = torch.where(time < lengths, torch.tensor(sizes), 1.0)
        state.positions[..., 5, 1] = size * (time % 2)
        return state

    swung = replace(recalled, lengths=lengths, wanted=swinging(0.1, 0.1, 0.01), done=swinging(0.02, 0.2, 0.0))
    assert swung.liveliness.tolist() == pytest.approx([0.2, 2.0, 0.0], abs=1e-4)
    assert swung.lively == pytest.approx(0.6, abs=1e-4)  # the third clip moves at 0.3 m/s


def test_a_nod_is_seen_by_the_face() -> None:
    assert {skeleton_of(character).index("head") for character in CHARACTERS.values()} == {2}
    motions = library()
    recalled = recall(Scripted(motions, [0, 1, 2]), MujocoCpu(3), motions)

    def nodding(angle: float) -> BodyState:
        state = BodyState.at_rest(SKELETON, torch.zeros(30, 3, 3), rotation.identity(30, 3, SKELETON.num_bodies))
        pitch = angle * (torch.arange(30) % 2)
        state.rotations[:, :, 2] = rotation.from_rotation_vector(pitch[:, None] * torch.tensor([0.0, 1.0, 0.0]))[
            :, None
        ]
        return state

    lengths = torch.full((3,), 30)
    nods = replace(recalled, lengths=lengths, wanted=nodding(0.5), done=nodding(0.05))
    assert nods.liveliness.tolist() == pytest.approx([0.1] * 3, rel=0.02)
    way = 2 * math.sin(0.25) * math.hypot(0.2, 0.1)  # m, of the face from frame to frame
    assert speeds(nods.wanted, lengths).amax(1).tolist() == pytest.approx([30 * way] * 3, rel=1e-3)


@pytest.mark.parametrize(("every", "asked"), [(30, 2), (5, 9)])
def test_latents_follow_the_clip_as_often_as_is_wanted(every: int, asked: int, monkeypatch: pytest.MonkeyPatch) -> None:
    motions = library()
    controller, windows = Scripted(motions, [0, 1, 2]), []
    encode = controller.encode
    monkeypatch.setattr(controller, "encode", lambda window: windows.append(window) or encode(window))
    recall(controller, MujocoCpu(3), motions, seconds=1.5, every=every)
    assert len(windows) == asked
    torch.testing.assert_close(windows[0], motions.windows(torch.arange(3), torch.full((3,), 59), 60))
    torch.testing.assert_close(windows[1], motions.windows(torch.arange(3), torch.full((3,), 59 + every), 60))


def test_latents_follow_short_clips_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    motions = MotionLibrary([arm_clip("quick", 7, -1.5, seconds=2.1)])  # frames 0 to 63
    controller, windows = Scripted(motions, [0]), []
    encode = controller.encode
    monkeypatch.setattr(controller, "encode", lambda window: windows.append(window) or encode(window))
    recall(controller, MujocoCpu(1), motions, every=5)
    begins = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 49, 49, 49]  # a window shows half a second of its clip at least
    assert len(windows) == len(begins)
    for window, begin in zip(windows, begins, strict=True):
        torch.testing.assert_close(window, motions.windows(torch.tensor([0]), torch.tensor([begin + 59]), 60))
