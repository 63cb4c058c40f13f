import torch

from anyskill.body.humanoid import HUMANOID
from anyskill.motion.contact import at_rest, contact_points, corrected, fade, place, resting_places, smooth_curve
from tests.motion.made_up import FPS, SKELETON, squats


def scene() -> tuple[torch.Tensor, torch.Tensor]:
    clip = squats()
    return SKELETON.forward(clip.root_positions, clip.rotations)


def test_soles_and_hands() -> None:
    points = {SKELETON.names[p.body]: len(p.local) for p in contact_points(HUMANOID)}
    assert points == {"right_hand": 1, "left_hand": 1, "right_foot": 4, "left_foot": 4}
    for contact in contact_points(HUMANOID)[2:]:
        assert place(contact, *scene())[..., 2].abs().max() < 1e-9


def test_resting_is_low_and_slow_and_lasts() -> None:
    still = torch.zeros(30, 1, 3, dtype=torch.float64)
    grounded = torch.zeros(30, dtype=torch.bool)
    assert (at_rest(still, grounded, FPS) == 1).all()
    assert (at_rest(still, ~grounded, FPS) == 0).all()
    high, fast, brief = still + torch.tensor([0.0, 0.0, 0.1]), still.clone(), still + torch.tensor([0.0, 0.0, 0.1])
    fast[:, 0, 0] = torch.arange(30) / FPS
    brief[10:12] = 0.0
    assert not any(at_rest(moving, grounded, FPS).any() for moving in (high, fast, brief))


def test_rests_are_still_but_slides_are_kept() -> None:
    track = torch.zeros(30, 1, 3, dtype=torch.float64)
    track[:, 0, 0] = 0.002 * torch.arange(30)  # 6 cm/s
    track[:, 0, 2] = 0.01
    rest = torch.ones(30, 1, dtype=torch.float64)
    wanted = resting_places(track, rest)
    assert wanted[..., 2].abs().max() == 0
    assert (wanted[..., 0] == wanted[0, 0, 0]).all()
    assert torch.equal(resting_places(4 * track, rest)[..., 0], 4 * track[..., 0])


def test_a_tilted_sliding_hovering_foot_is_put_down() -> None:
    positions, rotations = scene()
    foot = contact_points(HUMANOID)[3]
    turn = torch.tensor([0.9990, 0.02, 0.04, 0.0], dtype=torch.float64)
    positions, rotations = positions.clone(), rotations.clone()
    rotations[:, foot.body] = turn / turn.norm()
    positions[:, foot.body, 0] += 0.02 * torch.sin(torch.linspace(0, 3, len(positions), dtype=torch.float64))
    positions[:, foot.body, 2] += 0.03
    positions[:, foot.body], rotations[:, foot.body], rest = corrected(
        foot, positions, rotations, torch.zeros(len(positions), dtype=torch.bool), FPS
    )
    assert (rest == 1).all()
    after = place(foot, positions, rotations)
    assert after[..., 2].abs().max() < 0.003
    assert (after.diff(dim=0)[..., :2].norm(dim=-1) * FPS).max() < 0.01


def test_a_foot_in_place_stays() -> None:
    positions, rotations = scene()
    for points in contact_points(HUMANOID):
        place_now, turn, rest = corrected(points, positions, rotations, torch.zeros(len(positions)).bool(), FPS)
        assert (rest == (1.0 if len(points.local) == 4 else 0.0)).all()
        assert (place_now - positions[:, points.body]).abs().max() < 1e-9
        assert (turn - rotations[:, points.body]).abs().max() < 1e-9


def test_corrections_fade_smoothly() -> None:
    values, known = torch.zeros(60, 1, dtype=torch.float64), torch.zeros(60, dtype=torch.float64)
    values[:20], known[:20] = 0.03, 1.0
    curve = fade(values, known)[:, 0]
    assert (curve[:17] - 0.03).abs().max() < 0.001
    assert curve[32:].abs().max() < 0.003
    assert curve.diff(n=2).abs().max() < 0.002


def test_whittakers_smoother_solves_its_normal_equations() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(12, 2, generator=generator, dtype=torch.float64)
    weights = torch.rand(12, generator=generator, dtype=torch.float64)
    second = torch.eye(12, dtype=torch.float64).diff(n=2, dim=0)
    matrix = torch.diag(weights) + 3.0 * second.T @ second
    expected = torch.linalg.solve(matrix, weights[:, None] * values)
    assert torch.allclose(smooth_curve(values, weights, 3.0), expected, atol=1e-9)
