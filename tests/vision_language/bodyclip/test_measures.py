import torch

from anyskill.body.state import BodyState
from anyskill.vision_language.bodyclip.measures import level_frame, measure
from tests.vision_language.bodyclip.poses import body, mirror, random_states


def test_measures_of_standing_at_ease() -> None:
    m = measure(body({"left_arm": "down", "right_arm": {"upper": "down", "lower": "forward"}}))
    torch.testing.assert_close(m.elbow[0], torch.tensor(torch.pi / 2, dtype=torch.float64))
    torch.testing.assert_close(m.knee, torch.zeros(2, dtype=torch.float64), atol=1e-6, rtol=0)
    torch.testing.assert_close(m.thigh[0], torch.tensor([0.0, 0.0, -1.0], dtype=torch.float64), atol=1e-9, rtol=0)
    assert abs(m.pelvis_height - 0.8814) < 1e-3  # two links and the ankle
    assert abs(m.clearance) < 1e-9
    assert m.hand_height[1] < 0.9 < m.hand_height[0] < 1.2


def test_sides_are_right_then_left_and_outward() -> None:
    m = measure(body({"left_arm": "out"}))
    assert m.hand[1, 1] > 0.5
    assert abs(m.hand[0, 1]) < 0.2
    m = measure(body({"right_arm": "out"}))
    assert m.hand[0, 1] > 0.5


def test_angles_to_the_left_are_positive_on_the_left() -> None:
    m = measure(body({"joints": {"abdomen": [0, 0, 30], "neck": [0, 0, 20]}}))
    for value, degrees in ((m.twist, 30), (m.head_turn, 20)):
        expected = torch.deg2rad(torch.tensor([-degrees, degrees], dtype=torch.float64))
        torch.testing.assert_close(value, expected, atol=1e-6, rtol=0)
    assert measure(body({"joints": {"abdomen": [-20, 0, 0]}})).roll[1] > 0.3


def test_level_frame_faces_forward_however_far_the_body_bends() -> None:
    for degrees in (0, 60, 120, -80):
        turn = body({"pelvis": {"forward": degrees, "turn": 30}}).rotations[0]
        forward = torch.tensor([3**0.5 / 2, 0.5, 0.0], dtype=torch.float64)
        torch.testing.assert_close(level_frame(turn)[0], forward, atol=1e-6, rtol=0)


def test_a_mirrored_body_has_the_same_measures_on_the_other_side() -> None:
    states = random_states(200, seed=1)
    m, other = measure(states), measure(mirror(states))
    torch.testing.assert_close(m.hand, other.hand.flip(-2))
    torch.testing.assert_close(m.roll, other.roll.flip(-1))
    torch.testing.assert_close(m.pitch, other.pitch)
    torch.testing.assert_close(m.hand_foot, other.hand_foot.flip(-1))


def test_heading_and_place_do_not_matter_and_any_batch_shape_goes() -> None:
    pose = {"arms": "out"}
    here, there = body(pose), body(pose | {"pelvis": {"turn": 130}})
    states = BodyState.stack([BodyState.stack([here, there])])
    m = measure(states)
    assert m.hand.shape == (1, 2, 2, 3)
    torch.testing.assert_close(m.hand[0, 0], m.hand[0, 1])
    torch.testing.assert_close(m.foot[0, 0], m.foot[0, 1])
