"""Measures of a controller, on controllers of which the answer is known."""

import torch

from anyskill.body.state import BodyState
from anyskill.controller import metrics
from anyskill.controller.bank import BankPostures
from anyskill.controller.play import Play, play
from anyskill.controller.smoothness import smoothness
from anyskill.motion.library import MotionLibrary
from anyskill.sim.mujoco_cpu import MujocoCpu
from tests.controller.made_up import SKELETON, Limp, Scripted, arm_clip, library, lie_down

STANDS = BankPostures(torch.zeros(5, dtype=torch.bool), torch.ones(5, dtype=torch.bool))
LIES = BankPostures(torch.ones(5, dtype=torch.bool), torch.zeros(5, dtype=torch.bool))


def seed() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def script(heights: list[float], held: list[int]) -> Play:
    """One world second by second: the height of a body that lies flat below 0.1 m, and the latent that is held."""
    height = torch.tensor(heights).repeat_interleave(30)
    positions = height[:, None, None, None] * torch.tensor([0.0, 0.0, 1.0]).expand(len(height), 1, 15, 3)
    zero = torch.zeros_like(positions)
    force = torch.where(height < 0.1, 100.0, 0.0)[:, None, None, None].expand_as(positions)
    turned = torch.zeros(len(height), 1, 15, 4)
    turned[..., 0] = 1.0
    states = BodyState(positions, turned, zero, zero, force)
    return Play(states, torch.tensor(held).repeat_interleave(30)[:, None], torch.zeros(len(height), 1).bool())


def test_lying_down_is_a_fall_unless_it_was_asked_for() -> None:
    """Latent 0 stands, latent 1 lies."""
    postures = BankPostures(torch.tensor([False, True]), torch.tensor([True, False]))

    def shares(heights: list[float], held: list[int]) -> tuple[float, float]:
        result = metrics.calm(script(heights, held), SKELETON, postures)
        return result.share, result.on_feet

    assert shares([0.9] * 8, [0] * 8) == (1.0, 1.0)
    assert shares([0.9, 0.05, 0.9], [0, 0, 0]) == (0.0, 0.0)
    assert shares([0.9, 0.05, 0.05, 0.9], [0, 1, 0, 0]) == (1.0, 0.0)  # lies when asked, then gets up
    assert shares([0.05] * 5, [1] + [0] * 4) == (1.0, 0.0)
    assert shares([0.05] * 6, [1] + [0] * 5) == (0.0, 0.0)  # does not get up in five seconds
    assert shares([0.05, 0.9, 0.05], [1, 0, 0]) == (0.0, 0.0)  # got up, and then fell
    assert shares([0.05, 0.6, 0.05], [1, 0, 0]) == (1.0, 0.0)  # never got up, and sank back


def test_a_broken_simulation_is_a_fall() -> None:
    played = script([0.9, 0.9], [1, 1])
    played.lost[10] = True
    assert metrics.calm(played, SKELETON, LIES).share == 0.0


def test_calm_of_a_body_that_stands_and_of_one_that_folds() -> None:
    motions = library()
    for controller, share in ((Scripted(motions, [0] * 8), 1.0), (Limp(motions, [0] * 8), 0.0)):
        played = play(controller, MujocoCpu(8), seed(), seconds=3.0)
        result = metrics.calm(played, SKELETON, STANDS)
        assert (result.share, result.on_feet) == (share, share)
        assert metrics.calm(played, SKELETON, LIES).share == 1.0
        assert result.fallen.int().diff(dim=0).min() >= 0


def test_latents_are_held_as_long_as_they_should() -> None:
    motions = library()
    played = play(Scripted(motions, [0] * 8), MujocoCpu(8), seed(), seconds=3.0, hold=(7, 8))
    switches = (played.latents.diff(dim=0) != 0).any(1).nonzero()[:, 0] + 1
    assert len(switches) > 5
    assert not (switches % 7).any()
    assert set(played.latents.flatten().tolist()) == set(range(5))


def test_recovery_at_its_ends() -> None:
    motions = library()
    limp = metrics.recovery(Limp(motions, [0] * 8), MujocoCpu(8), seed(), STANDS, seconds=1.0)
    assert (limp.share, limp.seconds) == (0.0, float("inf"))
    stood = torch.zeros(60, 4, dtype=torch.bool)
    stood[30:, :2], stood[45:, 2] = True, True
    assert (metrics.Recovery(stood).share, metrics.Recovery(stood).seconds) == (0.75, 1.0)


def test_recovery_holds_latents_that_stand(monkeypatch) -> None:
    motions, seen = library(), []
    controller = Scripted(motions, [0] * 8)
    monkeypatch.setattr(controller, "act", lambda state, z: seen.append(z) or torch.zeros(8, SKELETON.num_dof))
    upright = torch.tensor([False, False, True, False, False])
    metrics.recovery(controller, MujocoCpu(8), seed(), BankPostures(~upright, upright), seconds=0.1)
    assert torch.equal(seen[-1], controller.latents[2].expand(8, -1))


def test_coverage_counts_the_clips_that_come_out() -> None:
    motions = library()
    one, every = (
        metrics.coverage(play(Scripted(motions, order), MujocoCpu(12), seed(), seconds=4.0), motions)
        for order in ([0] * 12, [0, 1, 2] * 4)
    )
    assert every.share == 1.0
    assert every.entropy > one.entropy + 0.1
    assert 0.0 <= one.entropy <= every.entropy <= 1.0
    assert metrics.Coverage(torch.tensor([4.0, 4.0, 0.0, 0.0])).entropy == 0.5


def test_retrieval_of_an_encoder_that_sees_the_arms() -> None:
    motions = library()
    controller = Scripted(motions, [0, 1, 2])
    controller.frames.update(motions.windows(*motions.places(), 1))
    quality = metrics.latent_quality(controller, motions, seed(), samples=60)
    assert quality.retrieval > 0.7
    assert -4.5 < quality.uniformity < 0.0


def test_what_the_bank_does_is_what_its_clips_do() -> None:
    """Two windows of each clip: its first two seconds and its last two."""
    motions = MotionLibrary([arm_clip("right arm", 7, -1.5), lie_down()])
    names = ("right arm", "right arm", "lie down", "lie down", "unknown")
    controller = Scripted(motions, [0], names)
    postures = BankPostures.of(controller, motions)
    assert postures.ground.tolist() == [False, False, False, True, False]
    assert postures.upright.tolist() == [True, True, True, False, True]


def side_by_side(motions: list[BodyState]) -> BodyState:
    """Motions of one length → (time, motion)."""
    together = BodyState.stack(motions)
    return BodyState(*(getattr(together, name).transpose(0, 1) for name in together.__slots__))


def test_smoothness_is_that_of_the_check() -> None:
    motions = library()
    time = torch.arange(60)
    clip = torch.zeros_like(time)
    still = motions.states(clip, clip)
    sliding = BodyState(*(getattr(still, name).clone() for name in still.__slots__))
    sliding.positions[..., 0] += 0.01 * time[:, None]
    sunk = BodyState(*(getattr(still, name).clone() for name in still.__slots__))
    sunk.positions[..., 2] += torch.where(time < 50, -0.03, -0.5)[:, None]
    result = smoothness(side_by_side([still, sliding, sunk]), torch.tensor([60, 60, 50]), SKELETON.character)
    assert torch.allclose(result.sliding, torch.tensor([0.0, 0.3, 0.0]), atol=1e-3)
    assert torch.allclose(result.penetration - result.penetration[0], torch.tensor([0.0, 0.0, 0.03]), atol=1e-4)
    assert result.jerk.max() < 1.0
